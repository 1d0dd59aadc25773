"""When a school is open: its opening hours and closed days, as its settings hold them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.scheduling.rules.availability import DAY_MINUTES, ONE_DAY, Span, covers, days_around, instant_of, merge


def is_open_then(
    hours: Mapping[str, Sequence[int]], closed_days: Collection[date], start: datetime, end: datetime, zone: str
) -> bool:
    """Whether a school in an IANA zone is open all the while between two instants.

    `hours` are minutes after midnight from and to, by weekday ("0" is Monday); a weekday without is closed, and a school that
    says none at all is open always, but for its closed days.
    """
    return covers(opened_between(hours, closed_days, start, end, zone), start, end)


def opened_between(
    hours: Mapping[str, Sequence[int]], closed_days: Collection[date], start: datetime, end: datetime, zone: str
) -> list[Span]:
    """When a school is open on the days that two instants lie in: spans of UTC instants in order, none of which touch."""
    first, last = days_around(start, end)
    days = [first + ONE_DAY * number for number in range((last - first) // timedelta(days=1) + 1)]
    home = ZoneInfo(zone)
    return merge(
        (instant_of(day, minutes[0], home), instant_of(day, minutes[1], home))
        for day in days
        if day not in closed_days and (minutes := _minutes_of(hours, day))
    )


def _minutes_of(hours: Mapping[str, Sequence[int]], day: date) -> Sequence[int] | None:
    return hours.get(str(day.weekday())) if hours else (0, DAY_MINUTES)
