"""Telling the admins, or whom the school names, that a booking has waited too long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.jobs import schedule_job, schedule_jobs
from app.scheduling.events import BookingEscalated
from app.scheduling.models import Booking
from app.scheduling.queries.bookings import list_waiting
from app.scheduling.rules.bookings import escalation_due
from app.tenants.queries import school_settings

WAITS_AS = {1: "requested", 2: "approved"}
NUMBERS = {status: number for number, status in WAITS_AS.items()}


def schedule_escalation(booking: Booking, *, number: int, since: datetime) -> None:
    """Have it told if nobody acts in time: 1 waits for approval, 2 for an assignment."""
    hours = school_settings().escalate_after_hours
    schedule_job(
        "scheduling.escalate_booking",
        key=f"escalate:{booking.id}:{number}",
        run_at=escalation_due(since, booking.starts_at, hours=hours),
        booking_id=booking.id,
        number=number,
    )


def escalate_booking(booking_id: int, *, number: int) -> datetime | None:
    """Escalate a booking that still waits: for approval (1) or, approved, for its assignment (2).

    Done once for each. Returns the instant at which to ask again where it is not due yet: the school's hours are another
    number than when this was scheduled.
    """
    locked = select(Booking).where(Booking.id == booking_id).with_for_update(key_share=True)
    booking = session.scalars(locked.execution_options(populate_existing=True)).one_or_none()
    if booking is None or booking.status != WAITS_AS[number] or booking.starts_at <= clock.now():
        return None
    since = booking.approved_at if number == 2 and booking.approved_at else booking.requested_at
    if booking.escalated_at and booking.escalated_at >= since:
        return None
    due = escalation_due(since, booking.starts_at, hours=school_settings().escalate_after_hours)
    if due > clock.now():
        return due
    before = {"escalations": booking.escalations}
    booking.escalations, booking.escalated_at = booking.escalations + 1, clock.now()
    session.flush()
    audit("booking.escalated", actor=SYSTEM, subject=booking, before=before, after={"escalations": booking.escalations})
    announce(BookingEscalated(booking.id, number))
    return None


def ask_again_about_all(version: int) -> None:
    """After the school changed its hours: ask about each booking that waits, now, and then when it is due by the new ones.

    `version` is the settings'. What was scheduled before finds the booking told of, decided, or not due, and does nothing.
    """
    schedule_jobs(
        "scheduling.escalate_booking",
        [
            (
                f"escalate:{booking_id}:{NUMBERS[status]}:{version}",
                {"booking_id": booking_id, "number": NUMBERS[status]},
            )
            for booking_id, status in list_waiting()
        ],
    )
