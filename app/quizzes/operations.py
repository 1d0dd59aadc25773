"""Every write on attempts: starting, saving an answer, submitting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.refusals import NotWhileActing, Refusal
from app.quizzes.events import AttemptSubmitted
from app.quizzes.models import Answer, Attempt
from app.quizzes.queries import answers_of, find_open_attempt, find_quiz
from app.quizzes.rules import grade_attempt, most_points, shuffled_order

TRIES = 3


class AttemptIsClosed(Refusal):
    """The attempt was submitted; its answers stay as they were."""


class NoSuchChoice(Refusal):
    """The question or option is not of this quiz, or a single choice got several."""


class NotYours(Refusal):
    """Somebody else's attempt."""

    status = 403


def start_attempt(
    *, membership_id: int, publication_id: int, lesson_key: str, step_key: str, quiz: dict[str, Any], actor: Actor
) -> Attempt:
    """Begin a try at a published quiz, or return the one that is open: a double click makes one.

    `quiz` is the public content. The order of its options is drawn here and stored with the attempt.
    """
    _for_oneself(membership_id, actor)
    for _try in range(TRIES):
        open_one = find_open_attempt(membership_id, publication_id, step_key)
        if open_one:
            return open_one
        number = 1 + _last_number(membership_id, publication_id, step_key)
        seed = f"{tenancy.required().id}/{membership_id}/{publication_id}/{step_key}/{number}"
        begun = session.scalars(
            insert(Attempt)
            .values(
                tenant_id=tenancy.required().id, membership_id=membership_id, publication_id=publication_id,
                lesson_key=lesson_key, step_key=step_key, number=number, started_at=clock.now(),
                question_order=shuffled_order(quiz, seed), most_points=most_points(quiz),
            )
            .on_conflict_do_nothing()
            .returning(Attempt)
        ).first()  # fmt: skip
        if begun:
            audit("attempt.started", actor=actor, subject=begun, after={"step": step_key, "number": number})
            return begun
    # Each rival that came first has also submitted since: nobody clicks that fast.
    raise Refusal(_("This quiz was started somewhere else just now. Load the page again."))


def save_answer(attempt: Attempt, question_key: str, chosen: list[str], *, actor: Actor) -> Answer:
    """Keep what a person chose (option keys; none takes the answer back), however often they change it. Not audited.

    Refuses after the attempt was submitted, what the quiz does not offer, and more than one option of a single choice.
    """
    _lock(attempt, actor)
    if not attempt.is_open:
        raise AttemptIsClosed(_("You have submitted this quiz; your answers stay as they were."))
    picked = _offered(find_quiz(attempt), question_key, chosen)
    values = {"chosen": picked, "saved_at": clock.now()}
    saved = (
        insert(Answer)
        .values(tenant_id=attempt.tenant_id, attempt_id=attempt.id, question_key=question_key, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "attempt_id", "question_key"], set_=values)
        .returning(Answer)
    )
    return session.scalars(saved, execution_options={"populate_existing": True}).one()


def submit_attempt(attempt: Attempt, quiz: dict[str, Any], key: dict[str, Any], *, actor: Actor) -> Attempt:
    """Hand an attempt in: it is graded by `key` and closed. A second time answers as the first did and changes nothing."""
    _lock(attempt, actor)
    if not attempt.is_open:
        return attempt
    answers = answers_of(attempt)
    graded = grade_attempt(quiz, key, {question: answer.chosen for question, answer in answers.items()})
    for question_key, answer in answers.items():
        answer.points = graded.questions[question_key].points
        answer.is_correct = graded.questions[question_key].is_correct
    attempt.submitted_at, attempt.points, attempt.passed = clock.now(), graded.points, graded.passed
    attempt.most_points = graded.most_points
    session.flush()
    audit("attempt.submitted", actor=actor, subject=attempt, after={"points": graded.points, "passed": graded.passed})
    announce(
        AttemptSubmitted(
            attempt_id=attempt.id, membership_id=attempt.membership_id, publication_id=attempt.publication_id,
            lesson_key=attempt.lesson_key, step_key=attempt.step_key, passed=int(graded.passed),
        )
    )  # fmt: skip
    return attempt


def _for_oneself(membership_id: int, actor: Actor) -> None:
    """A result says what its person knows, so that nobody earns it for them."""
    if actor.is_acting:
        raise NotWhileActing
    if actor.membership_id != membership_id:
        raise NotYours(_("You can answer for yourself only."))


def _lock(attempt: Attempt, actor: Actor) -> None:
    """Hold the attempt's row, freshly read, until the commit: an answer and the submission never pass each other."""
    _for_oneself(attempt.membership_id, actor)
    session.refresh(attempt, with_for_update={"key_share": True})


def _last_number(membership_id: int, publication_id: int, step_key: str) -> int:
    same = (
        Attempt.membership_id == membership_id,
        Attempt.publication_id == publication_id,
        Attempt.step_key == step_key,
    )
    return session.scalar(select(func.max(Attempt.number)).where(*same)) or 0


def _offered(quiz: dict[str, Any], question_key: str, chosen: Sequence[str]) -> list[str]:
    """The chosen keys in the author's order, each once, if the quiz offers them."""
    question = next((one for one in quiz["questions"] if one["key"] == question_key), None)
    if question is None:
        raise NoSuchChoice(_("This quiz has no such question. Load the page again."))
    options = [option["key"] for option in question["options"]]
    if not set(chosen) <= set(options):
        raise NoSuchChoice(_("This question has no such answer. Load the page again."))
    if question["kind"] == "single" and len(set(chosen)) > 1:
        raise NoSuchChoice(_("Choose one answer only."))
    return [key for key in options if key in chosen]
