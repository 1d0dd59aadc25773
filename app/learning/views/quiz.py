"""A quiz in the player: one question a screen, each answer saved at once, a review, then the final submit."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask_login import current_user

from app.courses.kinds import kind_of
from app.courses.queries import StepContent, StepPlace
from app.foundation.once import once
from app.foundation.permissions import requires
from app.foundation.replies import reply, wants_partial
from app.learning.operations import TryIsOver, answer_question, start_quiz, submit_quiz
from app.learning.policies import Can
from app.learning.queries import QuizState, Taking, quiz_state
from app.learning.views import bp
from app.learning.views.player import (
    STEP,
    back_to_step,
    content_of,
    course_path,
    player_page,
    praise,
    stand_at,
    step_page,
    step_path,
    where_on,
)


@bp.post(STEP + "/attempts")
@requires(Can.TAKE_COURSES)
@once
def attempt_create(course_id: int, lesson_key: str, step_key: str) -> Any:
    taking, place, step = _at_quiz(course_id, lesson_key, step_key)
    attempt = start_quiz(taking, place, step.content, actor=current_user)
    return reply(_question_path(course_id, place, attempt.question_order[0][0]))


@bp.get(STEP + "/questions/<question_key>")
@requires(Can.TAKE_COURSES)
def question_show(course_id: int, lesson_key: str, step_key: str, question_key: str) -> Any:
    taking, place, step = _at_quiz(course_id, lesson_key, step_key)
    state = _open_state(taking, place, step)
    if state is None:
        return redirect(step_path(course_path(course_id), place), 303)
    asked = state.find(question_key) or abort(404)
    where = where_on(course_id, taking, place)
    return player_page("quizzes/question.html", where, state=state, asked=asked, saved_at=state.saved_at(question_key))


@bp.post(STEP + "/questions/<question_key>/answer")
@requires(Can.TAKE_COURSES)
def answer_create(course_id: int, lesson_key: str, step_key: str, question_key: str) -> Any:
    taking, place, _step = _at_quiz(course_id, lesson_key, step_key)
    attempt_id = request.form.get("attempt", 0, type=int)
    try:
        attempt, answer = answer_question(
            taking, place, attempt_id, question_key, request.form.getlist("chosen"), actor=current_user
        )
    except TryIsOver as over:
        return _too_late(over, course_id, taking, place)
    if "go" not in request.form and wants_partial():
        return render_template("quizzes/_saved.html", saved_at=answer.saved_at if answer.chosen else None)
    keys = [key for key, _options in attempt.question_order]
    return reply(_path_from(step_path(course_path(course_id), place), keys, question_key))


@bp.get(STEP + "/review")
@requires(Can.TAKE_COURSES)
def review_show(course_id: int, lesson_key: str, step_key: str) -> Any:
    taking, place, step = _at_quiz(course_id, lesson_key, step_key)
    state = _open_state(taking, place, step)
    if state is None:
        return redirect(step_path(course_path(course_id), place), 303)
    return player_page("quizzes/review.html", where_on(course_id, taking, place), state=state)


@bp.post(STEP + "/submission")
@requires(Can.TAKE_COURSES)
def submission_create(course_id: int, lesson_key: str, step_key: str) -> Any:
    taking, place, step = _at_quiz(course_id, lesson_key, step_key)
    try:
        done = submit_quiz(taking, place, step.content, actor=current_user)
    except TryIsOver as over:
        return _too_late(over, course_id, taking, place)
    return reply(step_path(course_path(course_id), place), said=praise(done, place, taking))


@bp.get(STEP + "/attempts", endpoint="attempt_show")
@bp.get(STEP + "/submission", endpoint="submission_show")
@requires(Can.TAKE_COURSES)
def deed_show(course_id: int, lesson_key: str, step_key: str) -> Any:
    return back_to_step(course_id, lesson_key, step_key)


@bp.get(STEP + "/questions/<question_key>/answer")
@requires(Can.TAKE_COURSES)
def answer_show(course_id: int, lesson_key: str, step_key: str, question_key: str) -> Any:
    _taking, place, _step = _at_quiz(course_id, lesson_key, step_key)
    return redirect(_question_path(course_id, place, question_key), 303)


def _at_quiz(course_id: int, lesson_key: str, step_key: str) -> tuple[Taking, StepPlace, StepContent]:
    """The person, the place and the quiz there; 404 where the step is not a quiz."""
    taking, place = stand_at(course_id, lesson_key, step_key)
    if kind_of(place.kind).ends_by != "grading":
        abort(404)
    return taking, place, content_of(taking, place)


def _open_state(taking: Taking, place: StepPlace, step: StepContent) -> QuizState | None:
    """The open attempt with its questions; None where there is none to answer."""
    state = quiz_state(current_user.membership_id, taking.publication_id, place.key, step.content)
    return state if state.attempt and state.attempt.is_open else None


def _path_from(step_url: str, keys: list[str], question_key: str) -> str:
    """After an answer: the question before or after it; the step itself before the first, the review after the last."""
    to = keys.index(question_key) + {"next": 1, "previous": -1}.get(request.form.get("go", ""), 0)
    if to < 0:
        return step_url
    return f"{step_url}/questions/{keys[to]}" if to < len(keys) else f"{step_url}/review"


def _question_path(course_id: int, place: StepPlace, question_key: str) -> str:
    return f"{step_path(course_path(course_id), place)}/questions/{question_key}"


def _too_late(over: TryIsOver, course_id: int, taking: Taking, place: StepPlace) -> Any:
    """409 with the sentence: on the result's page, or in the status region for what was to be saved in passing."""
    if "go" not in request.form and wants_partial():
        raise over
    return step_page(course_id, taking, place, status=over.status, refusal=over.sentence)
