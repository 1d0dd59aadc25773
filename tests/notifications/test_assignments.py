"""Whom a course is assigned to hears of it: at once, of another day, before the last day and after it, until it is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.courses.queries import find_course_by_slug
from app.foundation import jobs
from app.foundation.db import session, unit_of_work
from app.foundation.events import announce
from app.foundation.models import Job
from app.identity.events import MemberApproved, ProfileChanged
from app.identity.models import Membership
from app.identity.operations.profile import change_profile
from app.learning.events import AssignmentDue, AssignmentMoved, AssignmentRemoved, CourseAssigned
from app.learning.models import Assignment
from app.learning.operations import Everybody, assign_course, change_assignment, remove_assignment
from app.notifications import reactions
from app.notifications.models import Notification
from app.notifications.operations import News, notify, notify_all
from app.tenants.models import Department
from app.tenants.operations import change_department
from jobs import learning as _learning_jobs  # noqa: F401
from jobs import notifications as _jobs  # noqa: F401
from tests.cast import ANA, LEO, MAX, MIA, Person, actor, at_school, member
from tests.client import LintingClient, count_statements
from tests.learning.departments import CABIN, TOP, grow_tree
from tests.learning.test_assigning import complete
from tests.notifications.test_telling import SNAPSHOTS, mail_to, mails, told

NOW = datetime(2037, 11, 24, 18, 30, tzinfo=UTC)
"""Tuesday 24 November 2037, 10:30 at Skyline."""
DUE = date(2037, 12, 3)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock_at(app: Flask) -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


def assign(to: Person | str | None, *, due_on: date | None = DUE, note: str = "") -> int:
    """Max assigns the course about weather. Returns the assignment's id."""
    with at_school("skyline"), unit_of_work():
        course = find_course_by_slug("weather-for-pilots")
        assert course
        named = select(Department).where(Department.name == to) if isinstance(to, str) else None
        whom = session.scalars(named).one() if named is not None else member(to) if to else Everybody()
        return assign_course(course, to=whom, due_on=due_on, note=note, actor=actor(MAX)).id


def work_off(app: Flask) -> None:
    """What the worker does with what is due: it begins with no school in force, and runs twice."""
    with at_school("skyline") as school:
        pass
    with app.app_context():
        for _run in range(2):
            jobs.drain_tenant(school.id)


def count_told(kind: str) -> int:
    with at_school("skyline"):
        return len(told(kind))


def id_of(person: Person) -> int:
    with at_school("skyline"):
        return member(person).id


def weather_id() -> int:
    with at_school("skyline"):
        course = find_course_by_slug("weather-for-pilots")
        assert course
        return course.id


def test_everybody_in_the_department_and_below_it_is_told_once(app: Flask, mailbox: Path) -> None:
    grow_tree()
    one = assign(TOP)
    work_off(app)
    assert count_told("course.assigned") == 24
    assert len(mails(mailbox)) == 24
    assert LEO.email in mails(mailbox)
    assert CABIN.email not in mails(mailbox)
    with at_school("skyline"), unit_of_work():
        announce(CourseAssigned(one, None))
    work_off(app)
    assert count_told("course.assigned") == 24


def test_whoever_assigned_it_and_whoever_has_completed_it_are_not_told(app: Flask, mailbox: Path) -> None:
    with at_school("skyline"), unit_of_work():
        complete(weather_id(), LEO)
        everybody = session.scalar(select(func.count()).where(Membership.status == "active")) or 0
    assign(None)
    work_off(app)
    with at_school("skyline"):
        assert len(told("course.assigned")) == everybody - 2
        assert not {member(MAX).id, member(LEO).id} & set(told("course.assigned"))


def test_nobody_is_told_of_what_was_taken_back_meanwhile(app: Flask, mailbox: Path) -> None:
    one = assign(LEO)
    with at_school("skyline"), unit_of_work():
        remove_assignment(session.get_one(Assignment, one), actor=actor(MAX))
    work_off(app)
    assert mails(mailbox) == []


def test_another_day_is_told_and_only_the_last_of_several(app: Flask, mailbox: Path) -> None:
    one = assign(LEO)
    work_off(app)
    with at_school("skyline"), unit_of_work():
        for days in (1, 2):
            move(one, DUE + days * DAY)
    work_off(app)
    assert moved_to() == ["2037-12-05"]


