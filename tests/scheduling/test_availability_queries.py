"""When people and things are open and free, asked of the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.scheduling.models import Claim
from app.scheduling.operations.availability import add_exception, set_week
from app.scheduling.operations.resources import NameTaken, add_aircraft, ensure_person_resource
from app.scheduling.queries.availability import next_free_times, open_spans
from app.scheduling.queries.resources import (
    find_instructor,
    list_aircraft,
    list_instructors,
    list_shared_resources,
    person_resource_of,
)
from tests.cast import ANA, BEA, BO, LEO, MIA, actor, at_school, member
from tests.client import count_statements
from tests.scheduling.bookings import make_booking

ZONE = ZoneInfo("America/Los_Angeles")
NEXT_YEAR = date.today().year + 1
MONDAY = date(NEXT_YEAR, 3, 8) - timedelta(days=date(NEXT_YEAR, 3, 7).isoweekday() % 7)
"""A Monday to come, of the week in which clocks go forward on Sunday."""


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def clocks(instants: list[datetime]) -> list[str]:
    return [instant.astimezone(ZONE).strftime("%a %H:%M") for instant in instants]


def test_many_resources_are_asked_for_in_one_statement(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        ids = [one.id for one in list_shared_resources()]
        with count_statements() as statements:
            found = open_spans(ids, at(0), at(0) + timedelta(days=7))
        assert len(statements) == 1
        assert set(found) == set(ids)


def test_hours_are_kept_by_the_wall_clock_through_the_change(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        bea = ensure_person_resource(member(BEA)).id
        week = open_spans([bea], at(0), at(0) + timedelta(days=14))[bea]
        assert {span[0].astimezone(ZONE).hour for span in week} == {9, 13}
        assert len({span[0].hour for span in week}) == 4  # in UTC they moved


def test_what_keeps_no_hours_is_always_open_but_for_days_away(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        leo = ensure_person_resource(member(LEO))
        plane = list_aircraft()[0]
        add_exception(
            leo, day=MONDAY, is_open=False, minutes=(600, 660), zone=ZONE.key, note="", actor=SYSTEM
        )  # fmt: skip
        found = open_spans([leo.id, plane.id], at(8), at(12))
        assert found[plane.id] == [(at(8), at(12))]
        assert found[leo.id] == [(at(8), at(10)), (at(11), at(12))]


def test_the_next_free_times_are_those_at_which_everybody_and_everything_is_free(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        bea, leo = (ensure_person_resource(member(person)).id for person in (BEA, LEO))
        plane = list_aircraft()[0]
        make_booking(MIA, at(9), 60, BEA)
        make_booking(MIA, at(10, 30), 60, aircraft=plane.name)
        make_booking(LEO, at(13), 30)
        together = [bea, leo, plane.id]
        assert clocks(next_free_times(together, minutes=60, after=at(8))) == ["Mon 13:30", "Mon 13:45", "Mon 14:00"]
        assert clocks(next_free_times(together, minutes=30, after=at(8), limit=2)) == ["Mon 10:00", "Mon 11:30"]
        assert clocks(next_free_times([bea], minutes=60, after=at(9), limit=1)) == ["Mon 10:00"]


def test_requests_and_released_hours_stand_in_nobodys_way(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        bea = ensure_person_resource(member(BEA)).id
        make_booking(MIA, at(9), 60, BEA, status="requested")
        make_booking(LEO, at(9), 60, BEA, status="cancelled")
        assert clocks(next_free_times([bea], minutes=60, after=at(8), limit=1)) == ["Mon 09:00"]


@pytest.mark.parametrize("state", ["hold", "override"])
def test_holds_and_overrides_are_taken(app: Flask, state: str) -> None:
    with at_school("skyline"), app.app_context():
        bea = ensure_person_resource(member(BEA)).id
        booking = make_booking(MIA, at(9), 60, BEA, status="requested")
        session.query(Claim).filter_by(booking_id=booking.id).update({"state": state})
        assert clocks(next_free_times([bea], minutes=60, after=at(8), limit=1)) == ["Mon 10:00"]


def test_where_nothing_is_free_no_time_is_offered(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        bea = ensure_person_resource(member(BEA)).id
        assert next_free_times([bea], minutes=60, after=at(18, day=MONDAY + timedelta(days=5)), days=1) == []
        assert next_free_times([bea], minutes=600, after=at(8)) == []


def test_the_next_time_lies_after_the_instant_asked_for(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        bea = ensure_person_resource(member(BEA)).id
        assert clocks(next_free_times([bea], minutes=60, after=at(9), limit=1)) == ["Mon 09:15"]
        assert clocks(next_free_times([bea], minutes=60, after=at(9, 7), limit=1)) == ["Mon 09:15"]


def test_instructors_and_aircraft_are_listed_by_name(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        assert [one.name for one in list_instructors()] == ["Bea Lindgren", "Bo Castellano", "Olga Marsh"]
        assert [one.name for one in list_aircraft()] == ["N123AB", "N508SP", "N77KC"]
        kinds = [one.kind for one in list_shared_resources()]
        assert kinds == ["person"] * 3 + ["aircraft"] * 3 + ["simulator"]
    with at_school("harbour"):
        assert [one.name for one in list_instructors()] == ["Ivy Farrow"]


def test_a_suspended_instructor_and_a_retired_aircraft_are_not_offered(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        member(BO).status = "suspended"
        list_aircraft()[0].retired_at = datetime.now(UTC)
        session.flush()
        assert "Bo Castellano" not in [one.name for one in list_instructors()]
        assert [one.name for one in list_aircraft()] == ["N508SP", "N77KC"]
        assert len(list_shared_resources()) == 5


def test_a_member_is_one_resource_however_often_it_is_asked_for(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        first = ensure_person_resource(member(ANA))
        assert ensure_person_resource(member(ANA)).id == first.id
        assert person_resource_of(member(ANA).id) is first
        assert find_instructor(first.id) is None
        bea = ensure_person_resource(member(BEA))
        assert find_instructor(bea.id) is bea


def test_an_aircraft_is_added_once_under_its_name(app: Flask) -> None:
    with at_school("skyline"), app.app_context():
        added = add_aircraft("N900XY", "Cessna 152", actor=actor(ANA))
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "aircraft.added")).all()[-1]
        assert (entry.subject_id, entry.after) == (added.id, {"resource": "N900XY", "detail": "Cessna 152"})
        with app.test_request_context(), pytest.raises(NameTaken, match="N900XY"):
            add_aircraft("N900XY", "Another", actor=actor(ANA))


@pytest.mark.parametrize(
    ("hours", "zone"),
    [
        ([(0, 600, 540)], ZONE.key),
        ([(7, 540, 600)], ZONE.key),
        ([(0, 540, 1500)], ZONE.key),
        ([(0, 540, 600), (0, 590, 700)], ZONE.key),
        ([(0, hour * 60, hour * 60 + 30) for hour in range(4)], ZONE.key),
        ([(0, 540, 600)], "Mars/Olympus"),
    ],
)
def test_the_deed_itself_refuses_what_is_no_week(app: Flask, hours: list[tuple[int, int, int]], zone: str) -> None:
    """A page or an importer that forgets to check does not write nonsense."""
    with at_school("skyline"), app.test_request_context(), pytest.raises(Refusal):
        set_week(ensure_person_resource(member(BEA)), hours, zone, actor=actor(BEA))


@pytest.mark.parametrize(
    ("is_open", "minutes", "zone"),
    [
        (True, None, ZONE.key),
        (False, (600, 540), ZONE.key),
        (False, (0, 1500), ZONE.key),
        (False, None, "Mars/Olympus"),
    ],
)
def test_the_deed_itself_refuses_what_is_no_day(
    app: Flask, is_open: bool, minutes: tuple[int, int] | None, zone: str
) -> None:
    with at_school("skyline"), app.test_request_context(), pytest.raises(Refusal):
        add_exception(
            ensure_person_resource(member(BEA)), day=MONDAY, is_open=is_open, minutes=minutes, zone=zone, note="",
            actor=actor(BEA),
        )  # fmt: skip
