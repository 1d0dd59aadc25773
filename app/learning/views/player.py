"""The step player: one step a screen, Previous and Next."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.courses.kinds import kind_of
from app.courses.models import Course
from app.courses.queries import StepContent, StepPlace, find_published_lesson
from app.foundation import tenancy
from app.foundation.permissions import access, requires
from app.foundation.replies import page, reply, wants_partial
from app.learning.forms import BeginForm
from app.learning.operations import StepDone, move_on, remember_place
from app.learning.policies import Can
from app.learning.queries import Taking, find_taking, quiz_state, verdicts_on
from app.learning.views import bp

STEP = "/courses/<int:course_id>/lessons/<lesson_key>/steps/<step_key>"


@bp.get(STEP)
@requires(Can.TAKE_COURSES)
def step_show(course_id: int, lesson_key: str, step_key: str) -> Any:
    taking, place = stand_at(course_id, lesson_key, step_key)
    if not taking.is_last_place(place):
        remember_place(taking.enrollment_id, place)
    return step_page(course_id, taking, place)


@bp.post(STEP + "/completion")
@requires(Can.TAKE_COURSES)
def completion_create(course_id: int, lesson_key: str, step_key: str) -> Any:
    taking, place = stand_at(course_id, lesson_key, step_key)
    done = move_on(taking, place, actor=current_user)
    following = taking.after(place)
    if following:
        return reply(step_path(course_path(course_id), following), said=praise(done, place, taking))
    return reply(course_path(course_id), said=praise(done, place, taking))


@bp.get(STEP + "/completion")
@requires(Can.TAKE_COURSES)
def completion_show(course_id: int, lesson_key: str, step_key: str) -> Any:
    return back_to_step(course_id, lesson_key, step_key)


# -- what the player's pages share ---------------------------------------------------------------------------------


def stand_at(course_id: int, lesson_key: str, step_key: str) -> tuple[Taking, StepPlace]:
    """The person in the course and the step they ask for. 404 for whoever may not know of it; whoever has not begun is led
    to the course's page, where they can."""
    taking = find_taking(current_user.membership_id, course_id)
    if taking is None:
        access(Course, course_id)
        flash(_("Start the course first; then its lessons open."), "info")
        abort(redirect(course_path(course_id), 303))
    return taking, taking.find(lesson_key, step_key) or abort(404)


def step_page(course_id: int, taking: Taking, place: StepPlace, *, status: int = 200, refusal: str = "") -> Any:
    """A step as it stands for this person. Of a quiz: its beginning, the way back into it, or the result."""
    step = content_of(taking, place)
    kind = kind_of(step.kind)
    where = where_on(course_id, taking, place)
    shown = {
        "previous_url": step_path(where["course_url"], before) if (before := taking.before(place)) else None,
        "has_following": taking.after(place) is not None,
        "is_done": place.key in taking.done,
        "finishes": taking.would_finish(place),
        "kind_template": kind.template,
        "ends_by": kind.ends_by,
    }
    if kind.ends_by == "reading":
        return player_page(
            "learning/reading.html", where, status=status, shown={**where, **shown, "html": step.content["html"]}
        )
    state = quiz_state(current_user.membership_id, taking.publication_id, place.key, step.content)
    verdicts = verdicts_on(state) if state.attempt and not state.attempt.is_open else []
    return player_page(
        "learning/step.html", where, status=status, step=step, state=state, verdicts=verdicts, refusal=refusal,
        form=BeginForm(formdata=None), **shown,
    )  # fmt: skip


def where_on(course_id: int, taking: Taking, place: StepPlace) -> dict[str, Any]:
    """What the head of the player says and where its addresses begin: texts and numbers only."""
    course_url = course_path(course_id)
    return {
        "course_url": course_url,
        "step_url": step_path(course_url, place),
        "course_title": taking.outline.title,
        "step_title": place.title,
        "lesson_number": place.lesson_number,
        "lesson_count": taking.outline.lesson_count,
        "step_number": place.number,
        "step_count": place.steps_in_lesson,
        "percent": taking.lesson_percent(place),
    }


def player_page(template: str, where: dict[str, Any], *, status: int = 200, **more: Any) -> Any:
    """A page of the player. A partial answer moves the address along."""
    response = page(template, status=status, **where, **more)
    if status == 200 and wants_partial():
        response.headers["HX-Push-Url"] = request.path
    return response


def content_of(taking: Taking, place: StepPlace) -> StepContent:
    """What the publication says at a place of its outline."""
    lesson = find_published_lesson(taking.publication_id, place.lesson_key)
    return (lesson and lesson.find_step(place.key)) or abort(404)


def praise(done: StepDone, place: StepPlace, taking: Taking) -> str:
    """A quiet sentence where a lesson or the course is now done."""
    if done.course_done:
        return _("Course completed: %(title)s.", title=taking.outline.title)
    return _("Lesson done: %(title)s.", title=place.lesson_title) if done.lesson_done else ""


def course_path(course_id: int) -> str:
    """The address of learning.course_show, on which those of all steps are built."""
    return f"/{tenancy.required().slug}/courses/{course_id}"


def step_path(course_url: str, place: StepPlace) -> str:
    """The address of learning.step_show; keys need no quoting, and building many of them is cheap this way."""
    return f"{course_url}/lessons/{place.lesson_key}/steps/{place.key}"


def back_to_step(course_id: int, lesson_key: str, step_key: str) -> AnyResponse:
    """A GET on a deed's address leads to the step it belongs to."""
    _taking, place = stand_at(course_id, lesson_key, step_key)
    return redirect(step_path(course_path(course_id), place), 303)
