"""What people take and how far they are. What the player reads on every step goes to the driver directly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.courses.queries import Outline, StepPlace, find_outline
from app.foundation import tenancy
from app.foundation.db import rows, session
from app.foundation.prepared import Prepared
from app.learning.models import Enrollment, StepProgress
from app.learning.rules import Asked, Verdict, asked_questions, first_open, percent_of, verdict_on
from app.quizzes.models import Answer, Attempt
from app.quizzes.queries import explanations_of, find_latest_attempt

TAKEN = """e.id, e.publication_id, e.last_lesson_key, e.last_step_key, e.enrolled_at, e.completed_at,
  array(select s.step_key from step_progress s where s.tenant_id = e.tenant_id and s.enrollment_id = e.id)"""
TAKING = Prepared(
    f"""
select {TAKEN}
from enrollment e where e.tenant_id = %(tenant)s and e.membership_id = %(member)s and e.course_id = %(course)s
""",  # noqa: S608 — put together from constants
    tenant="bigint", member="bigint", course="bigint",
)  # fmt: skip
PROGRESS = """
select e.course_id, p.title, e.publication_id, e.steps_done, p.step_count, e.last_lesson_key, e.last_step_key,
  e.last_seen_at, e.completed_at
from enrollment e join publication p on p.tenant_id = e.tenant_id and p.id = e.publication_id
where e.tenant_id = %(tenant)s and e.membership_id = %(member)s
"""
PROGRESS_IN = PROGRESS + " and e.course_id = any(%(courses)s)"
PROGRESS_RECENT = PROGRESS + " order by e.last_seen_at desc, e.id desc limit %(most)s"
PROGRESS_OPEN = PROGRESS + " and e.completed_at is null order by e.last_seen_at desc, e.id desc limit 1"


@dataclass(frozen=True, slots=True)
class Taking:
    """A person in a course, as the player needs it: the outline they are pinned to and the keys of the steps they have done."""

    enrollment_id: int
    publication_id: int
    last_lesson_key: str | None
    last_step_key: str | None
    enrolled_at: datetime
    completed_at: datetime | None
    done: frozenset[str]
    outline: Outline

    @property
    def percent(self) -> int:
        """Progress in the course, 0–100."""
        return percent_of(len(self.done & self.outline.positions.keys()), self.outline.step_count)

    @property
    def here(self) -> StepPlace:
        """Where "continue" leads: exactly the step they were at last."""
        return self.find(self.last_lesson_key, self.last_step_key) or self.outline.places[0]

    def find(self, lesson_key: str | None, step_key: str | None) -> StepPlace | None:
        """The place of a step of this publication, or None."""
        position = self.outline.positions.get(step_key or "")
        place = self.outline.places[position] if position is not None else None
        return place if place and place.lesson_key == lesson_key else None

    def is_last_place(self, place: StepPlace) -> bool:
        return (place.lesson_key, place.key) == (self.last_lesson_key, self.last_step_key)

    def before(self, place: StepPlace) -> StepPlace | None:
        """The step before it in its lesson."""
        return self.outline.places[self.outline.positions[place.key] - 1] if place.number > 1 else None

    def after(self, place: StepPlace) -> StepPlace | None:
        """The step after it in its lesson."""
        following = place_after(self.outline, place)
        return following if following and following.lesson_key == place.lesson_key else None

    def lesson_percent(self, place: StepPlace) -> int:
        """Progress in the place's lesson, 0–100."""
        return percent_of(sum(step.key in self.done for step in self._lesson_of(place)), place.steps_in_lesson)

    def would_finish(self, place: StepPlace) -> bool:
        """Whether the place's lesson is done once this step is."""
        return all(step.key in self.done or step == place for step in self._lesson_of(place))

    def entry(self, lesson: dict[str, Any]) -> str:
        """The key of the step at which a lesson of the outline is entered."""
        return first_open([step["key"] for step in lesson["steps"]], self.done)

    def count_done(self, lesson: dict[str, Any]) -> int:
        """How many steps of a lesson of the outline are done."""
        return sum(step["key"] in self.done for step in lesson["steps"])

    def _lesson_of(self, place: StepPlace) -> Sequence[StepPlace]:
        first = self.outline.positions[place.key] - place.number + 1
        return self.outline.places[first : first + place.steps_in_lesson]


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """How far a person is in one course: `percent` 0–100 of the publication they are enrolled in, and where they were last."""

    course_id: int
    title: str
    publication_id: int
    steps_done: int
    step_count: int
    lesson_key: str | None
    step_key: str | None
    last_seen_at: datetime
    completed_at: datetime | None

    @property
    def percent(self) -> int:
        return percent_of(self.steps_done, self.step_count)


@dataclass(frozen=True, slots=True)
class ContinueCard:
    """ "Continue where you left": the course, lesson and step, in words and as parts of the address of learning.step_show."""

    course_id: int
    course_title: str
    lesson_key: str
    lesson_title: str
    lesson_number: int
    lesson_count: int
    step_key: str
    step_title: str
    step_number: int
    steps_in_lesson: int
    percent: int


