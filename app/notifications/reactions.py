"""Whom to tell when something happens to a booking: the learner, its instructor, the admins; never the one who did it.

A new request needs no notification: the admins' queue shows it, and nobody's waiting is shortened by a mail about each.
"""

from __future__ import annotations

from typing import Any

from app.foundation.events import reacts_to
from app.identity.queries import list_members_with_role, list_office
from app.notifications.operations import notify
from app.notifications.queries import Concerned, find_concerned
from app.scheduling.events import (
    BookingApproved,
    BookingAssigned,
    BookingCancelled,
    BookingDeclined,
    BookingEscalated,
)
from app.tenants.queries import school_settings

FOR_APPROVAL = 1


@reacts_to(BookingApproved)
def on_booking_approved(event: BookingApproved) -> None:
    _tell_concerned("booking.approved", event.booking_id, event.actor_id)


@reacts_to(BookingAssigned)
def on_booking_assigned(event: BookingAssigned) -> None:
    _tell_concerned("booking.assigned", event.booking_id, event.actor_id)


@reacts_to(BookingDeclined)
def on_booking_declined(event: BookingDeclined) -> None:
    _tell_concerned("booking.declined", event.booking_id, event.actor_id)


@reacts_to(BookingCancelled)
def on_booking_cancelled(event: BookingCancelled) -> None:
    _tell_concerned("booking.cancelled", event.booking_id, event.actor_id)


@reacts_to(BookingEscalated)
def on_booking_escalated(event: BookingEscalated) -> None:
    """Nobody acted in time: those whom the school named are told, else every active admin; once for each escalation."""
    booking = find_concerned(event.booking_id)
    if booking is None:
        return
    facts = {**_facts(booking), "waits_for": "approval" if event.number == FOR_APPROVAL else "assignment"}
    cause = f"booking.escalated:{event.booking_id}:{event.number}"
    for person in _told_of_escalations():
        notify(person, "booking.escalated", cause=cause, subject_id=event.booking_id, facts=facts)


def _told_of_escalations() -> list[int]:
    """Whom the school named, as far as they still run it; where nobody is left of them, the admins: somebody must hear of it."""
    office = list_office()
    named = [person for person in school_settings().escalate_to_ids if person in office]
    return named or [admin.id for admin in list_members_with_role("admin")]


def _tell_concerned(kind: str, booking_id: int, actor_id: int | None) -> None:
    booking = find_concerned(booking_id)
    if booking is None:
        return
    for person in _concerned(booking) - {actor_id}:
        notify(person, kind, cause=f"{kind}:{booking_id}", subject_id=booking_id, facts=_facts(booking))


def _concerned(booking: Concerned) -> set[int]:
    """The learner, and the instructor once the booking was theirs to keep: a mere wish for them was never their news."""
    told = {booking.learner_id}
    if booking.was_approved and booking.instructor_id:
        told.add(booking.instructor_id)
    return told


def _facts(booking: Concerned) -> dict[str, Any]:
    return {
        "learner_id": booking.learner_id,
        "instructor_id": booking.instructor_id,
        "aircraft": booking.aircraft,
        "starts_at": booking.starts_at.isoformat(),
        "ends_at": booking.ends_at.isoformat(),
        "reason": booking.reason,
    }
