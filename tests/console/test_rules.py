"""Months as a school lives them: from its midnight to its midnight, over New Year and over the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from app.console.rules import lately, months_until


def test_months_begin_at_the_schools_midnight() -> None:
    now = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)  # still February in Los Angeles
    (here,) = months_until(now, "America/Los_Angeles", count=1)
    assert here.since.astimezone(UTC) == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert here.until.astimezone(UTC) == datetime(2026, 3, 1, 8, tzinfo=UTC)
    (there,) = months_until(now, "Asia/Tokyo", count=1)
    assert there.since.astimezone(UTC) == datetime(2026, 2, 28, 15, tzinfo=UTC)


def test_they_follow_on_each_other_over_new_year_and_summer_time() -> None:
    months = months_until(datetime(2026, 4, 30, 12, tzinfo=UTC), "Europe/London", count=6)
    assert [(month.since.year, month.since.month) for month in months] == [
        (2026, 4), (2026, 3), (2026, 2), (2026, 1), (2025, 12), (2025, 11),
    ]  # fmt: skip
    assert all(later.since == month.until for later, month in pairwise(months))
    assert months[0].since.utcoffset() == timedelta(hours=1)
    assert months[1].since.utcoffset() == timedelta(0)


def test_lately_includes_this_instant() -> None:
    now = datetime(2026, 4, 30, 12, tzinfo=UTC)
    assert lately(now).since == now - timedelta(days=30)
    assert lately(now).until > now
