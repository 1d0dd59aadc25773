"""Which days are counted, and what of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MEASURES = (
    "lessons.completed",
    "bookings.requested",
    "bookings.approved",
    "bookings.assigned",
    "bookings.completed",
    "bookings.declined",
    "bookings.cancelled",
)
RECENT_DAYS = 3
"""Days that are counted anew each time: something may still be entered late."""
KEPT_DAYS = 14
"""Days of which none may be missing."""


def last_days(today: date, count: int) -> tuple[date, ...]:
    """The `count` days that end with today, oldest first."""
    return tuple(today - timedelta(days=back) for back in range(count - 1, -1, -1))


def days_to_count(today: date, counted: Iterable[date]) -> tuple[date, ...]:
    """The recent days, and those of the last fourteen that were never counted, oldest first."""
    known = set(counted)
    recent = set(last_days(today, RECENT_DAYS))
    return tuple(day for day in last_days(today, KEPT_DAYS) if day in recent or day not in known)


def bounds_of(days: Sequence[date], zone: str) -> tuple[list[datetime], list[datetime]]:
    """When each calendar day of an IANA zone begins and ends, in UTC. A day may be 23 or 25 hours long."""
    tz = ZoneInfo(zone)
    midnights = [
        [datetime.combine(day, time.min, tz).astimezone(UTC) for day in shifted]
        for shifted in (days, [day + timedelta(days=1) for day in days])
    ]
    return midnights[0], midnights[1]
