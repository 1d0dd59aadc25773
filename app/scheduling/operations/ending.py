"""How bookings end: cancelled or completed."""

from __future__ import annotations

from flask_babel import gettext as _

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.scheduling.events import BookingCancelled, BookingCompleted
from app.scheduling.models import Booking
from app.scheduling.operations.claims import NotPossible, lock_booking, release


def cancel_booking(booking: Booking, *, reason: str, actor: Actor) -> Booking:
    """Call it off; its time is free at once. Learners may until it begins, staff at any time. Raises NotPossible."""
    booking = lock_booking(booking, wanted="cancelled")
    if booking.learner_id == actor.membership_id and actor.roles <= {"learner"} and booking.starts_at <= clock.now():
        raise NotPossible(_("This booking has begun. Ask the school to cancel it."))
    before = {"status": booking.status, "reason": booking.reason}
    release(booking)
    booking.status, booking.ended_at = "cancelled", clock.now()
    booking.reason = reason.strip() or _("No reason given.")
    session.flush()
    after = {"status": booking.status, "reason": booking.reason}
    audit("booking.cancelled", actor=actor, subject=booking, before=before, after=after)
    announce(BookingCancelled(booking.id, actor.membership_id))
    return booking


def complete_booking(booking: Booking, *, actor: Actor) -> Booking:
    """Say that it took place. Its claims stay firm: they are past. Raises NotPossible before it has begun."""
    booking = lock_booking(booking, wanted="completed")
    if booking.starts_at > clock.now():
        raise NotPossible(_("This booking has not begun yet. Complete it afterwards."))
    booking.status, booking.ended_at = "completed", clock.now()
    session.flush()
    audit(
        "booking.completed", actor=actor, subject=booking, before={"status": "assigned"}, after={"status": "completed"}
    )
    announce(BookingCompleted(booking.id, actor.membership_id))
    return booking
