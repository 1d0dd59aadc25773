"""The daily numbers: counted on the school's own days, the same however often they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.analytics.models import Rollup
from app.analytics.operations import count_days, count_recent_days
from app.analytics.queries import last_fourteen_days
from app.analytics.rules import KEPT_DAYS, MEASURES, RECENT_DAYS, bounds_of, days_to_count, last_days
from app.foundation.db import session, unit_of_work
from jobs.analytics import count_active_schools, count_school
from tests.cast import at_school, school
from tests.notifications.bookings import make_booking

NOON = datetime(2031, 11, 21, 20, 0, tzinfo=UTC)
"""Friday 21 November 2031, 12:00 at skyline."""
TODAY = date(2031, 11, 21)


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    """Far from the demo's bookings, which lie around the day on which the tests run."""
    with time_machine.travel(NOON, tick=False):
        yield


def numbers() -> dict[tuple[date, str], int]:
    rows = session.execute(select(Rollup.day, Rollup.measure, Rollup.value)).all()
    return {(day, measure): value for day, measure, value in rows if value}


def test_a_booking_counts_on_the_day_it_entered_each_state(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        make_booking(
            status="declined", starts_at=NOON + timedelta(days=2), requested_at=NOON - timedelta(days=2),
            approved_at=NOON - timedelta(days=1), ended_at=NOON,
        )  # fmt: skip
        count_recent_days()
        assert numbers() == {
            (TODAY - timedelta(days=2), "bookings.requested"): 1,
            (TODAY - timedelta(days=1), "bookings.approved"): 1,
            (TODAY, "bookings.declined"): 1,
        }


def test_days_are_the_schools_own(app: Flask) -> None:
    """At 07:59 UTC it is still yesterday at skyline, one minute later it is today."""
    midnight = datetime(2031, 11, 21, 8, 0, tzinfo=UTC)
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOON + timedelta(days=2), requested_at=midnight - timedelta(minutes=1))
        make_booking(starts_at=NOON + timedelta(days=3), requested_at=midnight)
        count_recent_days()
        assert numbers() == {
            (TODAY - timedelta(days=1), "bookings.requested"): 1,
            (TODAY, "bookings.requested"): 1,
        }


def test_counting_twice_changes_nothing(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOON + timedelta(days=2), requested_at=NOON)
    tenant_id = school("skyline").id
    count_school(tenant_id)
    with at_school("skyline"):
        first = (numbers(), session.query(Rollup).count())
    count_school(tenant_id)
    with at_school("skyline"):
        assert (numbers(), session.query(Rollup).count()) == first
        assert first[1] == KEPT_DAYS * len(MEASURES)


def test_a_day_that_was_missed_is_made_up_for_and_an_older_one_is_left_alone(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        eight_days_ago = TODAY - timedelta(days=8)
        count_days([day for day in last_days(TODAY, KEPT_DAYS) if day != eight_days_ago])
        make_booking(starts_at=NOON + timedelta(days=2), requested_at=NOON - timedelta(days=8))
        make_booking(starts_at=NOON + timedelta(days=3), requested_at=NOON - timedelta(days=9))
        assert count_recent_days() == RECENT_DAYS + 1
        assert numbers() == {(eight_days_ago, "bookings.requested"): 1}


def test_fourteen_days_are_read_with_zeros_where_nothing_was_counted(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        assert last_fourteen_days().as_of is None
        make_booking(starts_at=NOON + timedelta(days=2), requested_at=NOON)
        count_days([TODAY])
        activity = last_fourteen_days()
        assert activity.days == last_days(TODAY, 14)
        assert activity.of("bookings.requested") == (0,) * 13 + (1,)
        assert activity.as_of == NOON


def test_nothing_of_another_school_is_counted(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOON + timedelta(days=2), requested_at=NOON)
    count_school(school("harbour").id)
    with at_school("harbour"):
        assert numbers() == {}
    with at_school("skyline"):
        assert numbers() == {}


def test_the_tick_visits_schools_where_something_happened_and_no_other(app: Flask) -> None:
    from sqlalchemy import delete

    from app.foundation import tenancy
    from app.foundation.models import OutboxEvent

    with tenancy.tenant_scope(None), unit_of_work():
        session.execute(delete(OutboxEvent))
    assert count_active_schools() == []
    with at_school("harbour") as harbour, unit_of_work():
        session.add(OutboxEvent(tenant_id=harbour.id, name="BookingRequested", payload={}, created_at=NOON))
    assert count_active_schools() == [harbour.id]


def test_the_command_counts_every_school(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        make_booking(starts_at=NOON + timedelta(days=2), requested_at=NOON - timedelta(days=20))
    runner = app.test_cli_runner()
    said = runner.invoke(args=["analytics", "recount", "--days", "30"]).output
    assert said == "harbour: 30 days counted\nskyline: 30 days counted\n"
    with at_school("skyline"):
        assert numbers() == {(TODAY - timedelta(days=20), "bookings.requested"): 1}
    assert runner.invoke(args=["analytics", "recount", "--tenant", "nowhere"]).exit_code == 1


@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sampled_from(["America/Los_Angeles", "Europe/London", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Beirut"]),
)
def test_days_follow_one_another_without_gap_or_overlap(today: date, zone: str) -> None:
    starts, ends = bounds_of(last_days(today, KEPT_DAYS), zone)
    assert ends[:-1] == starts[1:]
    assert all(timedelta(hours=22) < end - start < timedelta(hours=26) for start, end in zip(starts, ends, strict=True))


def test_recent_days_and_gaps_are_counted() -> None:
    days = last_days(TODAY, KEPT_DAYS)
    assert days_to_count(TODAY, days) == days[-RECENT_DAYS:]
    assert days_to_count(TODAY, days[1:]) == (days[0], *days[-RECENT_DAYS:])
    assert days_to_count(TODAY, ()) == days
