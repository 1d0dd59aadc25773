"""Every SELECT of analytics: what to count, and what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from app.analytics.models import Rollup
from app.analytics.rules import MEASURES, bounds_of, last_days
from app.foundation import clock, tenancy
from app.foundation.db import rows, session
from app.foundation.models import OutboxEvent
from app.foundation.prepared import Prepared

COUNT = """
select d.day, happened.measure, count(*)
from unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) as d(day, starts, ends)
join (
  select completed_at as at, 'lessons.completed' as measure from lesson_progress
  union all select requested_at, 'bookings.requested' from booking
  union all select approved_at, 'bookings.approved' from booking
  union all select assigned_at, 'bookings.assigned' from booking
  union all select ended_at, 'bookings.' || status from booking where status in ('completed', 'declined', 'cancelled')
) happened on happened.at >= d.starts and happened.at < d.ends
where happened.at >= %(first)s and happened.at < %(last)s
group by 1, 2
"""
COUNTED = Prepared(
    "select day, measure, value, counted_at from rollup where day >= %(first)s and day <= %(last)s",
    first="date",
    last="date",
)


@dataclass(frozen=True)
class Activity:
    """Some days of a school in numbers, oldest first. `as_of` is when they were last counted, None if they never were.

    `counts` holds a number a day for each of MEASURES, in their order.
    """

    days: tuple[date, ...]
    counts: tuple[tuple[int, ...], ...]
    as_of: datetime | None

    def of(self, measure: str) -> tuple[int, ...]:
        """The numbers of one measure."""
        return self.counts[MEASURES.index(measure)]

    def total(self, measure: str) -> int:
        return sum(self.of(measure))

    @property
    def fell_through(self) -> tuple[int, ...]:
        """Bookings that were declined or cancelled."""
        return tuple(map(sum, zip(self.of("bookings.declined"), self.of("bookings.cancelled"), strict=True)))


def count_happened(days: Sequence[date]) -> dict[tuple[date, str], int]:
    """What happened at the school in force on each of these days, by (day, measure); what did not happen is left out.

    A booking counts on the day on which it entered a state, so one that is requested on Monday and approved on Tuesday is
    one of Monday's requests and one of Tuesday's approvals, whatever becomes of it later.
    """
    if not days:
        return {}
    starts, ends = bounds_of(days, tenancy.required().zone)
    values = {"days": list(days), "starts": starts, "ends": ends, "first": min(starts), "last": max(ends)}
    return {(day, measure): n for day, measure, n in rows(COUNT, values)}


def list_counted_days(first: date, last: date) -> set[date]:
    """The days between two (both included) that have been counted."""
    return set(session.scalars(select(Rollup.day).where(Rollup.day.between(first, last)).distinct()))


def last_fourteen_days() -> Activity:
    """The fourteen days up to today at the school in force, in one SELECT. A day not counted yet shows as zero."""
    days = last_days(clock.today(tenancy.required().zone), 14)
    counted = COUNTED.run({"first": days[0], "last": days[-1]})
    values = {(day, measure): value for day, measure, value, _ in counted}
    counts = tuple(tuple(values.get((day, measure), 0) for day in days) for measure in MEASURES)
    return Activity(days, counts, max((row[3] for row in counted), default=None))


def list_schools_active_since(instant: datetime) -> list[int]:
    """The ids of the schools where anything was announced since then, from the outbox, which is no school's own."""
    active = select(OutboxEvent.tenant_id).where(OutboxEvent.created_at >= instant).distinct()
    return sorted(session.scalars(active))
