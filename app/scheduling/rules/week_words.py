"""A week in words: names of days, times as people say them, ready for components/week.html."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_date

from app.foundation import formats
from app.scheduling.rules.availability import DAY_MINUTES, Span, instant_of
from app.scheduling.rules.week import (
    DAYS,
    Block,
    Entry,
    Piece,
    blocks_by_day,
    hours_shown,
    monday_of,
    moved_by,
    needs_zone,
    pieces_of,
)


@dataclass(frozen=True)
class DrawnBlock:
    """A block of a day; the names are those that components/week.html reads."""

    start: int
    minutes: int
    lane: int
    lanes: int
    state: str
    icon: str
    word: str
    title: str
    parts: tuple[str, ...]
    when: str
    href: str | None
    beyond: str


@dataclass(frozen=True)
class Opening:
    """Open hours behind the blocks of a day."""

    start: int
    minutes: int
    hours: str


@dataclass(frozen=True)
class DrawnDay:
    """A day of the week; `now` is in minutes after midnight, None on other days than today.

    `past` is true of the days before today in today's week, `closed` where the school is open at no time of the day.
    """

    date: date
    name: str
    number: str
    label: str
    today: bool
    past: bool
    closed: bool
    now: int | None
    blocks: list[DrawnBlock]
    openings: list[Opening]
    moved: timedelta


@dataclass(frozen=True)
class DrawnWeek:
    """A week: its title, its days, the hours they share, and the weeks beside it."""

    title: str
    number: int
    days: list[DrawnDay]
    from_hour: int
    hours: int
    count: int
    zone: str
    today: date

    @property
    def monday(self) -> date:
        return self.days[0].date

    @property
    def before(self) -> date:
        return self.monday - timedelta(days=DAYS)

    @property
    def after(self) -> date:
        return self.monday + timedelta(days=DAYS)

    @property
    def is_now(self) -> bool:
        return any(day.today for day in self.days)

    @property
    def days_before_today(self) -> int:
        """How many days of today's week are over."""
        return sum(day.past for day in self.days)

    @property
    def days_moved(self) -> list[DrawnDay]:
        """The days on which clocks change."""
        return [day for day in self.days if day.moved]


def draw_week(
    monday: date, zone: ZoneInfo, now: datetime, entries: list[Entry], opened: list[Span], school: list[Span]
) -> DrawnWeek:
    """The week of a Monday in a zone, with what takes time in it and the open hours behind. `school` is when the school is open."""
    local = now.astimezone(zone)
    openings = [piece for span in opened for piece in pieces_of(*span, zone)]
    dates = [monday + timedelta(days=number) for number in range(DAYS)]
    firm = [piece for one in entries if one.is_firm for piece in pieces_of(one.starts_at, one.ends_at, zone)]
    from_hour, hours = hours_shown(piece for piece in firm if piece.day in dates)
    blocks = blocks_by_day(entries, zone, (from_hour * 60, (from_hour + hours) * 60))
    return DrawnWeek(
        title=_title(monday, dates[-1]),
        number=monday.isocalendar().week,
        days=[_draw_day(one, zone, local, blocks.get(one, []), openings, school) for one in dates],
        from_hour=from_hour,
        hours=hours,
        count=len(entries),
        zone=zone.key.replace("_", " "),
        today=local.date(),
    )


def when_of(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """ "09:00–11:00"; with its days past midnight, and with its zone where the clock alone would mislead."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    begins, ends = (formats.clock_time(local, zone.key) for local in (first, last))
    if needs_zone(start, end, zone):
        name, last_name = formats.zone_name(first), formats.zone_name(last)
        begins, ends = begins if name == last_name else f"{begins} {name}", f"{ends} {last_name}"
    if first.date() == last.date():
        return f"{begins}–{ends}"
    return f"{format_date(first.date(), 'EEE')} {begins} – {format_date(last.date(), 'EEE')} {ends}"


def _title(first: date, last: date) -> str:
    """Both days of a week; the year once, unless it turns meanwhile."""
    begins = format_date(first, formats.DAY if first.year == last.year else formats.DAY_WITH_YEAR)
    return f"{begins} – {format_date(last, formats.DAY_WITH_YEAR)}"


def _draw_day(
    one: date, zone: ZoneInfo, local: datetime, blocks: list[Block], openings: list[Piece], school: list[Span]
) -> DrawnDay:
    today = one == local.date()
    begins, ends = instant_of(one, 0, zone), instant_of(one, DAY_MINUTES, zone)
    return DrawnDay(
        date=one,
        name=format_date(one, "EEE"),
        number=str(one.day),
        label=format_date(one, "EEEE d MMMM"),
        today=today,
        past=one < local.date() and monday_of(one) == monday_of(local.date()),
        closed=not any(start < ends and begins < end for start, end in school),
        now=local.hour * 60 + local.minute if today else None,
        blocks=[_draw_block(block, zone) for block in blocks],
        openings=[Opening(p.start, p.minutes, _hours(p)) for p in openings if p.day == one],
        moved=moved_by(one, zone),
    )


def _draw_block(block: Block, zone: ZoneInfo) -> DrawnBlock:
    entry, piece = block.entry, block.piece
    return DrawnBlock(
        start=piece.start, minutes=piece.minutes, lane=block.lane, lanes=block.lanes, state=entry.state, icon=entry.icon,
        word=entry.word, title=entry.title, parts=entry.parts, when=when_of(entry.starts_at, entry.ends_at, zone),
        href=entry.href, beyond=block.beyond,
    )  # fmt: skip


def _hours(piece: Piece) -> str:
    return f"{piece.start // 60:02}:{piece.start % 60:02}–{piece.end // 60:02}:{piece.end % 60:02}"
