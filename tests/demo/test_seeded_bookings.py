"""The bookings of the demo: in every state, without collision, the same for everybody, and never written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.demo import operations
from app.demo.rules import plan_week
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import Job
from app.scheduling.models import Booking, Claim
from tests.cast import at_school


@pytest.fixture(autouse=True)
def skyline(app: Flask) -> Iterator[None]:
    """The tests' database has no weeks of bookings: here they are written."""
    with app.app_context():
        assert sum(operations.BOOKINGS in name for name in operations.seed()) == 2 * 4
        with at_school("skyline"):
            yield


def test_a_week_is_always_the_same_and_another_is_another() -> None:
    monday = clock.today("UTC") - timedelta(days=clock.today("UTC").weekday())
    assert plan_week("skyline", monday) == plan_week("skyline", monday)
    assert plan_week("skyline", monday) != plan_week("skyline", monday + timedelta(weeks=1))


def test_there_are_bookings_in_every_state_with_claims_to_match() -> None:
    bookings = session.scalars(select(Booking)).all()
    states = Counter(booking.status for booking in bookings)
    assert len(bookings) >= 40
    assert {"requested", "approved", "assigned", "completed", "declined", "cancelled"} <= set(states)
    claimed = {"requested": {"soft"}, "declined": {"released"}, "cancelled": {"released"}}
    for booking in bookings:
        assert {claim.state for claim in booking.claims} == claimed.get(booking.status, {"firm"})
        assert booking.status != "completed" or booking.ends_at <= clock.now()


def test_one_request_has_waited_so_long_that_it_escalates() -> None:
    due = select(Job).where(Job.kind == "scheduling.escalate_booking", Job.run_at <= clock.now())
    assert session.scalars(due).all()


def test_a_start_in_a_later_week_adds_that_week_alone() -> None:
    before = {(claim.id, claim.state, claim.during) for claim in session.scalars(select(Claim))}
    with time_machine.travel(clock.now() + timedelta(weeks=1)):
        assert [name.partition("/")[0] for name in operations.seed() if operations.BOOKINGS in name] == [
            "skyline",
            "harbour",
        ]
        assert operations.seed() == []
    with at_school("skyline"):
        assert before <= {(claim.id, claim.state, claim.during) for claim in session.scalars(select(Claim))}
