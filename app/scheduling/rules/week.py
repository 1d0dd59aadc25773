"""A week as it is drawn: stretches of time cut at midnight, placed by the wall clock, side by side where they overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.scheduling.rules.availability import DAY_MINUTES, ONE_DAY, Span, instant_of

DAYS = 7
FIRST_HOUR, LAST_HOUR = 7, 21
"""What a week shows at least, in hours after midnight."""
ONE_MINUTE = timedelta(minutes=1)
AT_THE_EDGE = 60


@dataclass(frozen=True)
class Entry:
    """Something that takes time, in the words a reader may see of it."""

    starts_at: datetime
    ends_at: datetime
    state: str
    word: str
    title: str
    parts: tuple[str, ...] = ()
    icon: str = ""
    href: str | None = None
    is_firm: bool = True
    """Whether the school has agreed to it. What is only asked for makes no week longer."""


@dataclass(frozen=True)
class Piece:
    """What of a stretch lies in one day: `start` in wall-clock minutes after midnight, and how many `minutes` it is drawn."""

    day: date
    start: int
    minutes: int

    @property
    def end(self) -> int:
        return self.start + self.minutes


@dataclass(frozen=True)
class Block:
    """An entry's piece in its day, as it is drawn: in `lane` of `lanes` side by side.

    `beyond` is "early" or "late" for what begins before or ends after the hours shown: it is drawn at their edge.
    """

    entry: Entry
    piece: Piece
    lane: int
    lanes: int
    beyond: str = ""


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def span_of_week(monday: date, zone: ZoneInfo) -> Span:
    """The UTC instants between which a week lies: 168 hours, one less or more where clocks change."""
    return instant_of(monday, 0, zone), instant_of(monday + timedelta(days=DAYS - 1), DAY_MINUTES, zone)


def pieces_of(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Piece]:
    """A stretch of time cut at each midnight of the zone.

    A piece is as long as the wall clock says; where the clock goes back inside of it and says nothing or less, as long as
    it lasts.
    """
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        first, until = max(start, instant_of(day, 0, zone)), min(end, instant_of(day, DAY_MINUTES, zone))
        if first < until:
            at = _minute(first, zone)
            to = _minute(until, zone) if until.astimezone(zone).date() == day else DAY_MINUTES
            yield Piece(day, at, to - at if to > at else (until - first) // ONE_MINUTE)
        day += ONE_DAY


def blocks_by_day(
    entries: Iterable[Entry], zone: ZoneInfo, shown: tuple[int, int] = (0, DAY_MINUTES)
) -> dict[date, list[Block]]:
    """The blocks of each day in order of time, those that overlap as drawn side by side.

    `shown` are the minutes after midnight between which days are drawn. What lies outside of them stands at their edge.
    """
    days: dict[date, list[tuple[Piece, Entry]]] = {}
    for entry in entries:
        for piece in pieces_of(entry.starts_at, entry.ends_at, zone):
            days.setdefault(piece.day, []).append((piece, entry))
    return {day: _side_by_side(placed, *shown) for day, placed in days.items()}


def fitted(piece: Piece, first: int, last: int) -> Piece:
    """Where a day that is drawn from `first` to `last` shows a piece: what sticks out is drawn at the edge, and never shorter
    than an hour, so that its own time can be read on it."""
    if first <= piece.start and piece.end <= last:
        return piece
    least = min(piece.minutes, AT_THE_EDGE)
    start = min(max(piece.start, first), last - least)
    return Piece(piece.day, start, max(min(piece.end, last) - start, least))


def lanes_of(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """For each of some spans in order of their starts: its lane, and how many lanes its group of overlapping spans has."""
    lanes: list[int] = []
    groups: list[list[int]] = []
    ends: list[int] = []
    for number, (start, end) in enumerate(spans):
        if all(busy_until <= start for busy_until in ends):
            groups.append([])
            ends = []
        free = next((lane for lane, busy_until in enumerate(ends) if busy_until <= start), len(ends))
        ends[free : free + 1] = [end]
        lanes.append(free)
        groups[-1].append(number)
    widths = {number: 1 + max(lanes[other] for other in group) for group in groups for number in group}
    return [(lane, widths[number]) for number, lane in enumerate(lanes)]


def hours_shown(pieces: Iterable[Piece]) -> tuple[int, int]:
    """The first hour that a week shows and how many, so that nothing in it is cut off."""
    first, last = FIRST_HOUR, LAST_HOUR
    for piece in pieces:
        first, last = min(first, piece.start // 60), max(last, -(-min(piece.end, DAY_MINUTES) // 60))
    return first, last - first


def moved_by(day: date, zone: ZoneInfo) -> timedelta:
    """How much longer than 24 hours a day is: an hour where clocks go back, minus one where they go forward."""
    return instant_of(day, DAY_MINUTES, zone) - instant_of(day, 0, zone) - ONE_DAY


def needs_zone(start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    """Whether times of the wall clock alone would mislead: the clock changes in between, or shows one of them twice."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    return first.utcoffset() != last.utcoffset() or _comes_twice(first) or _comes_twice(last)


def _side_by_side(placed: list[tuple[Piece, Entry]], first: int, last: int) -> list[Block]:
    ordered = sorted(placed, key=lambda pair: (pair[0].start, -pair[0].minutes, pair[1].title, pair[1].starts_at))
    drawn = [fitted(piece, first, last) for piece, _ in ordered]
    lanes = lanes_of([(piece.start, piece.end) for piece in drawn])
    return [
        Block(entry, at, lane, width, _beyond(piece, first, last))
        for (piece, entry), at, (lane, width) in zip(ordered, drawn, lanes, strict=True)
    ]


def _beyond(piece: Piece, first: int, last: int) -> str:
    if piece.start < first:
        return "early"
    return "late" if piece.end > last else ""


def _minute(instant: datetime, zone: ZoneInfo) -> int:
    local = instant.astimezone(zone)
    return local.hour * 60 + local.minute


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
