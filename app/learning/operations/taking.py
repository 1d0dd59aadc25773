"""Taking a course: beginning it, doing its steps, answering its quizzes, remembering the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.courses.kinds import kind_of
from app.courses.models import Course
from app.courses.queries import StepPlace, answer_key, find_outline
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import rows, session
from app.foundation.events import announce
from app.foundation.refusals import Refusal
from app.learning.events import CourseCompleted, LearnerEnrolled, LessonCompleted
from app.learning.models import Enrollment, LessonProgress, StepProgress
from app.learning.queries import Taking, count_steps_done, enrollment_of, place_after
from app.quizzes.models import Answer, Attempt
from app.quizzes.operations import save_answer, start_attempt, submit_attempt
from app.quizzes.queries import find_open_attempt

REMEMBER = """
update enrollment set last_lesson_key = %(lesson)s, last_step_key = %(step)s, last_seen_at = %(now)s
where tenant_id = %(tenant)s and id = %(enrollment)s
"""


class CourseIsClosed(Refusal):
    """The course was never published, or takes no new learners any more."""


class TryIsOver(Refusal):
    """The attempt was submitted, here or in another window."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """What doing a step led to: everything False where it was done before."""

    is_new: bool = False
    lesson_done: bool = False
    course_done: bool = False


# -- beginning -----------------------------------------------------------------------------------------------------


def enroll(course: Course, *, actor: Actor) -> Enrollment:
    """Begin a course at its first step, pinned to its newest publication. Whoever is enrolled keeps what they have."""
    outline = find_outline(course.publication_id) if course.publication_id and course.is_in_catalog else None
    if outline is None:
        raise CourseIsClosed(_("This course takes no new learners now."))
    first = outline.places[0]
    new = (
        insert(Enrollment)
        .values(
            tenant_id=tenancy.required().id, membership_id=actor.membership_id, course_id=course.id,
            publication_id=outline.publication_id, last_lesson_key=first.lesson_key, last_step_key=first.key,
            enrolled_at=clock.now(), last_seen_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "membership_id", "course_id"])
        .returning(Enrollment)
    )  # fmt: skip
    enrollment = session.scalars(new).first()
    if enrollment is None:
        return enrollment_of(actor.membership_id, course.id)
    pinned = {"course_id": course.id, "publication_id": outline.publication_id}
    audit("enrollment.created", actor=actor, subject=enrollment, after=pinned)
    announce(LearnerEnrolled(enrollment.id, enrollment.membership_id, course.id))
    return enrollment


# -- going through -------------------------------------------------------------------------------------------------


def move_on(taking: Taking, place: StepPlace, *, actor: Actor) -> StepDone:
    """Leave a step for the next. A step that ends by reading is done now; a quiz is done by passing it, and never in the way."""
    done = complete_step(taking.enrollment_id, place, actor=actor) if _ends_by_reading(place) else StepDone()
    following = place_after(taking.outline, place)
    if following:
        remember_place(taking.enrollment_id, following)
    return done


def complete_step(enrollment_id: int, place: StepPlace, *, actor: Actor) -> StepDone:
    """Mark a step of the enrollment's publication as done; one that is done stays as it is.

    The enrollment's row is locked first, so that two last steps done at once see each other.
    """
    enrollment = session.get_one(Enrollment, enrollment_id, with_for_update={"key_share": True}, populate_existing=True)
    if not _mark_step(enrollment, place):
        return StepDone()
    enrollment.steps_done += 1
    lesson_done = _end_lesson(enrollment, place)
    return StepDone(True, lesson_done, _end_course(enrollment, actor=actor))


def remember_place(enrollment_id: int, place: StepPlace) -> None:
    """Where "continue" leads from now on: one UPDATE. The caller knows that the place changed."""
    values = {
        "tenant": tenancy.required().id, "enrollment": enrollment_id, "lesson": place.lesson_key, "step": place.key,
        "now": clock.now(),
    }  # fmt: skip
    rows(REMEMBER, values)


# -- quizzes on the way --------------------------------------------------------------------------------------------


def start_quiz(taking: Taking, place: StepPlace, quiz: dict[str, Any], *, actor: Actor) -> Attempt:
    """Begin a try at the quiz of this step, or go on with the open one. `quiz` is its public content."""
    return start_attempt(
        membership_id=_member(actor), publication_id=taking.publication_id, lesson_key=place.lesson_key,
        step_key=place.key, quiz=quiz, actor=actor,
    )  # fmt: skip


def answer_question(
    taking: Taking, place: StepPlace, attempt_id: int, question_key: str, chosen: list[str], *, actor: Actor
) -> tuple[Attempt, Answer]:
    """Save what was chosen, if the attempt that the page was made for is still the open one. Returns both."""
    attempt = _open_attempt(taking, place, actor)
    if attempt.id != attempt_id:
        raise TryIsOver(_("You have submitted that try; its answers stay as they were."))
    return attempt, save_answer(attempt, question_key, chosen, actor=actor)


def submit_quiz(taking: Taking, place: StepPlace, quiz: dict[str, Any], *, actor: Actor) -> StepDone:
    """Hand the open attempt in. The step is done if it passed."""
    attempt = _open_attempt(taking, place, actor)
    key = answer_key(attempt.publication_id, attempt.lesson_key, attempt.step_key)
    attempt = submit_attempt(attempt, quiz, key, actor=actor)
    return complete_step(taking.enrollment_id, place, actor=actor) if attempt.passed else StepDone()


def _open_attempt(taking: Taking, place: StepPlace, actor: Actor) -> Attempt:
    attempt = find_open_attempt(_member(actor), taking.publication_id, place.key)
    if attempt is None:
        raise TryIsOver(_("You have submitted this try. Your result is on the quiz's page, where you may try again."))
    return attempt


def _member(actor: Actor) -> int:
    assert actor.membership_id is not None, "only a member takes a course"
    return actor.membership_id


# -- parts of doing a step -----------------------------------------------------------------------------------------


def _ends_by_reading(place: StepPlace) -> bool:
    return kind_of(place.kind).ends_by == "reading"


def _mark_step(enrollment: Enrollment, place: StepPlace) -> bool:
    """Write the step's row. False if it is there."""
    row = insert(StepProgress).values(
        tenant_id=enrollment.tenant_id, enrollment_id=enrollment.id, lesson_key=place.lesson_key, step_key=place.key,
        done_at=clock.now(),
    )  # fmt: skip
    unique = ["tenant_id", "enrollment_id", "step_key"]
    return (
        session.execute(row.on_conflict_do_nothing(index_elements=unique).returning(StepProgress.id)).first()
        is not None
    )


