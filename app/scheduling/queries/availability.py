"""Every SELECT about hours: when people are open, and when several people and things are free at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy import func, select

from app.foundation.db import session
from app.identity.models import Membership
from app.scheduling.models import AvailabilityException, AvailabilityRule, Booking, Claim
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
    """When each resource is open between two instants, in UTC; two SELECTs for any number of resources.

    What keeps no weekly hours (learners, aircraft, an instructor who has entered none) is open always, but for days away.
    """
    first, last = days_around(start, end)
    rules, exceptions = defaultdict(list), defaultdict(list)
    for rule in list_rules(resource_ids):
        rules[rule.resource_id].append(rule)
    for single in list_exceptions(resource_ids, since=first, until=last):
        exceptions[single.resource_id].append(single)
    return {one: open_between(rules[one], exceptions[one], start, end) for one in resource_ids}


def next_free_times(
    resource_ids: Collection[int], *, minutes: int, after: datetime, limit: int = 3, days: int = 14
) -> list[datetime]:
    """The next instants, on quarters of an hour, at which all the resources are open and free of firm claims and holds.

    At most `limit`, all strictly after `after` and within `days` of it; three SELECTs.
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
