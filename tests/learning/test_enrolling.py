"""Beginning a course: once, pinned to the version of that day, on record."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit.queries import list_entries_about
from app.courses.models import Course, Publication
from app.courses.operations import import_course
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.learning.models import Enrollment
from app.learning.operations import CourseIsClosed, complete_step, enroll
from tests.cast import ADA, LEO, MAX, actor, at_school, member
from tests.client import LintingClient
from tests.courses.folders import a_course, write_folder
from tests.learning.lessons import begin, make_course, start, taking_of


def test_beginning_pins_the_newest_version_and_stands_on_the_first_step(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        assert enrollment.publication_id == session.get_one(Course, course_id).publication_id
        assert (enrollment.last_lesson_key, enrollment.last_step_key) == ("sky", "clouds")
        assert enrollment.steps_done == 0


def test_beginning_is_audited_and_announced(course_id: int) -> None:
    with at_school("skyline"):
        enrollment = begin(course_id)
        entry = list_entries_about("Enrollment", enrollment.id)[0]
        assert (entry.action, entry.actor_id) == ("enrollment.created", member(LEO).id)
        assert entry.after == {"course_id": course_id, "publication_id": enrollment.publication_id}
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.name == "LearnerEnrolled")).one()
        assert event.payload == {
            "enrollment_id": enrollment.id, "membership_id": member(LEO).id, "course_id": course_id
        }  # fmt: skip


def test_beginning_again_keeps_what_there_is(course_id: int) -> None:
    with at_school("skyline"):
        first = begin(course_id)
        assert begin(course_id).id == first.id
        assert len(list_entries_about("Enrollment", first.id)) == 1
        assert begin(course_id, MAX).id != first.id


@pytest.mark.parametrize("state", ["draft", "archived"])
def test_a_closed_course_takes_nobody(course_id: int, tmp_path: Path, state: str) -> None:
    with at_school("skyline"):
        course = session.get_one(Course, course_id)
        if state == "draft":
            course = import_course(write_folder(tmp_path / "draft", a_course(slug="draft")), actor=actor(ADA))
        else:
            course.archived_at = clock.now()
        with pytest.raises(CourseIsClosed, match="no new learners"):
            enroll(course, actor=actor(LEO))


def test_a_double_click_makes_one_enrollment(leo: LintingClient, course_id: int) -> None:
    """The same form sent twice leads to the same step both times, and is one enrollment, one entry and one event."""
    form = leo.get(f"/skyline/courses/{course_id}").form("Start course")
    answers = [form.submit(follow=False) for _click in range(2)]
    assert [answer.status for answer in answers] == [303, 303]
    assert {answer.location for answer in answers} == {f"/skyline/courses/{course_id}/lessons/sky/steps/clouds"}
    with at_school("skyline"):
        assert session.scalar(select(func.count()).select_from(Enrollment)) == 1
        assert session.scalar(select(func.count()).where(OutboxEvent.name == "LearnerEnrolled")) == 1


def test_two_windows_make_one_enrollment(leo: LintingClient, course_id: int) -> None:
    """Two forms with keys of their own: the second finds what the first made."""
    forms = [leo.get(f"/skyline/courses/{course_id}").form("Start course") for _window in range(2)]
    assert [form.submit().h1 for form in forms] == ["Clouds", "Clouds"]
    with at_school("skyline"):
        assert session.scalar(select(func.count()).select_from(Enrollment)) == 1


def test_a_course_that_closed_meanwhile_says_so_on_its_page(leo: LintingClient, course_id: int) -> None:
    form = leo.get(f"/skyline/courses/{course_id}").form("Start course")
    with at_school("skyline"):
        session.get_one(Course, course_id).archived_at = clock.now()
        session.commit()
    answer = form.submit()
    assert answer.status == 409
    assert "takes no new learners" in answer.words_of("errors")
    assert "Start course" not in answer.text


def test_a_new_version_moves_nobody_and_progress_never_passes_all(
    app: Flask, leo: LintingClient, tmp_path: Path, course_id: int
) -> None:
    """Counted against the newest version, three steps of five would fall to 60 %; against fewer steps they would pass 100."""
    start(leo, course_id)
    with at_school("skyline"):
        pinned = taking_of(course_id).publication_id
        for place in taking_of(course_id).outline.places:
            complete_step(taking_of(course_id).enrollment_id, place, actor=actor(LEO))
        session.commit()
    make_course(tmp_path, more_steps=2)
    with at_school("skyline"):
        taking = taking_of(course_id)
        assert session.scalar(select(func.max(Publication.version)).where(Publication.course_id == course_id)) == 2
        assert taking.publication_id == pinned
        assert taking.percent == 100
    page = leo.get(f"/skyline/courses/{course_id}")
    assert "100 %" in page.text
    assert "More 0" not in page.text
    assert leo.get(f"/skyline/courses/{course_id}/lessons/wind/steps/more-0").status == 404
    newcomer = LintingClient(app).sign_in(MAX)
    start(newcomer, course_id)
    assert "0 of 5" in newcomer.get(f"/skyline/courses/{course_id}").text
