"""Escalation: what nobody acted on is told to the admins once; what was acted on in time never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

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
from app.tenants.queries import school_settings
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
