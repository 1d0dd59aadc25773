"""Telling the admins that a booking has waited too long."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.events import announce
from app.scheduling.events import BookingEscalated
from app.scheduling.models import Booking
from app.tenants.queries import school_settings

WAITS_AS = {1: "requested", 2: "approved"}


def escalate_booking(booking_id: int, *, number: int) -> datetime | None:
    """Escalate a booking that still waits: for approval (1) or, approved, for its assignment (2).

    Done once for each. Returns the instant at which to ask again where the school has lengthened its hours since.
    """
    locked = select(Booking).where(Booking.id == booking_id).with_for_update(key_share=True)
    booking = session.scalars(locked.execution_options(populate_existing=True)).one_or_none()
    if booking is None or booking.status != WAITS_AS[number] or booking.starts_at <= clock.now():
        return None
    since = booking.approved_at if number == 2 and booking.approved_at else booking.requested_at
    if booking.escalated_at and booking.escalated_at >= since:
        return None
    due = since + timedelta(hours=school_settings().escalate_after_hours)
    if due > clock.now():
        return due
    before = {"escalations": booking.escalations}
    booking.escalations, booking.escalated_at = booking.escalations + 1, clock.now()
    session.flush()
    audit("booking.escalated", actor=SYSTEM, subject=booking, before=before, after={"escalations": booking.escalations})
    announce(BookingEscalated(booking.id, number))
    return None
