"""Pure computation of the console: the stretches of time in which a school's use is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = 6
LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one instant until before another."""

    since: datetime
    until: datetime


def lately(now: datetime) -> Stretch:
    """The last 30 days, this instant included."""
    return Stretch(now - LATELY, now + timedelta(seconds=1))


def months_until(now: datetime, zone: str, *, count: int = MONTHS) -> list[Stretch]:
    """Calendar months in a school's IANA zone, this one first, then those before it."""
    begins = now.astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    months, ends = [], _month_after(begins)
    for _number in range(count):
        months.append(Stretch(begins, ends))
        begins, ends = _month_before(begins), begins
    return months


def _month_after(begins: datetime) -> datetime:
    return (begins + timedelta(days=32)).replace(day=1)


def _month_before(begins: datetime) -> datetime:
    return (begins - timedelta(days=1)).replace(day=1)
