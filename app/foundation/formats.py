"""How times read: in the reader's zone, with the zone named. "Tue 24 Nov, 09:00–11:00 PST"."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.units import format_unit
from flask import Flask
from flask_login import current_user

from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.language import locale_name

DAY = "EEE d MMM"
DAY_WITH_YEAR = "EEE d MMM y"
CLOCK = "HH:mm"


def init_formats(app: Flask) -> None:
    app.jinja_env.filters.update(when=when, day=day, clock=clock_time, span=span)
    app.jinja_env.globals["reader_zone"] = reader_zone


def reader_zone() -> str:
    """The IANA zone of the person reading, else of the school, else UTC."""
    reader: Actor | None = current_user._get_current_object()
    if reader and reader.membership_id:
        return reader.zone
    tenant = tenancy.current()
    return tenant.zone if tenant else "UTC"


def when(instant: datetime, zone: str | None = None) -> str:
    """An instant in words: "Tue 24 Nov, 09:00 PST"."""
    return _when_in(instant.astimezone(UTC), zone or reader_zone(), locale_name())


def span(start: datetime, end: datetime, zone: str | None = None) -> str:
    """A stretch of time in words: "Tue 24 Nov, 09:00–11:00 PST"; with both days named if it passes midnight."""
    return _span_in(start.astimezone(UTC), end.astimezone(UTC), zone or reader_zone(), locale_name())


def day(value: date | datetime, zone: str | None = None) -> str:
    """A calendar day: "Tue 24 Nov"; with its year if that is another than this one."""
    zone = zone or reader_zone()
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(zone)).date()
    return _day_in(value, locale_name(), value.year != clock.today(zone).year)


def day_with_year(value: date) -> str:
    """A calendar day with its year, whichever it is: "Tue 24 Nov 2026"."""
    return _day_in(value, locale_name(), True)


def clock_time(instant: datetime, zone: str | None = None) -> str:
    """The time of day, without its zone: "09:00". For places where the zone is named already."""
    return _clock_in(instant.astimezone(UTC), zone or reader_zone(), locale_name())


def zone_name(local: datetime) -> str:
    """The abbreviation people use (PST), or the offset where the zone has none (UTC+03)."""
    name = local.tzname() or "UTC"
    return name if re.fullmatch(r"[A-Z]{2,5}", name) else f"UTC{name}"


def size(count: int) -> str:
    """A number of bytes as people say it, rounded down: "2 MB", "1.2 MB", "20 kB"."""
    name, unit = ("digital-megabyte", 1_000_000) if count >= 1_000_000 else ("digital-kilobyte", 1_000)
    return str(format_unit(count * 10 // unit / 10, name, length="short", locale=_babel(locale_name())))


def sort_key(name: str) -> str:
    """A key that sorts names as people do, in a database that sorts by code point: "Ärmel" with the A's."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("ø", "o").replace("ł", "l")


# A list shows the same times to one reader after another. What is kept is asked for by the instant in UTC: two readings of
# one wall time, before and after the clocks go back, would be taken for the same.


@lru_cache(maxsize=8192)
def _when_in(instant: datetime, zone: str, locale: str) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    return f"{_day_in(local.date(), locale)}, {_clock(local, locale)} {zone_name(local)}"


@lru_cache(maxsize=8192)
def _span_in(start: datetime, end: datetime, zone: str, locale: str) -> str:
    first, last = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    until, dash = _clock(last, locale), "–"
    if first.date() != last.date():
        until, dash = f"{_day_in(last.date(), locale)}, {until}", " – "
    return f"{_day_in(first.date(), locale)}, {_clock(first, locale)}{dash}{until} {zone_name(last)}"


@lru_cache(maxsize=4096)
def _day_in(value: date, locale: str, with_year: bool = False) -> str:
    return format_date(value, DAY_WITH_YEAR if with_year else DAY, locale=_babel(locale))


@lru_cache(maxsize=8192)
def _clock_in(instant: datetime, zone: str, locale: str) -> str:
    return _clock(instant.astimezone(ZoneInfo(zone)), locale)


def _clock(local: datetime, locale: str) -> str:
    return _wall_clock(local.time().replace(second=0, microsecond=0, fold=0), locale)


@lru_cache(maxsize=4096)
def _wall_clock(value: time, locale: str) -> str:
    return format_time(value, CLOCK, locale=_babel(locale))


def _babel(locale: str) -> str:
    return locale.replace("-", "_")
