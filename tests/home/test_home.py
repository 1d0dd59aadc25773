"""Everybody's home: what their roles need today, in at most six statements, and nothing of another school."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, update

from app.analytics.operations import count_recent_days
from app.courses.models import Course, Publication
from app.courses.queries import find_outline
from app.foundation import tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.models import Job
from app.learning.models import Enrollment, LessonProgress
from app.notifications.operations import notify
from app.scheduling.models import Booking, Resource
from app.tenants.models import Department
from app.tenants.queries import school_settings
from tests.cast import ADA, ANA, BEA, BO, HAL, IVY, LEO, LOU, MAX, OLGA, Person, at_school, member
from tests.client import LintingClient, count_statements
from tests.client import Page as HtmlPage
from tests.notifications.bookings import make_booking

NOW = datetime(2037, 11, 24, 18, 30, tzinfo=UTC)
"""Tuesday 24 November 2037, 10:30 at skyline: long after what the demo books."""
HOUR = timedelta(hours=1)
EVERYBODY = (ANA, BEA, MAX, ADA, LEO, OLGA, BO, HAL, IVY, LOU)


@pytest.fixture(autouse=True)
def _a_quiet_morning(app: Flask) -> Iterator[None]:
    """Nothing is under way; the tests' database has no bookings and nobody who has learned anything."""
    with time_machine.travel(NOW, tick=False):
        with tenancy.tenant_scope(None), unit_of_work():
            session.execute(delete(Job))
        yield


def home_of(app: Flask, person: Person) -> HtmlPage:
    page = LintingClient(app).sign_in(person).get(f"/{person.slug}/")
    assert page.status == 200
    return page


def take_course(
    person: Person, *, title: str = "Weather for Private Pilots", steps: int = 3, done: bool = False, hours_ago: int = 1
) -> Enrollment:
    """A person in a course of the school in force, with this many steps done and standing at the next."""
    publication = session.scalars(select(Publication).where(Publication.title == title)).one()
    outline = find_outline(publication.id)
    assert outline
    place = outline.places[min(steps, outline.step_count - 1)]
    taken = Enrollment(
        membership_id=member(person).id, course_id=publication.course_id, publication_id=publication.id,
        steps_done=outline.step_count if done else steps, last_lesson_key=place.lesson_key, last_step_key=place.key,
        last_seen_at=NOW - hours_ago * HOUR, completed_at=NOW - HOUR if done else None,
    )  # fmt: skip
    session.add(taken)
    session.flush()
    session.add(
        LessonProgress(enrollment_id=taken.id, lesson_key=outline.places[0].lesson_key, completed_at=NOW - HOUR)
    )
    session.flush()
    return taken


def a_day_of_work(app: Flask, slug: str = "skyline") -> None:
    """A school with something in every section of every home."""
    learner, teacher = (LEO, BEA) if slug == "skyline" else (LOU, IVY)
    with app.app_context(), at_school(slug), unit_of_work():
        make_booking(learner=learner, instructor=teacher, starts_at=NOW - 2 * HOUR, minutes=60, status="assigned")
        make_booking(learner=learner, instructor=teacher, starts_at=NOW + 2 * HOUR, minutes=60, status="assigned")
        make_booking(learner=learner, instructor=teacher, starts_at=NOW + 48 * HOUR, status="approved")
        waiting = make_booking(learner=learner, instructor=teacher, starts_at=NOW + 72 * HOUR, escalations=1)
        take_course(learner)
        for admin in (ANA, OLGA) if slug == "skyline" else (HAL,):
            facts = {
                "learner_id": waiting.learner_id, "starts_at": waiting.starts_at.isoformat(),
                "ends_at": waiting.ends_at.isoformat(), "waits_for": "approval",
            }  # fmt: skip
            notify(member(admin).id, "booking.escalated", cause="e:1", subject_id=waiting.id, facts=facts)
        count_recent_days()


# -- every home ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", [False, True], ids=["empty", "busy"])
@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.email)
def test_everybody_has_a_home_of_six_statements_at_most(app: Flask, person: Person, busy: bool) -> None:
    if busy:
        a_day_of_work(app, "skyline")
        a_day_of_work(app, "harbour")
    client = LintingClient(app).sign_in(person)
    client.get(f"/{person.slug}/")
    with count_statements() as statements:
        page = client.get(f"/{person.slug}/")
    assert page.status == 200
    assert page.h1 == "Today"
    assert len(statements) <= 6
    assert 3 <= page.html.count('<a class="stat') <= 5


def test_the_statements_do_not_grow_with_the_bookings(app: Flask) -> None:
    client = LintingClient(app).sign_in(OLGA)
    client.get("/skyline/")
    with count_statements() as empty:
        client.get("/skyline/")
    with at_school("skyline"), unit_of_work():
        for number in range(60):
            make_booking(instructor=None, starts_at=NOW + number * 3 * HOUR, minutes=60)
    with count_statements() as full:
        client.get("/skyline/")
    assert len(full) == len(empty) <= 6


