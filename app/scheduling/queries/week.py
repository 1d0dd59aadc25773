"""The SELECTs of the week: all of it for staff; for a learner their own bookings, and of others when something is busy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import aliased

from app.foundation.db import session
from app.scheduling.models import Booking, Claim, Resource
from app.scheduling.queries.availability import TAKING

SHOWN = ("requested", "approved", "assigned", "completed")
LONGEST = timedelta(days=1)
"""No booking is longer, so that those of a week are found by when they start."""


@dataclass
class WeekBooking:
    """A booking as the week shows it. `taken` holds the name of what it claims by role: learner, instructor, aircraft …"""

    id: int
    status: str
    activity: str
    starts_at: datetime
    ends_at: datetime
    taken: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Busy:
    """That an instructor or a thing is taken, and not by whom or for what."""

    starts_at: datetime
    ends_at: datetime
    name: str


@dataclass(frozen=True)
class WeekFilter:
    """What of the week is asked for: one resource, or one role that a claim plays (instructor, aircraft, simulator)."""

    resource_id: int | None = None
    role: str | None = None


def list_week(start: datetime, end: datetime, wanted: WeekFilter) -> list[WeekBooking]:
    """The bookings between two instants in order of time, with the names of what they claim: one SELECT."""
    columns = (Booking.id, Booking.status, Booking.activity, Booking.starts_at, Booking.ends_at, Claim.role)
    rows = _claims_between(start, end, *columns, Resource.name).where(_takes(wanted))
    return _bookings(session.execute(rows))


def list_week_of_learner(
    membership_id: int, start: datetime, end: datetime, wanted: WeekFilter
) -> tuple[list[WeekBooking], list[Busy]]:
    """A learner's own bookings, and when instructors and things are taken by others: one SELECT.

    The database itself leaves out of others' rows whatever would say whose they are; their requests are not there at all.
    """
    mine = Booking.learner_id == membership_id
    columns = [case((mine, column)) for column in (Booking.id, Booking.status, Booking.activity)]
    role = case((mine, Claim.role))
    others = and_(~mine, Claim.role != "learner", Claim.state.in_(TAKING), *_narrowed(Claim, wanted))
    rows = _claims_between(start, end, *columns, Booking.starts_at, Booking.ends_at, role, Resource.name)
    found = session.execute(rows.where(or_(and_(mine, _takes(wanted)), others))).all()
    busy = {(row[3], row[4], row[6]): None for row in found if row[0] is None}
    return _bookings(row for row in found if row[0] is not None), [Busy(*key) for key in busy]


def _claims_between(start: datetime, end: datetime, *columns: Any) -> Any:
    return (
        select(*columns)
        .select_from(Booking)
        .join(Claim, Claim.booking_id == Booking.id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(Booking.starts_at > start - LONGEST, Booking.starts_at < end, Booking.ends_at > start)
        .where(Booking.status.in_(SHOWN))
        .order_by(Booking.starts_at, Booking.ends_at, Booking.id, Claim.id)
    )


def _takes(wanted: WeekFilter) -> ColumnElement[bool]:
    """Whether the booking claims what is asked for, whichever of its claims the row is."""
    other = aliased(Claim)
    narrowed = _narrowed(other, wanted)
    if not narrowed:
        return Booking.id.is_not(None)
    return select(other.id).where(other.booking_id == Booking.id, other.state != "released", *narrowed).exists()


def _narrowed(claim: Any, wanted: WeekFilter) -> list[ColumnElement[bool]]:
    by_resource = [claim.resource_id == wanted.resource_id] if wanted.resource_id else []
    return by_resource + ([claim.role == wanted.role] if wanted.role else [])


def _bookings(rows: Any) -> list[WeekBooking]:
    found: dict[int, WeekBooking] = {}
    for booking_id, status, activity, starts_at, ends_at, role, name in rows:
        booking = found.setdefault(booking_id, WeekBooking(booking_id, status, activity, starts_at, ends_at))
        booking.taken[role] = name
    return list(found.values())