def test_another_day_is_told_also_where_the_note_is_changed_right_after(app: Flask, mailbox: Path) -> None:
    one = assign(LEO)
    work_off(app)
    with at_school("skyline"), unit_of_work():
        move(one, DUE + DAY)
        move(one, DUE + DAY, note="Sorry")
    work_off(app)
    assert moved_to() == ["2037-12-04"]


def test_each_of_several_moves_is_told_also_back_to_a_day_that_was_told_before(app: Flask, mailbox: Path) -> None:
    one, days = assign(LEO), (DUE + DAY, DUE, None, DUE + DAY, None)
    work_off(app)
    for day in days:
        with at_school("skyline"), unit_of_work():
            move(one, day)
        work_off(app)
        assert moved_to() == [day.isoformat() if day else ""], "what was told before, and nobody has read, is gone"
    assert len(mails(mailbox)) == 1 + len(days)


def move(assignment_id: int, due_on: date | None, note: str = "") -> None:
    assignment = session.get_one(Assignment, assignment_id)
    version = str(assignment.version)
    change_assignment(assignment, due_on=due_on, note=note, version=version, actor=actor(MAX))


def moved_to() -> list[str]:
    """The days that were told, in order."""
    with at_school("skyline"):
        told_of = select(Notification.facts).where(Notification.kind == "course.moved").order_by(Notification.id)
        return [facts["due_on"] for facts in session.scalars(told_of)]


def test_what_nobody_has_read_is_taken_back_with_the_assignment(app: Flask, mailbox: Path) -> None:
    grow_tree()
    one = assign(TOP)
    with at_school("skyline") as school:
        pass
    with app.app_context():
        jobs.relay_events(school.id)
        for job in jobs.claim_jobs(school.id):
            jobs.run_claimed(school, job)
    assert count_told("course.assigned") == 24
    with at_school("skyline"), unit_of_work():
        read = session.scalars(select(Notification).where(Notification.membership_id == member(LEO).id)).one()
        read.read_at = NOW
        remove_assignment(session.get_one(Assignment, one), actor=actor(MAX))
        announce(AssignmentRemoved(one))
    with app.app_context():
        jobs.relay_events(school.id)
        reaction = next(j for j in jobs.claim_jobs(school.id, batch=100) if j.kind == jobs.REACTION)
        jobs.run_claimed(school, reaction)
    work_off(app)
    assert count_told("course.assigned") == 1
    assert set(mails(mailbox)) <= {LEO.email}


def test_a_reaction_that_runs_again_tells_nothing_twice(app: Flask, mailbox: Path) -> None:
    """A worker died after a mail went out, or two moves were close to each other."""
    one = assign(LEO)
    with at_school("skyline"), unit_of_work():
        move(one, DUE + DAY)
    for _run in range(2):
        with app.app_context(), at_school("skyline"), unit_of_work():
            reactions.on_course_assigned(CourseAssigned(one, None))
            reactions.on_assignment_moved(AssignmentMoved(one, None))
        work_off(app)
    assert (count_told("course.assigned"), moved_to()) == (1, ["2037-12-04"])
    assert len(mails(mailbox)) == 2


def test_a_reminder_of_a_day_that_was_is_taken_back(
    app: Flask, mailbox: Path, clock_at: time_machine.Coordinates
) -> None:
    one = assign(LEO)
    clock_at.move_to(datetime(2037, 11, 30, 17, tzinfo=UTC))
    work_off(app)
    assert count_told("course.due") == 1
    with at_school("skyline"), unit_of_work():
        move(one, DUE + 9 * DAY)
    work_off(app)
    assert count_told("course.due") == 0


def test_a_reminder_stays_as_long_as_the_course_is_theirs_by_that_day(
    app: Flask, mailbox: Path, clock_at: time_machine.Coordinates
) -> None:
    """It was told once for two assignments of the same day; one of them is taken back."""
    first, _second = assign("Private pilots"), assign(None)
    clock_at.move_to(datetime(2037, 11, 30, 17, tzinfo=UTC))
    work_off(app)
    with at_school("skyline"), unit_of_work():
        assert told("course.due").count(member(LEO).id) == 1
        remove_assignment(session.get_one(Assignment, first), actor=actor(MAX))
    work_off(app)
    with at_school("skyline"):
        assert told("course.due").count(member(LEO).id) == 1


def test_a_change_of_a_phone_number_looks_for_nothing(app: Flask, mailbox: Path) -> None:
    with at_school("skyline"), unit_of_work():
        leo = member(LEO).id
    with app.app_context(), at_school("skyline"), count_statements() as statements:
        reactions.on_profile_changed(ProfileChanged(leo, "name,phone"))
        reactions.on_profile_changed(ProfileChanged(leo))
    assert statements == []


