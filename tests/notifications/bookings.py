"""Bookings for tests that tell of them: rows as the deeds leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.foundation.db import session
from app.scheduling.models import Booking, Claim, Resource
from tests.cast import BEA, LEO, Person, member

NINE = datetime(2037, 11, 24, 17, 0, tzinfo=UTC)
"""Tuesday 24 November 2037, 09:00 at skyline: long after the demo's bookings."""


def make_booking(
    *,
    learner: Person = LEO,
    instructor: Person | None = BEA,
    aircraft: str | None = None,
    status: str = "requested",
    starts_at: datetime = NINE,
    minutes: int = 120,
    **over: Any,
) -> Booking:
    """A booking of the school in force with its claims: soft while it is requested, released once it was ended."""
    ends_at = starts_at + timedelta(minutes=minutes)
    values: dict[str, Any] = {"requested_at": starts_at - timedelta(days=3)}
    if status in {"approved", "assigned", "completed"}:
        values["approved_at"] = starts_at - timedelta(days=2)
    if status in {"assigned", "completed"}:
        values["assigned_at"] = starts_at - timedelta(days=2)
    if status in {"completed", "declined", "cancelled"}:
        values["ended_at"] = starts_at - timedelta(days=1) if status != "completed" else ends_at
    if status in {"declined", "cancelled"}:
        values["reason"] = "Wind above limits"
    booking = Booking(
        learner_id=member(learner).id, status=status, starts_at=starts_at, ends_at=ends_at,
        wished_instructor_id=_person(instructor).id if instructor else None, **{**values, **over},
    )  # fmt: skip
    session.add(booking)
    session.flush()
    state = {"requested": "soft", "declined": "released", "cancelled": "released"}.get(status, "firm")
    _claim(booking, _person(learner), "learner", state)
    if instructor:
        _claim(booking, _person(instructor), "instructor", state)
    if aircraft:
        _claim(booking, _aircraft(aircraft), "aircraft", state)
    session.flush()
    return booking


def _claim(booking: Booking, resource: Resource, role: str, state: str) -> None:
    session.add(
        Claim(
            booking_id=booking.id,
            resource_id=resource.id,
            role=role,
            state=state,
            during=Range(booking.starts_at, booking.ends_at),
        )
    )


def _person(person: Person) -> Resource:
    mine = member(person)
    return _found(Resource.membership_id == mine.id) or _made(kind="person", name=mine.name, membership_id=mine.id)


def _aircraft(name: str) -> Resource:
    return _found((Resource.kind == "aircraft") & (Resource.name == name)) or _made(kind="aircraft", name=name)


def _found(which: Any) -> Resource | None:
    return session.scalars(select(Resource).where(which)).first()


def _made(**values: Any) -> Resource:
    resource = Resource(**values)
    session.add(resource)
    session.flush()
    return resource
