"""Every SELECT on attempts and answers."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.courses.queries import answer_key, find_published_lesson
from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.quizzes.models import Answer, Attempt


class NotSubmitted(Refusal):
    """Keys and explanations are for a submitted attempt only."""


def find_open_attempt(membership_id: int, publication_id: int, step_key: str) -> Attempt | None:
    """The attempt a person has begun at this quiz and not yet submitted."""
    return session.scalars(
        _attempts(membership_id, publication_id, step_key).where(Attempt.submitted_at.is_(None))
    ).first()


def find_latest_attempt(membership_id: int, publication_id: int, step_key: str) -> Attempt | None:
    """The attempt begun last, open or submitted, with `answers` loaded: one SELECT."""
    latest = _attempts(membership_id, publication_id, step_key).options(joinedload(Attempt.answers)).limit(1)
    return session.scalars(latest).unique().first()


def list_attempts_of(membership_id: int, publication_id: int, step_key: str) -> list[Attempt]:
    """All attempts of a person at a quiz, newest first."""
    return list(session.scalars(_attempts(membership_id, publication_id, step_key)))


def answers_of(attempt: Attempt) -> dict[str, Answer]:
    """What was chosen so far, by question key."""
    answers = session.scalars(select(Answer).where(Answer.attempt_id == attempt.id))
    return {answer.question_key: answer for answer in answers}


def find_quiz(attempt: Attempt) -> dict[str, Any]:
    """The public content of the quiz an attempt is at, from the publication's cache. LookupError if there is none."""
    lesson = find_published_lesson(attempt.publication_id, attempt.lesson_key)
    step = lesson.find_step(attempt.step_key) if lesson else None
    if step is None or step.kind != "quiz":
        raise LookupError(f"publication {attempt.publication_id} has no quiz {attempt.lesson_key}/{attempt.step_key}")
    return step.content


def explanations_of(attempt: Attempt) -> dict[str, Any]:
    """`{question key: {correct, explanation_html, why}}` of a submitted attempt; raises NotSubmitted for an open one."""
    if attempt.is_open:
        raise NotSubmitted(_("Submit your answers first; then you see what was right and why."))
    return dict(answer_key(attempt.publication_id, attempt.lesson_key, attempt.step_key)["questions"])


def _attempts(membership_id: int, publication_id: int, step_key: str) -> Any:
    return (
        select(Attempt)
        .where(
            Attempt.membership_id == membership_id,
            Attempt.publication_id == publication_id,
            Attempt.step_key == step_key,
        )
        .order_by(Attempt.number.desc())
    )