def test_two_assignments_of_a_course_by_the_same_day_are_reminded_of_once(
    app: Flask, mailbox: Path, clock_at: time_machine.Coordinates
) -> None:
    grow_tree()
    for to in (TOP, "Private pilots", LEO):
        assign(to)
    clock_at.move_to(datetime(2037, 11, 30, 17, tzinfo=UTC))
    work_off(app)
    with at_school("skyline"):
        assert told("course.due").count(member(LEO).id) == 1
        assert len(told("course.due")) == 24


def test_who_comes_or_moves_is_told_what_is_assigned_there(app: Flask, mailbox: Path) -> None:
    ids = grow_tree()
    assign(TOP)
    late = assign("Cabin crew", due_on=DUE)
    work_off(app)
    with at_school("skyline"), unit_of_work():
        session.get_one(Assignment, late).due_on = date(2037, 11, 1)
        change_profile(member(CABIN), {"department_id": ids["Instrument"]}, actor=actor(ANA))
        change_profile(member(LEO), {"department_id": ids["Cabin crew"]}, actor=actor(ANA))
        newcomer = member(MIA)
        newcomer.department_id = ids["Commercial"]
        announce(MemberApproved(newcomer.id))
    work_off(app)
    with at_school("skyline"):
        assert told("course.assigned").count(member(CABIN).id) == 1, "of Flight training; not of Cabin crew any more"
        assert told("course.assigned").count(member(LEO).id) == 0, "what is over in Cabin crew is not news"
        assert told("course.assigned").count(member(MIA).id) == 1


def test_what_somebody_has_read_stays_when_they_move(app: Flask, mailbox: Path) -> None:
    ids = grow_tree()
    assign(TOP)
    assign(LEO, due_on=None)
    work_off(app)
    with at_school("skyline"), unit_of_work():
        notices = select(Notification).where(Notification.membership_id == member(LEO).id).order_by(Notification.id)
        session.scalars(notices).all()[0].read_at = NOW
        change_profile(member(LEO), {"department_id": ids["Cabin crew"]}, actor=actor(ANA))
    work_off(app)
    with at_school("skyline"):
        assert told("course.assigned").count(member(LEO).id) == 2, "one is read, and one is Leo's wherever they are"


def test_people_of_a_department_that_is_moved_are_told_what_is_assigned_there(app: Flask, mailbox: Path) -> None:
    ids = grow_tree()
    assign("Cabin crew")
    assign(TOP, due_on=None)
    work_off(app)
    with at_school("skyline"), unit_of_work():
        instrument, cabin = (session.get_one(Department, ids[name]) for name in ("Instrument", "Cabin crew"))
        change_department(instrument, name=instrument.name, parent=cabin, actor=actor(ANA))
        before = len(told("course.assigned"))
        assert told("course.assigned").count(member(MIA).id) == 1
    work_off(app)
    with at_school("skyline"):
        assert len(told("course.assigned")) == before, "eight were told of Cabin crew's, and eight notices are gone"
        facts = session.scalars(select(Notification.facts).where(Notification.membership_id == member(MIA).id)).one()
        assert facts["due_on"] == DUE.isoformat()


@pytest.mark.parametrize("is_completed", [False, True])
def test_reminders_come_before_the_last_day_and_after_it_until_it_is_completed(
    app: Flask, mailbox: Path, clock_at: time_machine.Coordinates, is_completed: bool
) -> None:
    assign(LEO)
    work_off(app)
    for at, kind in (
        (datetime(2037, 11, 30, 15, 59, tzinfo=UTC), ""),
        (datetime(2037, 11, 30, 16, 0, tzinfo=UTC), "course.due"),
        (datetime(2037, 12, 4, 15, 59, tzinfo=UTC), ""),
        (datetime(2037, 12, 4, 16, 0, tzinfo=UTC), "course.overdue"),
    ):
        if is_completed and kind == "course.overdue":
            with at_school("skyline"), unit_of_work():
                complete(weather_id(), LEO)
        before = len(mails(mailbox))
        clock_at.move_to(at)
        work_off(app)
        is_told = bool(kind) and not (is_completed and kind == "course.overdue")
        assert len(mails(mailbox)) - before == is_told, at
        if is_told:
            assert count_told(kind) == 1


