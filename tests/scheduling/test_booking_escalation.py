"""Escalation: what nobody acted on is told once, before it is too late; what was acted on in time never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

import jobs.scheduling
from app.audit.queries import list_entries_about
from app.foundation import clock, tenancy
from app.foundation.db import session
from app.foundation.jobs import drain_tenant
from app.foundation.models import Job, OutboxEvent
from app.scheduling.models import Booking
from app.scheduling.operations.deciding import approve_booking, assign_booking
from app.scheduling.operations.ending import cancel_booking
from app.scheduling.queries.bookings import waiting_counts
from app.scheduling.rules.bookings import escalation_due
from app.tenants.operations import change_settings, facts_of
from app.tenants.queries import find_school, school_settings
from tests.cast import ANA, BEA, BO, MIA, actor, at_school
from tests.scheduling.booking_makers import make_request, move_to_the_past, person

HOURS = timedelta(hours=1)


@pytest.fixture(autouse=True)
def skyline(app: Flask) -> Iterator[None]:
    with at_school("skyline"):
        yield


def work_off(later: timedelta) -> None:
    """Let time pass, and a worker do what is due then."""
    session.commit()
    here = tenancy.required()
    with time_machine.travel(clock.now() + later, tick=True), tenancy.tenant_scope(None):
        drain_tenant(here.id)


def set_hours(hours: int) -> None:
    """As an admin does on the settings page."""
    settings = school_settings()
    facts = {**facts_of(find_school(), settings), "escalate_after_hours": hours}
    change_settings(facts, version=str(settings.version), actor=actor(ANA))


def soon(**later: int) -> datetime:
    """A quarter hour at least so much later than now."""
    then = clock.now() + timedelta(minutes=15, **later)
    return then.replace(minute=then.minute // 15 * 15, second=0, microsecond=0)


def escalations(booking: Booking) -> list[int]:
    told = select(OutboxEvent).where(OutboxEvent.name == "BookingEscalated").order_by(OutboxEvent.id)
    return [e.payload["number"] for e in session.scalars(told) if e.payload["booking_id"] == booking.id]


def test_a_request_that_waits_too_long_is_told_once() -> None:
    booking = make_request()
    work_off(3 * HOURS)
    assert escalations(booking) == []
    work_off(4 * HOURS + timedelta(minutes=1))
    work_off(9 * HOURS)
    assert escalations(booking) == [1]
    found = session.get_one(Booking, booking.id)
    assert found.escalations == 1
    assert found.escalated_at
    entry = list_entries_about("Booking", booking.id)[0]
    assert (entry.action, entry.actor_id) == ("booking.escalated", None)
    assert waiting_counts().escalated == 1


def test_the_job_run_twice_tells_once() -> None:
    booking = make_request()
    booking.requested_at -= 5 * HOURS
    for _ in range(2):
        assert jobs.scheduling.escalate_booking(booking.id, 1) is None
        session.flush()
    assert escalations(booking) == [1]


def test_what_was_approved_in_time_is_not_told_of_but_its_assignment_is_waited_for() -> None:
    booking = approve_booking(make_request(), actor=actor(ANA))
    work_off(3 * HOURS)
    assert escalations(booking) == []
    work_off(5 * HOURS)
    work_off(9 * HOURS)
    assert escalations(booking) == [2]
    assert session.get_one(Booking, booking.id).escalations == 1


def test_a_late_approval_starts_a_second_wait() -> None:
    booking = make_request()
    work_off(5 * HOURS)
    booking = session.get_one(Booking, booking.id)
    with time_machine.travel(clock.now() + 6 * HOURS, tick=True):
        approve_booking(booking, actor=actor(ANA))
    work_off(9 * HOURS)
    assert escalations(booking) == [1]
    work_off(11 * HOURS)
    assert escalations(booking) == [1, 2]
    assert session.get_one(Booking, booking.id).escalations == 2


def test_what_was_assigned_or_cancelled_in_time_is_never_told_of() -> None:
    assigned = make_request(activity="ground")
    assign_booking(assigned, instructor=person(BEA), aircraft=None, actor=actor(ANA))
    cancelled = cancel_booking(make_request(MIA, wished=BO), reason="", actor=actor(MIA))
    work_off(30 * HOURS)
    assert escalations(assigned) == []
    assert escalations(cancelled) == []


def test_an_hour_that_has_passed_is_not_told_of() -> None:
    booking = make_request()
    booking.requested_at -= 5 * HOURS
    move_to_the_past(booking)
    assert jobs.scheduling.escalate_booking(booking.id, 1) is None
    assert escalations(booking) == []


def test_longer_hours_of_the_school_put_it_off() -> None:
    booking = make_request()
    school_settings().escalate_after_hours = 10
    work_off(5 * HOURS)
    assert escalations(booking) == []
    job = session.scalars(select(Job).where(Job.key.endswith(f"escalate:{booking.id}:1"))).one()
    assert job.done_at is None
    assert job.run_at == session.get_one(Booking, booking.id).requested_at + 10 * HOURS
    work_off(11 * HOURS)
    assert escalations(booking) == [1]


def test_a_booking_that_is_gone_is_nobody_s_business() -> None:
    assert jobs.scheduling.escalate_booking(999_999_999, 1) is None


def test_a_job_that_died_halfway_is_done_by_the_next_worker_once() -> None:
    booking = make_request()
    key = f"escalate:{booking.id}:1"
    work_off(5 * HOURS)
    session.execute(update(Job).where(Job.key.endswith(key)).values(done_at=None, claimed_until=None))
    work_off(6 * HOURS)
    assert escalations(booking) == [1]


NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until_start", "waits"),
    [
        (timedelta(days=9), 4 * HOURS),
        (8 * HOURS, 4 * HOURS),
        (7 * HOURS, 3.5 * HOURS),
        (timedelta(minutes=30), timedelta(minutes=15)),
        (timedelta(minutes=-10), timedelta()),
    ],
)
def test_it_is_due_after_the_hours_or_when_half_the_time_to_the_start_has_passed(
    until_start: timedelta, waits: timedelta
) -> None:
    assert escalation_due(NOON, NOON + until_start, hours=4) == NOON + waits


def test_a_request_nearer_to_its_start_than_the_hours_is_told_while_there_is_time() -> None:
    booking = make_request(at=soon(hours=2), wished=None)
    half = (booking.starts_at - booking.requested_at) / 2
    work_off(half - timedelta(minutes=5))
    assert escalations(booking) == []
    work_off(half + timedelta(minutes=1))
    work_off(half + timedelta(minutes=30))
    assert escalations(booking) == [1]


def test_an_approval_shortly_before_the_start_waits_no_four_hours_for_its_assignment() -> None:
    booking = approve_booking(make_request(at=soon(hours=2), wished=None), actor=actor(ANA))
    work_off(timedelta(minutes=75))
    assert escalations(booking) == [2]


def test_shorter_hours_of_the_school_hold_for_what_waits_already() -> None:
    set_hours(48)
    booking, approved = make_request(), approve_booking(make_request(MIA, wished=BO), actor=actor(ANA))
    work_off(3 * HOURS)
    assert escalations(booking) == escalations(approved) == []
    set_hours(2)
    work_off(timedelta())
    assert escalations(booking) == []
    work_off(2 * HOURS + timedelta(minutes=1))
    assert escalations(booking) == [1]
    assert escalations(approved) == [2]
    work_off(49 * HOURS)
    assert escalations(booking) == [1]
    assert escalations(approved) == [2]


def test_a_change_of_other_settings_asks_about_no_booking() -> None:
    make_request()
    settings = school_settings()
    facts = {**facts_of(find_school(), settings), "tags": ["night"]}
    change_settings(facts, version=str(settings.version), actor=actor(ANA))
    before = session.query(Job).filter_by(kind="scheduling.escalate_booking").count()
    work_off(timedelta())
    assert session.query(Job).filter_by(kind="scheduling.escalate_booking").count() == before