def find_taking(membership_id: int | None, course_id: int) -> Taking | None:
    """A person in a course: one SELECT, and the outline from the cache. None if they are not enrolled."""
    values = {"tenant": tenancy.required().id, "member": membership_id, "course": course_id}
    row = TAKING.first(values)
    return taking_of(row) if row else None


def taking_of(row: tuple[Any, ...]) -> Taking:
    """The columns that TAKING names, with the outline from the cache."""
    enrollment_id, publication_id, lesson_key, step_key, enrolled_at, completed_at, done = row
    outline = find_outline(publication_id)
    assert outline, "an enrollment's publication is never deleted"
    return Taking(
        enrollment_id, publication_id, lesson_key, step_key, enrolled_at, completed_at, frozenset(done), outline
    )


def place_after(outline: Outline, place: StepPlace) -> StepPlace | None:
    """The next step of the course, in the next lesson if need be; None after the last."""
    position = outline.positions[place.key] + 1
    return outline.places[position] if position < len(outline.places) else None


def enrollment_of(membership_id: int | None, course_id: int) -> Enrollment:
    """The enrollment of a person who has one in this course; raises NoResultFound otherwise."""
    mine = select(Enrollment).where(Enrollment.membership_id == membership_id, Enrollment.course_id == course_id)
    return session.scalars(mine).one()


def count_steps_done(enrollment_id: int, step_keys: Collection[str]) -> int:
    """How many of these steps are done."""
    done = select(func.count()).where(StepProgress.enrollment_id == enrollment_id, StepProgress.step_key.in_(step_keys))
    return session.execute(done).scalar_one()


def progress_by_course(membership_id: int | None, course_ids: Sequence[int]) -> dict[int, CourseProgress]:
    """How far a person is in each of these courses, by course id; those not begun are left out. One SELECT."""
    rows = _progress(PROGRESS_IN, membership_id, courses=list(course_ids)) if course_ids else []
    return {progress.course_id: progress for progress in rows}


def course_progress_for(membership_id: int, *, limit: int = 20) -> list[CourseProgress]:
    """The courses a person takes or has completed, the one seen last first. One SELECT."""
    return _progress(PROGRESS_RECENT, membership_id, most=limit)


def continue_where_left(membership_id: int) -> ContinueCard | None:
    """The exact step at which a person left the course they were in last and have not completed. One SELECT and the cache."""
    latest = next(iter(_progress(PROGRESS_OPEN, membership_id)), None)
    outline = find_outline(latest.publication_id) if latest else None
    if latest is None or outline is None:
        return None
    place = outline.places[outline.positions.get(latest.step_key or "", 0)]
    return ContinueCard(
        latest.course_id, latest.title, place.lesson_key, place.lesson_title, place.lesson_number, outline.lesson_count,
        place.key, place.title, place.number, place.steps_in_lesson, latest.percent,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuizState:
    """Where a person stands with a quiz: the latest attempt, or None, and its questions as they are put."""

    attempt: Attempt | None
    questions: list[Asked]
    answers: dict[str, Answer]

    @property
    def first_unanswered(self) -> Asked | None:
        return next((asked for asked in self.questions if not asked.is_answered), None)

    @property
    def count_answered(self) -> int:
        return sum(asked.is_answered for asked in self.questions)

    def find(self, question_key: str) -> Asked | None:
        return next((asked for asked in self.questions if asked.key == question_key), None)

    def saved_at(self, question_key: str) -> datetime | None:
        """When the answer to a question was saved; None while nothing is chosen."""
        answer = self.answers.get(question_key)
        return answer.saved_at if answer and answer.chosen else None


def quiz_state(membership_id: int, publication_id: int, step_key: str, quiz: dict[str, Any]) -> QuizState:
    """Where a person stands with a published quiz; `quiz` is its public content. One SELECT."""
    attempt = find_latest_attempt(membership_id, publication_id, step_key)
    if attempt is None:
        return QuizState(None, [], {})
    answers = {answer.question_key: answer for answer in attempt.answers}
    chosen = {key: answer.chosen for key, answer in answers.items()}
    return QuizState(attempt, asked_questions(quiz, attempt.question_order, chosen), answers)


def verdicts_on(state: QuizState) -> list[Verdict]:
    """Each question of a submitted attempt with what was right and why; raises NotSubmitted for an open one."""
    assert state.attempt
    explained = explanations_of(state.attempt)
    return [_verdict(asked, state.answers.get(asked.key), explained[asked.key]) for asked in state.questions]


def _verdict(asked: Asked, answer: Answer | None, explained: dict[str, Any]) -> Verdict:
    if answer is None:
        return verdict_on(asked, explained, is_correct=False, earned=0)
    return verdict_on(asked, explained, is_correct=bool(answer.is_correct), earned=answer.points or 0)


def _progress(sql: str, membership_id: int | None, **values: Any) -> list[CourseProgress]:
    parameters = {"tenant": tenancy.required().id, "member": membership_id, **values}
    return [CourseProgress(*row) for row in rows(sql, parameters)]
