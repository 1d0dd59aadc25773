"""Bookings for tests of what reads them: written as rows, with the claims that their status has."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.foundation.db import session
from app.scheduling.models import Booking, Claim, Resource
from app.scheduling.operations.resources import ensure_person_resource
from tests.cast import Person, member

CLAIM_STATES = {"requested": "soft", "approved": "firm", "assigned": "firm", "completed": "firm"}


def make_booking(
    learner: Person,
    starts_at: datetime,
    minutes: int = 60,
    instructor: Person | None = None,
    aircraft: str | None = None,
    *,
    status: str = "assigned",
) -> Booking:
    """A booking of one of the cast, at the school in force, with consistent claims."""
    ends_at = starts_at + timedelta(minutes=minutes)
    who = member(learner)
    claimed = {"learner": ensure_person_resource(who)}
    if instructor:
        claimed["instructor"] = ensure_person_resource(member(instructor))
    if aircraft:
        claimed["aircraft"] = session.scalars(select(Resource).where(Resource.name == aircraft)).one()
    reason = "Weather" if status in ("declined", "cancelled") else ""
    booking = Booking(learner_id=who.id, status=status, starts_at=starts_at, ends_at=ends_at, reason=reason, claims=[])
    session.add(booking)
    for role, resource in claimed.items():
        state = CLAIM_STATES.get(status, "released")
        booking.claims.append(
            Claim(role=role, resource_id=resource.id, state=state, during=Range(starts_at, ends_at, bounds="[)"))
        )
    session.flush()
    session.commit()
    return booking
