"""Every SELECT about hours: when people are open, and when several people and things are free at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select, text

from app.foundation.db import session
from app.identity.models import Membership
from app.scheduling.models import AvailabilityException, AvailabilityRule, Booking, Claim, Resource
from app.scheduling.rules.availability import (
    Span,
    common_spans,
    days_around,
    free_spans,
    open_between,
    starts_within,
)

TAKING = ("firm", "hold", "override")
"""States of claims that take the time for certain. Two overrides may share an hour, but nobody is sent into one."""


@dataclass(frozen=True)
class FirmBooking:
    """A booking that takes an instructor's time for certain, and the learner it is for."""

    id: int
    starts_at: datetime
    ends_at: datetime
    learner: str


def open_spans(resource_ids: Collection[int], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """When each resource is open between two instants, in UTC; one SELECT for any number of resources.

    What keeps no weekly hours (learners, aircraft, an instructor who has entered none) is open always, but for days away.
    """
    kept = select(Resource.id, rules_as_json(), exceptions_as_json(*days_around(start, end)))
    found = session.execute(kept.where(Resource.id.in_(resource_ids)))
    return {one: open_in_json(rules, exceptions, start, end) for one, rules, exceptions in found}


def next_free_times(
    resource_ids: Collection[int], *, minutes: int, after: datetime, limit: int = 3, days: int = 14
) -> list[datetime]:
    """The next instants, on quarters of an hour, at which all the resources are open and free of firm claims and holds.

    At most `limit`, all strictly after `after` and within `days` of it; two SELECTs.
    """
    until = after + timedelta(days=days)
    hours = open_spans(resource_ids, after, until)
    free = free_spans(common_spans(list(hours.values())), _taken_spans(resource_ids, after, until))
    starts = (start for start in starts_within(free, minutes) if start > after)
    return list(islice(starts, limit))


def list_rules(resource_ids: Collection[int]) -> list[AvailabilityRule]:
    """The weekly hours of some people, in the order of the week."""
    weekly = select(AvailabilityRule).where(AvailabilityRule.resource_id.in_(resource_ids))
    return list(session.scalars(weekly.order_by(AvailabilityRule.weekday, AvailabilityRule.start_minute)))


def list_exceptions(
    resource_ids: Collection[int], *, since: date, until: date | None = None
) -> list[AvailabilityException]:
    """Days away and extra hours of some people, in order, from `since` to `until`, both included."""
    singles = select(AvailabilityException).where(
        AvailabilityException.resource_id.in_(resource_ids), AvailabilityException.day >= since
    )
    if until:
        singles = singles.where(AvailabilityException.day <= until)
    by_day = (AvailabilityException.day, AvailabilityException.start_minute.asc().nulls_first())
    return list(session.scalars(singles.order_by(*by_day, AvailabilityException.id)))


def list_firm_bookings(resource_id: int, *, after: datetime) -> list[FirmBooking]:
    """The bookings to come that take this instructor or this thing for certain, in order."""
    coming = (
        select(Booking.id, Booking.starts_at, Booking.ends_at, Membership.name)
        .join(Claim, Claim.booking_id == Booking.id)
        .join(Membership, Membership.id == Booking.learner_id)
        .where(Claim.resource_id == resource_id, Claim.role != "learner", Claim.state.in_(TAKING))
        .where(Booking.ends_at > after, Booking.status.in_(("approved", "assigned")))
        .order_by(Booking.starts_at, Booking.id)
    )
    return [FirmBooking(*row) for row in session.execute(coming)]


def _taken_spans(resource_ids: Collection[int], start: datetime, end: datetime) -> list[Span]:
    claims = select(func.lower(Claim.during), func.upper(Claim.during)).where(
        Claim.resource_id.in_(resource_ids),
        Claim.state.in_(TAKING),
        Claim.during.op("&&")(func.tstzrange(start, end)),
    )
    return [(first, last) for first, last in session.execute(claims)]


# -- hours as JSON, so that a SELECT of resources brings them along ------------------------------------------------


def rules_as_json() -> Any:
    """For each resource of a SELECT: the rows of its weekly hours."""
    return _rows_as_json(AvailabilityRule)


def exceptions_as_json(first: date, last: date) -> Any:
    """For each resource of a SELECT: the rows of its days away and extra hours from `first` to `last`."""
    return _rows_as_json(AvailabilityException, AvailabilityException.day.between(first, last))


def open_in_json(rules: Any, exceptions: Any, start: datetime, end: datetime) -> list[Span]:
    """When a resource is open between two instants, by the two columns above."""
    weekly = [_row(row, "valid_from", "valid_until") for row in rules or ()]
    return open_between(weekly, [_row(row, "day") for row in exceptions or ()], start, end)


def _rows_as_json(model: Any, *conditions: Any) -> Any:
    one = func.to_jsonb(text(model.__tablename__))
    rows = select(func.jsonb_agg(one)).select_from(model).where(model.resource_id == Resource.id, *conditions)
    return rows.correlate(Resource).scalar_subquery()


def _row(values: dict[str, Any], *days: str) -> Any:
    """A row that is only computed with: its columns by name, without what the ORM keeps of a row."""
    for day in days:
        values[day] = date.fromisoformat(values[day]) if values[day] else None
    return SimpleNamespace(**values)
