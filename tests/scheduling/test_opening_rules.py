"""When a school is open: by its hours and its closed days, on its own wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.scheduling.rules.opening import is_open_then

ZONE = "America/Los_Angeles"
MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)
OFFICE = {str(day): [480, 1200] for day in range(5)}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "start", "end", "opened"),
    [
        (MONDAY, 8, 20, True),
        (MONDAY, 7, 9, False),
        (MONDAY, 19, 21, False),
        (MONDAY, 3, 4, False),
        (SATURDAY, 10, 11, False),
    ],
)
def test_a_school_is_open_between_its_hours(day: date, start: int, end: int, opened: bool) -> None:
    assert is_open_then(OFFICE, [], at(day, start), at(day, end), ZONE) is opened


def test_a_closed_day_is_closed_whatever_the_hours_say() -> None:
    assert not is_open_then(OFFICE, [MONDAY], at(MONDAY, 10), at(MONDAY, 11), ZONE)
    assert not is_open_then({}, [MONDAY], at(MONDAY, 10), at(MONDAY, 11), ZONE)


def test_a_school_that_says_no_hours_is_open_always_also_past_midnight() -> None:
    assert is_open_then({}, [], at(MONDAY, 3), at(MONDAY, 4), ZONE)
    assert is_open_then({}, [], at(MONDAY, 23), at(date(2026, 11, 24), 1), ZONE)


def test_hours_hold_on_the_wall_clock_on_both_sides_of_a_change_of_clocks() -> None:
    always = {str(day): [480, 1200] for day in range(7)}
    for day in (date(2027, 3, 13), date(2027, 3, 14), date(2027, 3, 15)):
        assert is_open_then(always, [], at(day, 8), at(day, 20), ZONE)
        assert not is_open_then(always, [], at(day, 7, 45), at(day, 9), ZONE)
