"""When people are open: weekly wall time and single days turned into spans of UTC, and what of them is free.

A span is a pair of aware UTC datetimes, its end excluded. Lists of spans are sorted and disjoint, and never touch.
Rules are expanded on naive local time and localized one by one: 09:00 stays 09:00 whatever the clocks do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from app.scheduling.models import AvailabilityException, AvailabilityRule

Span = tuple[datetime, datetime]
Hours = tuple[int, int, int]
"""Weekday (0 is Monday), and from and to in minutes after midnight."""


class Timed(Protocol):
    """What takes a stretch of time."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


B = TypeVar("B", bound=Timed)

DAY_MINUTES = 24 * 60
ROWS_A_DAY = 3
ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def expand(
    rules: Iterable[AvailabilityRule],
    exceptions: Iterable[AvailabilityException],
    first_day: date,
    last_day: date,
) -> list[Span]:
    """The spans in which someone is open from `first_day` to `last_day`, both included, each in its own rule's zone.

    Extra hours win over time away on the same day: away all day, but open from 18:00 to 20:00, is open from 18:00 to 20:00.
    """
    weekly = (span for rule in rules for span in _spans_of_rule(rule, first_day, last_day))
    special = [single for single in exceptions if first_day <= single.day <= last_day]
    away = [_span_of_day(single) for single in special if not single.is_open]
    extra = [_span_of_day(single) for single in special if single.is_open]
    return merge([*free_spans(merge(weekly), away), *extra])


def open_between(
    rules: list[AvailabilityRule], exceptions: list[AvailabilityException], start: datetime, end: datetime
) -> list[Span]:
    """When one person or thing is open between two instants. What keeps no weekly hours is open always, but for time away."""
    first, last = days_around(start, end)
    if rules:
        return clip(expand(rules, exceptions, first, last), start, end)
    away = [single for single in exceptions if first <= single.day <= last and not single.is_open]
    return free_spans([(start, end)], map(_span_of_day, away))


def days_around(start: datetime, end: datetime) -> tuple[date, date]:
    """The first and last calendar day that any zone of the world may show between two instants."""
    return start.date() - ONE_DAY, end.date() + ONE_DAY


def free_spans(opened: Iterable[Span], busy: Iterable[Span]) -> list[Span]:
    """What of the open spans no busy span takes. `opened` is sorted and disjoint; `busy` may be neither."""
    taken = merge(busy)
    free = []
    for start, end in opened:
        for busy_start, busy_end in taken:
            if busy_end <= start:
                continue
            if busy_start >= end:
                break
            if busy_start > start:
                free.append((start, busy_start))
            start = busy_end
        if start < end:
            free.append((start, end))
    return free


def common_spans(several: Sequence[list[Span]]) -> list[Span]:
    """The spans in which all of several people and things are free at once."""
    common = several[0] if several else []
    for spans in several[1:]:
        common = [
            (max(start, other_start), min(end, other_end))
            for start, end in common
            for other_start, other_end in spans
            if start < other_end and other_start < end
        ]
    return common


def starts_within(free: Iterable[Span], minutes: int, step: int = 15) -> Iterator[datetime]:
    """The instants, on steps of the hour, at which `minutes` fit into a free span, in order.

    Steps are counted in UTC. Zones differ from UTC by quarters of an hour, so a step that divides 15 is one on every clock.
    """
    length, stride = timedelta(minutes=minutes), timedelta(minutes=step)
    for start, end in free:
        at = _next_step(start, stride)
        while at + length <= end:
            yield at
            at += stride


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same time as fewest spans: sorted, joined where they overlap or touch, empty ones dropped."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def clip(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """The part of the spans that lies between two instants."""
    return [(max(first, start), min(last, end)) for first, last in spans if first < end and last > start]


def covers(spans: Iterable[Span], start: datetime, end: datetime) -> bool:
    """Whether one open span holds the whole stretch."""
    return any(first <= start and end <= last for first, last in spans)


@lru_cache(maxsize=16_384)
def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the wall clock shows `minute` minutes after midnight of `day`; 1440 is the next midnight.

    Where clocks go back the hour that comes twice is meant the first time. Where they go forward a time that is skipped
    is the instant at which the gap ends.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    instant = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive:
        return instant
    return _end_of_gap(naive.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


def hours_of(rules: Iterable[AvailabilityRule]) -> list[Hours]:
    """The rows of a kept week."""
    return [(rule.weekday, rule.start_minute, rule.end_minute) for rule in rules]


def bookings_outside(
    bookings: Sequence[B], rules: list[AvailabilityRule], exceptions: list[AvailabilityException]
) -> list[B]:
    """Those of a person's bookings that do not lie within their hours."""
    if not bookings:
        return []
    start, end = min(one.starts_at for one in bookings), max(one.ends_at for one in bookings)
    hours = open_between(rules, exceptions, start, end)
    return [one for one in bookings if not covers(hours, one.starts_at, one.ends_at)]


def overlapping(hours: Iterable[Hours]) -> tuple[Hours, Hours] | None:
    """Two rows of a week that overlap, or None. Rows that only touch are fine."""
    ordered = sorted(hours)
    return next((pair for pair in pairwise(ordered) if _overlap(*pair)), None)


def too_many_rows(hours: Iterable[Hours]) -> bool:
    """Whether a day has more rows than the page of a week shows."""
    return any(count > ROWS_A_DAY for count in Counter(weekday for weekday, _, _ in hours).values())


def weekly_minutes(hours: Iterable[Hours]) -> int:
    """How long a week is, in minutes of wall time."""
    return sum(end - start for _, start, end in hours)


def _overlap(row: Hours, later: Hours) -> bool:
    return row[0] == later[0] and later[1] < row[2]


def _spans_of_rule(rule: AvailabilityRule, first_day: date, last_day: date) -> Iterator[Span]:
    zone = ZoneInfo(rule.zone)
    first = max(first_day, rule.valid_from or first_day)
    last = min(last_day, rule.valid_until or last_day)
    day = first + timedelta(days=(rule.weekday - first.weekday()) % 7)
    while day <= last:
        yield instant_of(day, rule.start_minute, zone), instant_of(day, rule.end_minute, zone)
        day += timedelta(days=7)


def _span_of_day(single: AvailabilityException) -> Span:
    zone = ZoneInfo(single.zone)
    start, end = single.start_minute or 0, single.end_minute or DAY_MINUTES
    return instant_of(single.day, start, zone), instant_of(single.day, end, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's offset changes."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > ONE_SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _next_step(at: datetime, stride: timedelta) -> datetime:
    late = (at - EPOCH) % stride
    return at if not late else at + stride - late
