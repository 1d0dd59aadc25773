"""How times read: in the reader's zone, with the zone named. "Tue 24 Nov, 09:00–11:00 PST"."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask
from flask_babel import get_locale
from flask_login import current_user

from app.foundation import tenancy

DAY = "EEE d MMM"
DAY_WITH_YEAR = "EEE d MMM y"
CLOCK = "HH:mm"


def init_formats(app: Flask) -> None:
    app.jinja_env.filters.update(when=when, day=day, clock=clock_time, span=span)


def reader_zone() -> str:
    """The IANA zone of the person reading, else of the school, else UTC."""
    if current_user and current_user.membership_id:
        return str(current_user.zone)
    tenant = tenancy.current()
    return tenant.zone if tenant else "UTC"


def when(instant: datetime, zone: str | None = None) -> str:
    """An instant in words: "Tue 24 Nov, 09:00 PST"."""
    local = _local(instant, zone)
    return f"{_day(local)}, {_clock(local)} {zone_name(local)}"


def span(start: datetime, end: datetime, zone: str | None = None) -> str:
    """A stretch of time in words: "Tue 24 Nov, 09:00–11:00 PST"; with both days named if it passes midnight."""
    first, last = _local(start, zone), _local(end, zone)
    until = _clock(last) if first.date() == last.date() else f"{_day(last)}, {_clock(last)}"
    dash = "–" if first.date() == last.date() else " – "
    return f"{_day(first)}, {_clock(first)}{dash}{until} {zone_name(last)}"


def day(value: date | datetime, zone: str | None = None) -> str:
    """A calendar day: "Tue 24 Nov"."""
    return _day(_local(value, zone) if isinstance(value, datetime) else value)


def clock_time(instant: datetime, zone: str | None = None) -> str:
    """The time of day, without its zone: "09:00". For places where the zone is named already."""
    return _clock(_local(instant, zone))


def zone_name(local: datetime) -> str:
    """The abbreviation people use (PST), or the offset where the zone has none (UTC+03)."""
    name = local.tzname() or "UTC"
    return name if re.fullmatch(r"[A-Z]{2,5}", name) else f"UTC{name}"


def sort_key(name: str) -> str:
    """A key that sorts names as people do, in a database that sorts by code point: "Ärmel" with the A's."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("ø", "o").replace("ł", "l")


def _local(instant: datetime, zone: str | None) -> datetime:
    return instant.astimezone(ZoneInfo(zone or reader_zone()))


def _day(value: date) -> str:
    plain = value.date() if isinstance(value, datetime) else value
    return _day_in(plain, str(get_locale() or "en"))


def _clock(local: datetime) -> str:
    return _clock_in(local.replace(tzinfo=None, fold=0, second=0, microsecond=0), str(get_locale() or "en"))


@lru_cache(maxsize=4096)
def _day_in(value: date, locale: str) -> str:
    return format_date(value, DAY, locale=_babel(locale))


@lru_cache(maxsize=4096)
def _clock_in(value: datetime, locale: str) -> str:
    return format_datetime(value, CLOCK, locale=_babel(locale))


def _babel(locale: str) -> str:
    return locale.replace("-", "_")