def test_a_home_shows_nothing_of_another_school(app: Flask) -> None:
    a_day_of_work(app, "skyline")
    for person in (HAL, IVY, LOU):
        page = home_of(app, person)
        assert "Leo Hart" not in page.text
        assert "Bea Lindgren" not in page.text
        assert "Weather for Private Pilots" not in page.text
    assert "0 requests to approve" in home_of(app, HAL).text
    assert "0 approved, not assigned yet" in home_of(app, HAL).text


def test_another_school_a_stranger_and_a_post(app: Flask) -> None:
    assert LintingClient(app).sign_in(LOU).get("/skyline/").status == 404
    assert LintingClient(app).get("/skyline/").status == 303
    assert LintingClient(app).get("/nowhere/").status == 404
    assert LintingClient(app).sign_in(LEO).post("/skyline/").status == 405


def test_htmx_gets_the_main_part_only(app: Flask) -> None:
    page = LintingClient(app).sign_in(LEO).partial("/skyline/")
    assert not page.is_whole
    assert page.title.startswith("Today")


# -- learner -------------------------------------------------------------------------------------------------------


def test_a_new_learner_is_told_how_to_begin(app: Flask) -> None:
    page = home_of(app, LEO)
    assert "Begin your first course" in page.text
    assert "Nothing booked" in page.text
    assert page.link("Book a lesson").follow().h1