def test_whoever_joins_the_department_before_the_last_day_is_reminded(
    app: Flask, mailbox: Path, clock_at: time_machine.Coordinates
) -> None:
    ids = grow_tree()
    assign(TOP)
    work_off(app)
    assert CABIN.email not in mails(mailbox)
    with at_school("skyline"), unit_of_work():
        member(CABIN).department_id = ids["Commercial"]
    clock_at.move_to(datetime(2037, 11, 30, 17, tzinfo=UTC))
    work_off(app)
    assert CABIN.email in mails(mailbox)


def test_a_worker_that_slept_past_the_last_day_tells_it_is_over_and_once(
    app: Flask, mailbox: Path, clock_at: time_machine.Coordinates
) -> None:
    assign(LEO)
    work_off(app)
    clock_at.move_to(datetime(2037, 12, 20, 17, tzinfo=UTC))
    work_off(app)
    assert (count_told("course.due"), count_told("course.overdue")) == (0, 1)


def test_no_reminder_is_stuck(app: Flask, mailbox: Path, clock_at: time_machine.Coordinates) -> None:
    one = assign(LEO)
    with at_school("skyline"), unit_of_work():
        remove_assignment(session.get_one(Assignment, one), actor=actor(MAX))
        announce(AssignmentDue(one, "2037-12-03", 0))
    clock_at.move_to(datetime(2037, 12, 20, 17, tzinfo=UTC))
    work_off(app)
    with at_school("skyline"):
        assert session.scalars(select(Job.kind).where(Job.dead_at.is_not(None))).all() == []
        assert session.scalars(select(Job.kind).where(Job.done_at.is_(None))).all() == []


@pytest.mark.parametrize(
    ("name", "kind", "facts"),
    [
        ("course_assigned", "course.assigned", {"due_on": "2037-12-03", "note": "Before you\n fly"}),
        ("course_assigned_no_day", "course.assigned", {"due_on": "", "note": ""}),
        ("course_moved", "course.moved", {"due_on": "2037-12-05", "note": ""}),
        ("course_moved_no_day", "course.moved", {"due_on": "", "note": ""}),
        ("course_due", "course.due", {"due_on": "2037-12-03", "note": ""}),
        ("course_overdue", "course.overdue", {"due_on": "2037-12-03", "note": ""}),
    ],
)
def test_the_mail_reads_as_agreed(app: Flask, mailbox: Path, name: str, kind: str, facts: dict[str, str]) -> None:
    course_id, leo, by_id = weather_id(), id_of(LEO), id_of(MAX)
    with app.app_context(), at_school("skyline") as school:
        with unit_of_work():
            more = {"course": "Weather for Private Pilots", "by_id": by_id, "assignment_id": 1}
            notify(leo, kind, cause="x", subject_id=course_id, facts={**facts, **more})
        jobs.drain_tenant(school.id)
    said = mail_to(LEO, mailbox).replace(f"/courses/{course_id}", "/courses/1")
    assert said.rstrip() == (SNAPSHOTS / f"{name}.txt").read_text().rstrip()


def test_many_are_told_in_two_statements(app: Flask, mailbox: Path) -> None:
    with app.app_context(), at_school("skyline"), unit_of_work():
        everybody = session.scalars(select(Membership.id).order_by(Membership.id)).all()
        with count_statements() as statements:
            facts = {"course": "Weather", "due_on": "", "note": "", "by_id": None, "assignment_id": 1}
            news = [News(person, "course.assigned", "x", 1, facts) for person in everybody]
            assert notify_all(news) == len(everybody) > 30
        assert len(statements) == 2, statements
        assert notify_all(news) == 0


def test_the_trail_names_course_department_and_person(app: Flask) -> None:

    grow_tree()
    assign(TOP)
    assign(MIA)
    with at_school("skyline"):
        assert session.scalar(select(func.count()).where(AuditEntry.action == "assignment.created")) == 2
    page = LintingClient(app).sign_in(ANA).get("/skyline/audit?action=assignment.created")
    for word in ("Course assigned", "Weather for Private Pilots", TOP, "Mia Okafor", "2037-12-03"):
        assert word in page.words_of("main"), word


def test_who_was_added_and_has_not_come_is_written_at_the_address_that_the_school_knows(
    app: Flask, mailbox: Path
) -> None:
    """The account of that address may be a stranger's, who uses another one by now: ADR 0013."""
    with at_school("skyline"), unit_of_work():
        mia = member(MIA)
        mia.link_awaited, mia.known_as = True, "mia@desk.example"
    assign(MIA)
    work_off(app)
    assert mails(mailbox) == ["mia@desk.example"]