def _end_lesson(enrollment: Enrollment, place: StepPlace) -> bool:
    """Write and announce that the lesson is done, if every step of it is."""
    outline = find_outline(enrollment.publication_id)
    steps = [step.key for step in outline.places if step.lesson_key == place.lesson_key] if outline else []
    if not steps or count_steps_done(enrollment.id, steps) < len(steps):
        return False
    row = insert(LessonProgress).values(
        tenant_id=enrollment.tenant_id, enrollment_id=enrollment.id, lesson_key=place.lesson_key,
        completed_at=clock.now(),
    )  # fmt: skip
    unique = ["tenant_id", "enrollment_id", "lesson_key"]
    if session.execute(row.on_conflict_do_nothing(index_elements=unique).returning(LessonProgress.id)).first() is None:
        return False
    announce(LessonCompleted(enrollment.id, enrollment.membership_id, enrollment.course_id, place.lesson_key))
    return True


def _end_course(enrollment: Enrollment, *, actor: Actor) -> bool:
    """Write, audit and announce that the course is completed, if every step of its publication is done."""
    outline = find_outline(enrollment.publication_id)
    if enrollment.is_completed or outline is None or enrollment.steps_done < outline.step_count:
        return False
    enrollment.completed_at = clock.now()
    after = {"completed_at": enrollment.completed_at.isoformat()}
    audit("enrollment.completed", actor=actor, subject=enrollment, before={"completed_at": None}, after=after)
    announce(CourseCompleted(enrollment.id, enrollment.membership_id, enrollment.course_id))
    return True