def test_continue_leads_to_the_exact_step(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        take_course(LEO, title="Airspace at a Glance", hours_ago=30)
        place = take_course(LEO, steps=4).last_step_key
    page = home_of(app, LEO)
    step = page.link("Continue").follow()
    assert step.status == 200
    assert step.path.endswith(f"/steps/{place}")
    assert "Lesson 2 of 5" in page.text


def test_a_completed_course_is_not_continued(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        take_course(LEO, done=True)
    page = home_of(app, LEO)
    assert "You have completed every course you began" in page.text
    assert "0 courses in progress" in page.text
    assert "Completed Tue 24 Nov" in page.text


def test_the_next_booking_is_the_next_that_still_takes_place(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOW - 3 * HOUR, minutes=60, status="completed")
        make_booking(starts_at=NOW + HOUR, minutes=60, status="cancelled")
        make_booking(starts_at=NOW + 5 * HOUR, minutes=60, status="assigned", aircraft="N123AB")
        make_booking(starts_at=NOW + 30 * HOUR, minutes=60)
    page = home_of(app, LEO)
    assert "Tue 24 Nov, 15:30–16:30 PST" in page.text
    assert "Dual flight, Bea Lindgren, N123AB" in page.text
    assert "2 bookings ahead" in page.text
    assert "16:30–17:30" not in page.text


# -- instructor ----------------------------------------------------------------------------------------------------


def test_an_instructor_sees_todays_lessons_and_what_waits(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOW - 2 * HOUR, minutes=60, status="assigned")
        make_booking(starts_at=NOW + 3 * HOUR, minutes=60, status="assigned", aircraft="N123AB")
        make_booking(starts_at=NOW + 24 * HOUR, minutes=60, status="assigned")
        make_booking(starts_at=NOW + 50 * HOUR, minutes=60)
        make_booking(starts_at=NOW + 3 * HOUR, minutes=60, instructor=BO, learner=MAX, status="assigned")
    page = home_of(app, BEA)
    assert "2 lessons today" in page.text
    assert "1 to complete" in page.text
    assert "1 request for you" in page.text
    assert "2 lessons in the next 7 days" in page.text
    assert "08:30–09:30 Leo Hart" in page.text
    assert "Max Abara" not in page.text
    done = page.form("/completion").submit()
    assert done.status == 200
    assert "0 to complete" in home_of(app, BEA).text


def test_today_is_the_instructors_own_day(app: Flask) -> None:
    """23:30 in Los Angeles is tomorrow in UTC, and still today at skyline."""
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOW + 13 * HOUR, minutes=30, status="assigned")
        make_booking(starts_at=NOW + 14 * HOUR, minutes=30, status="assigned")
    assert "1 lesson today" in home_of(app, BEA).text


# -- admin ---------------------------------------------------------------------------------------------------------


def test_an_admin_approves_from_home(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        booking = make_booking(starts_at=NOW + 48 * HOUR)
    page = home_of(app, ANA)
    assert "1 request to approve" in page.text
    page.form(f"/bookings/{booking.id}/approval").submit()
    with at_school("skyline"):
        assert session.scalars(select(Booking.status).where(Booking.id == booking.id)).one() == "approved"
    after = home_of(app, ANA)
    assert "0 requests to approve 1 approved, not assigned yet" in " ".join(
        after.text.replace("as of 10:30", "").split()
    )


def test_an_admin_sees_escalations_until_they_are_read_and_stuck_work_if_there_is_any(app: Flask) -> None:
    a_day_of_work(app)
    page = home_of(app, ANA)
    assert "1 unread escalation" in page.text
    assert "escalated" in page.text
    assert "stuck" not in page.text
    with at_school("skyline") as school, unit_of_work():
        session.add(Job(tenant_id=school.id, kind="x", key="x", args={}, run_at=NOW, dead_at=NOW))
    client = LintingClient(app).sign_in(ANA)
    client.post("/skyline/notifications/reading")
    page = client.get("/skyline/")
    assert "0 unread escalations" in page.text
    assert "1 piece of stuck work" in page.text
    assert "stuck" not in home_of(app, HAL).text


def test_an_admin_of_a_quiet_school_is_told_so(app: Flask) -> None:
    page = home_of(app, HAL)
    assert "Nothing waits for you" in page.text
    assert "not counted yet" in page.text


# -- manager, author, owner ----------------------------------------------------------------------------------------


def test_a_manager_sees_who_is_where_and_the_fourteen_days(app: Flask) -> None:
    a_day_of_work(app)
    page = home_of(app, MAX)
    assert "31 learners" in page.text
    assert "1 learned in the last 7 days" in page.text
    assert "1 lesson completed in 14 days" in page.text
    assert "Leo Hart" in page.text
    assert "Private pilots" in page.text
    assert "as of Tue 24 Nov, 10:30 PST" in page.text
    assert page.find(".//table[@class='bars']") is not None


def test_a_manager_reads_how_many_enrollments_there_are_and_which_are_shown(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        for number in range(1, 11):
            take_course(Person(f"learner{number:02}@skyline.example", "skyline"), hours_ago=number)
    assert "10 enrollments" in home_of(app, MAX).words_of("learners")
    assert "are shown" not in home_of(app, MAX).words_of("learners")
    with at_school("skyline"), unit_of_work():
        for number in range(11, 15):
            take_course(Person(f"learner{number:02}@skyline.example", "skyline"), hours_ago=number)
    assert "14 enrollments · the 12 active most recently are shown" in home_of(app, MAX).words_of("learners")


def test_a_department_counts_the_learners_of_those_below_it(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        top = Department(name="Everything that flies")
        session.add(top)
        session.flush()
        middle = Department(name="In between", parent_id=top.id)
        session.add(middle)
        session.flush()
        leaf = session.scalars(select(Department).where(Department.name == "Private pilots")).one()
        leaf.parent_id = middle.id
    words = home_of(app, MAX).words_of("departments")
    learners = words.split("Private pilots ")[1].split()[0]
    assert int(learners) > 0
    assert f"Everything that flies {learners}" in words
    assert f"In between {learners}" in words


def test_an_author_sees_drafts_published_and_changed_courses(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        session.add(Course(slug="night", title="Night flying", title_key="night flying", updated_at=NOW))
        changed = session.scalars(select(Course).where(Course.title == "Airspace at a Glance")).one()
        changed.updated_at = NOW
    page = home_of(app, ADA)
    assert "1 draft " in page.text
    assert "3 published courses" in page.text
    assert "1 changed since publishing" in page.text
    assert page.text.index("Night flying") < page.text.index("Weather for Private Pilots")
    assert "changed since version 1" in page.text


def test_an_owner_sees_the_sections_of_all_three_roles(app: Flask) -> None:
    a_day_of_work(app)
    page = home_of(app, OLGA)
    for section in ("days", "queue", "lessons", "waiting", "desk"):
        assert page.find(f".//*[@id='{section}']") is not None, section
    for section in ("continue", "learners"):
        assert page.find(f".//*[@id='{section}']") is None, section


def test_an_admin_sees_today_how_many_people_wait_to_be_let_in(app: Flask) -> None:
    with at_school("skyline"):
        member(LEO).status = "pending"
        session.commit()
    page = LintingClient(app).sign_in(ANA).get("/skyline/")
    assert page.link("person waits to be let in").follow().link("Leo Hart")


def test_first_steps_are_shown_to_admins_until_the_first_lesson_is_over(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        school_settings().opening_hours = {}
        session.execute(update(Resource).where(Resource.kind != "person").values(retired_at=NOW))
    steps = home_of(app, ANA).by_id("first-steps")
    assert steps is not None
    said = " ".join("".join(steps.itertext()).split())
    assert "4 of 6 done" in said
    assert (
        "Say when you are open Opening hours, closed days and your time zone. Without hours you are always open. to do"
        in said
    )
    assert "Bring in your instructors One by one, or many from a list. done" in said
    assert home_of(app, LEO).by_id("first-steps") is None
    with at_school("skyline"), unit_of_work():
        booking = make_booking(learner=LEO, instructor=BEA, starts_at=NOW - 2 * HOUR, status="assigned")
    assert home_of(app, ANA).by_id("first-steps") is not None
    with at_school("skyline"), unit_of_work():
        session.get_one(Booking, booking.id).status = "completed"
    assert home_of(app, ANA).by_id("first-steps") is None


def test_first_steps_are_gone_once_all_are_done(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        school_settings().opening_hours = {"0": [480, 1200]}
    assert home_of(app, ANA).by_id("first-steps") is None
