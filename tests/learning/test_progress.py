"""Doing steps: each once; lessons and courses end when all of theirs is done; the place is remembered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.audit.queries import list_entries_about
from app.courses.queries import StepPlace
from app.foundation import db
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.learning.models import Enrollment, LessonProgress
from app.learning.operations import complete_step, move_on, remember_place
from app.learning.queries import continue_where_left, course_progress_for, progress_by_course
from tests.cast import LEO, LOU, MAX, actor, at_school, member
from tests.learning.lessons import begin, taking_of, weather


def places(course_id: int) -> tuple[StepPlace, ...]:
    return taking_of(course_id).outline.places


def events(name: str) -> list[dict[str, object]]:
    return [e.payload for e in session.scalars(select(OutboxEvent).where(OutboxEvent.name == name))]


def test_a_step_is_done_once(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        first = places(course_id)[0]
        assert complete_step(enrollment.id, first, actor=actor(LEO)).is_new
        assert not complete_step(enrollment.id, first, actor=actor(LEO)).is_new
        assert enrollment.steps_done == 1
        assert taking_of(course_id).done == {"clouds"}
        assert taking_of(course_id).percent == 33


def test_a_lesson_ends_with_its_last_step_in_any_order(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        clouds, quiz, _gusts = places(course_id)
        assert not complete_step(enrollment.id, quiz, actor=actor(LEO)).lesson_done
        assert events("LessonCompleted") == []
        done = complete_step(enrollment.id, clouds, actor=actor(LEO))
        assert (done.lesson_done, done.course_done) == (True, False)
        assert events("LessonCompleted") == [
            {
                "enrollment_id": enrollment.id, "membership_id": member(LEO).id, "course_id": course_id,
                "lesson_key": "sky",
            }
        ]  # fmt: skip
        assert session.scalars(select(LessonProgress.lesson_key)).all() == ["sky"]


def test_a_course_ends_with_its_last_step_on_record(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        done = [complete_step(enrollment.id, place, actor=actor(LEO)) for place in places(course_id)]
        assert [step.course_done for step in done] == [False, False, True]
        assert enrollment.completed_at
        session.flush()
        assert [e.action for e in list_entries_about("Enrollment", enrollment.id)] == [
            "enrollment.completed", "enrollment.created",
        ]  # fmt: skip
        assert len(events("CourseCompleted")) == 1
        assert events("CourseCompleted")[0]["course_id"] == course_id


def test_steps_are_not_audited_one_by_one(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        complete_step(enrollment.id, places(course_id)[0], actor=actor(LEO))
        session.flush()
        assert [e.action for e in list_entries_about("Enrollment", enrollment.id)] == ["enrollment.created"]


def test_moving_on_does_a_reading_and_only_passes_a_quiz_by(course_id: int) -> None:
    """A quiz left with Next is not done, and never in the way."""
    with at_school("skyline"):
        begin(course_id)
        clouds, quiz, gusts = places(course_id)
        assert move_on(taking_of(course_id), clouds, actor=actor(LEO)).is_new
        assert not move_on(taking_of(course_id), quiz, actor=actor(LEO)).is_new
        taking = taking_of(course_id)
        assert taking.done == {"clouds"}
        assert taking.here == gusts


def test_continue_leads_to_the_exact_step(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        clouds, quiz, gusts = places(course_id)
        complete_step(enrollment.id, clouds, actor=actor(LEO))
        for place in (gusts, quiz):
            remember_place(enrollment.id, place)
        session.flush()
        card = continue_where_left(member(LEO).id)
        assert card
        assert (card.course_id, card.lesson_key, card.step_key) == (course_id, "sky", "quiz-clouds")
        assert (card.course_title, card.lesson_title, card.step_title) == (
            "Clouds for All",
            "The Sky",
            "Check yourself",
        )
        assert (card.lesson_number, card.lesson_count, card.step_number, card.steps_in_lesson) == (1, 2, 2, 2)
        assert card.percent == 33


def test_continue_means_the_course_seen_last_that_is_not_completed(course_id: int) -> None:
    with at_school("skyline"):
        older, newer = begin(weather()), begin(course_id)
        remember_place(newer.id, places(course_id)[0])
        card = continue_where_left(member(LEO).id)
        assert card
        assert card.course_id == course_id
        for place in places(course_id):
            complete_step(newer.id, place, actor=actor(LEO))
        session.flush()
        card = continue_where_left(member(LEO).id)
        assert card
        assert card.course_id == older.course_id
        assert continue_where_left(member(MAX).id) is None


def test_progress_lists_a_person_s_own_courses(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        begin(weather(), MAX)
        complete_step(enrollment.id, places(course_id)[0], actor=actor(LEO))
        session.flush()
        mine = course_progress_for(member(LEO).id)
        assert [(p.course_id, p.title, p.percent, p.completed_at) for p in mine] == [
            (course_id, "Clouds for All", 33, None)
        ]
        assert progress_by_course(member(LEO).id, [course_id, weather()]).keys() == {course_id}
        assert progress_by_course(member(LEO).id, []) == {}


def test_another_school_sees_none_of_it(course_id: int) -> None:
    with at_school("skyline"):
        leo = member(LEO).id
        begin(course_id)
    with at_school("harbour"):
        assert course_progress_for(leo) == []
        assert continue_where_left(leo) is None
        assert continue_where_left(member(LOU).id) is None


@pytest.mark.parametrize("rivals", [6])
def test_last_steps_done_at_once_end_the_course_once(committing_app: Flask, rivals: int) -> None:
    """Without the lock on the enrollment each would find the other's step missing, and the course would never end."""
    course_id = weather()
    with at_school("skyline"), db.unit_of_work():
        enrollment_id = begin(course_id).id
        steps = places(course_id)
        for place in steps[:-rivals]:
            complete_step(enrollment_id, place, actor=actor(LEO))
    gate = Barrier(rivals)

    def finish(place: StepPlace) -> bool:
        with at_school("skyline"), db.unit_of_work():
            person = actor(LEO)
            gate.wait(timeout=10)
            return complete_step(enrollment_id, place, actor=person).course_done

    with ThreadPoolExecutor(rivals) as threads:
        ended = list(threads.map(finish, steps[-rivals:]))
    assert sum(ended) == 1
    with at_school("skyline"), db.unit_of_work():
        enrollment = session.get_one(Enrollment, enrollment_id)
        assert enrollment.completed_at
        assert enrollment.steps_done == len(steps)
        completions = select(func.count()).where(AuditEntry.action == "enrollment.completed")
        assert session.scalar(completions) == 1
        assert len(events("CourseCompleted")) == 1
