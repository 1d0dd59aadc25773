"""The demo's courses, whom they are for and assigned to, and what its learners have done in them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from app.courses.models import Course, Publication
from app.courses.operations import choose_audience, import_course, publish_course
from app.courses.queries import (
    Outline,
    StepPlace,
    answer_key,
    find_course_by_slug,
    find_outline,
    find_published_lesson,
    list_audience_ids,
)
from app.demo import cast
from app.demo.operations.people import actor_with, members_by_email, resources_by_email
from app.foundation import clock
from app.foundation.db import session
from app.foundation.permissions import Role
from app.learning.models import Enrollment, LessonProgress, StepProgress
from app.learning.operations import Everybody, IsAssigned, assign_course
from app.quizzes.models import Answer, Attempt
from app.quizzes.rules import most_points, shuffled_order
from app.scheduling.models import Resource
from app.tenants.queries import list_departments

CONTENT = Path(__file__).parents[3] / "content"
DAYS_OF_LEARNING = 15
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)


def seed_course(slug: str, folder: str) -> None:
    """A course of content/, imported and published by the school's author."""
    author = actor_with(slug, Role.AUTHOR)
    publish_course(import_course(CONTENT / folder, actor=author), actor=author)


def seed_learning(slug: str, place: int) -> None:
    """Learners in the school's course at that place: some begun, some done, over two weeks, the last of it an hour ago.

    The first learner, whom the README lends to everybody, has the first course still before them.
    """
    course = list(session.scalars(select(Course).order_by(Course.id)))[place]
    outline = find_outline(course.publication_id or 0)
    assert outline
    learners = [person for person in cast.SCHOOLS[slug].people if Role.LEARNER in person.roles]
    people = resources_by_email()
    published_at = session.get_one(Publication, course.publication_id).published_at
    for number, person in enumerate(learners):
        if (number + place) % 3:
            resource = people[person.email]
            part = 1 + (number * 7 + 2) % outline.step_count
            steps = outline.places[:part] if (number + place) % 5 else outline.places
            begun = clock.now() - timedelta(days=DAYS_OF_LEARNING - number % 6, hours=number % 9)
            if published_at < clock.now() - A_DAY:
                begun = max(begun, published_at + timedelta(hours=1 + number % 20))
            last = begun + (clock.now() - AN_HOUR - begun) * (0.35 + 0.65 * (number * 5 % 13) / 12)
            _write_progress(resource, outline, steps, begun, last)


def seed_audiences(slug: str) -> None:
    """Whom the courses of the cast are for. What somebody chose already stays."""
    departments = {department.name: department.id for department in list_departments()}
    for course_slug, names in cast.AUDIENCES.items():
        course, chosen = find_course_by_slug(course_slug), [departments[name] for name in names if name in departments]
        if course and chosen and not list_audience_ids(course.id):
            choose_audience(course, chosen, actor=actor_with(slug, Role.AUTHOR))


def seed_assignments(slug: str) -> None:
    """What managers ask people to complete: some of it is due soon, some overdue. What is assigned already stays so."""
    departments = {department.name: department for department in list_departments()}
    people, manager, today = members_by_email(), actor_with(slug, Role.MANAGER), clock.today(cast.SCHOOLS[slug].zone)
    for wanted in cast.WANTED[slug]:
        course, department = find_course_by_slug(wanted.course), departments.get(wanted.department or "")
        member = people.get(wanted.person or "")
        is_gone = (wanted.department and not department) or (wanted.person and not member)
        if course is None or not course.is_in_catalog or is_gone:
            continue
        due_on = today + timedelta(days=wanted.due_in) if wanted.due_in is not None else None
        with suppress(IsAssigned):
            to = department or member or Everybody()
            assign_course(course, to=to, due_on=due_on, note=wanted.note, actor=manager)


def _write_progress(
    resource: Resource, outline: Outline, steps: Sequence[StepPlace], begun: datetime, last: datetime
) -> None:
    """A person's enrollment with the steps they have done, evenly from `begun` to `last`."""
    pace = (last - begun) / len(steps)
    done = {step.key: begun + pace * (n + 1) for n, step in enumerate(steps)}
    following = outline.places[min(len(steps), outline.step_count - 1)]
    enrollment = Enrollment(
        membership_id=resource.membership_id, course_id=outline.course_id, publication_id=outline.publication_id,
        steps_done=len(steps), last_lesson_key=following.lesson_key, last_step_key=following.key, last_seen_at=last,
        enrolled_at=begun, completed_at=last if len(steps) == outline.step_count else None,
    )  # fmt: skip
    session.add(enrollment)
    session.flush()
    for step in steps:
        at = done[step.key]
        of_step = {"enrollment_id": enrollment.id, "lesson_key": step.lesson_key}
        session.add(StepProgress(**of_step, step_key=step.key, done_at=at))
        if step.number == step.steps_in_lesson:
            session.add(LessonProgress(**of_step, completed_at=at))
        if step.kind == "quiz":
            _write_attempt(resource, outline, step, at)


def _write_attempt(resource: Resource, outline: Outline, step: StepPlace, at: datetime) -> None:
    """A passed attempt at a quiz, every answer right."""
    lesson = find_published_lesson(outline.publication_id, step.lesson_key)
    found = lesson.find_step(step.key) if lesson else None
    assert found
    right = answer_key(outline.publication_id, step.lesson_key, step.key)["questions"]
    most = most_points(found.content)
    answers = [
        Answer(
            question_key=q["key"], chosen=right[q["key"]]["correct"], saved_at=at, points=q["points"], is_correct=True
        )
        for q in found.content["questions"]
    ]
    session.add(
        Attempt(
            membership_id=resource.membership_id, publication_id=outline.publication_id, lesson_key=step.lesson_key,
            step_key=step.key, number=1, question_order=shuffled_order(found.content, f"{resource.id}/{step.key}"),
            started_at=at - timedelta(minutes=6), submitted_at=at, points=most, most_points=most, passed=True,
            answers=answers,
        )
    )  # fmt: skip
