"""The only place that asks what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_held: ContextVar[datetime | None] = ContextVar("held", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _held.get() or datetime.now(UTC)


def today(zone: str | ZoneInfo) -> date:
    """The calendar day it is now in an IANA zone."""
    return now().astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).date()


@contextmanager
def held_at(instant: datetime) -> Iterator[None]:
    """Let it be that instant for what this thread does meanwhile: the demo's seed writes days gone by as people lived them."""
    token = _held.set(instant)
    try:
        yield
    finally:
        _held.reset(token)
