"""The weeks of people in wall time, turned into spans of UTC: what holds in every zone, and the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scheduling.models import AvailabilityException, AvailabilityRule
from app.scheduling.rules.availability import (
    clip,
    common_spans,
    covers,
    expand,
    free_spans,
    instant_of,
    merge,
    overlapping,
    starts_within,
)

LOS_ANGELES = "America/Los_Angeles"
ZONES = (LOS_ANGELES, "Europe/London", "Pacific/Apia", "Australia/Lord_Howe")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

minutes = st.integers(0, 95).map(lambda quarter: quarter * 15)
days = st.dates(date(2011, 1, 1), date(2027, 12, 31))
spans = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 600)).map(
        lambda pair: (EPOCH + timedelta(minutes=pair[0]), EPOCH + timedelta(minutes=pair[0] + pair[1]))
    ),
    max_size=12,
)


def rule(weekday: int, start: int, end: int, zone: str = LOS_ANGELES, **over: date) -> AvailabilityRule:
    return AvailabilityRule(weekday=weekday, start_minute=start, end_minute=end, zone=zone, **over)


def special(
    day: date, start: int | None = None, end: int | None = None, *, opened: bool = False, zone: str = LOS_ANGELES
) -> AvailabilityException:
    return AvailabilityException(day=day, is_open=opened, start_minute=start, end_minute=end, zone=zone)


@st.composite
def weeks(draw: st.DrawFn) -> tuple[str, list[AvailabilityRule], list[AvailabilityException], date, date]:
    """A zone, some rules and exceptions in it, and some days to expand them over."""
    zone = draw(st.sampled_from(ZONES))
    first = draw(days)
    last = first + timedelta(days=draw(st.integers(0, 30)))
    rules = [
        rule(draw(st.integers(0, 6)), start, start + draw(st.integers(1, 1440 - start)), zone)
        for start in draw(st.lists(minutes, max_size=6))
    ]
    singles = [
        special(first + timedelta(days=offset), start, min(start + 180, 1440), opened=draw(st.booleans()), zone=zone)
        for offset, start in draw(st.lists(st.tuples(st.integers(-2, 32), minutes), max_size=4))
    ]
    return zone, rules, singles, first, last


@given(weeks())
def test_spans_are_sorted_disjoint_and_inside_the_days(week) -> None:  # type: ignore[no-untyped-def]
    zone, rules, singles, first, last = week
    found = expand(rules, singles, first, last)
    assert all(start < end for start, end in found)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(found))
    begin, finish = instant_of(first, 0, ZoneInfo(zone)), instant_of(last, 1440, ZoneInfo(zone))
    assert all(begin <= start and end <= finish for start, end in found)


@given(zone=st.sampled_from(ZONES), first=days)
def test_nine_oclock_is_nine_oclock_on_every_day_that_exists(zone: str, first: date) -> None:
    last = first + timedelta(days=400)
    found = expand([rule(weekday, 9 * 60, 17 * 60, zone) for weekday in range(7)], [], first, last)
    local = [(start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))) for start, end in found]
    assert {start.time() for start, _ in local} == {time(9)}
    assert {end.time() for _, end in local} == {time(17)}
    skipped = {date(2011, 12, 30)} if zone == "Pacific/Apia" else set()
    wanted = {first + timedelta(days=n) for n in range(401)} - skipped
    assert {start.date() for start, _ in local} == wanted


@given(zone=st.sampled_from(ZONES), first=days, length=st.integers(0, 30))
def test_whole_days_are_as_long_as_the_clock_makes_them(zone: str, first: date, length: int) -> None:
    """All day, every day: one span, whose length is 24 hours a day and what the clocks were moved by."""
    last = first + timedelta(days=length)
    found = expand([rule(weekday, 0, 1440, zone) for weekday in range(7)], [], first, last)
    begin, finish = instant_of(first, 0, ZoneInfo(zone)), instant_of(last, 1440, ZoneInfo(zone))
    assert found == merge([(begin, finish)])


@given(opened=spans, busy=spans)
def test_what_is_free_is_open_and_not_busy(opened: list, busy: list) -> None:
    """Every quarter of an hour is free exactly if it is open and nobody took it."""
    whole = merge(opened)
    free = free_spans(whole, busy)
    assert merge(free) == free
    for quarter in range(0, 5700, 15):
        at = EPOCH + timedelta(minutes=quarter)
        expected = any(s <= at < e for s, e in whole) and not any(s <= at < e for s, e in busy)
        assert any(s <= at < e for s, e in free) == expected


@given(free=spans, length=st.sampled_from((15, 30, 45, 60, 120, 180)))
def test_a_start_leaves_room_for_the_whole_length_and_none_is_missed(free: list, length: int) -> None:
    whole = merge(free)
    found = list(starts_within(whole, length))
    steps = (EPOCH + timedelta(minutes=quarter) for quarter in range(0, 5700, 15))
    assert found == [at for at in steps if covers(whole, at, at + timedelta(minutes=length))]


@given(first=spans, second=spans)
def test_common_time_is_the_time_that_is_in_both(first: list, second: list) -> None:
    one, two = merge(first), merge(second)
    outside = free_spans(one, free_spans(one, two))
    assert common_spans([one, two]) == outside
    assert merge(common_spans([two, one])) == outside


@pytest.mark.parametrize(
    ("zone", "day", "minute", "utc"),
    [
        (LOS_ANGELES, date(2026, 3, 8), 150, datetime(2026, 3, 8, 10)),  # 02:30 is skipped: the gap ends at 03:00 PDT
        (LOS_ANGELES, date(2026, 11, 1), 90, datetime(2026, 11, 1, 8, 30)),  # 01:30 comes twice: the first, in PDT
        ("Europe/London", date(2026, 3, 29), 60, datetime(2026, 3, 29, 1)),
        ("Australia/Lord_Howe", date(2026, 10, 4), 135, datetime(2026, 10, 3, 15, 30)),  # clocks move by half an hour
        ("Pacific/Apia", date(2011, 12, 30), 600, datetime(2011, 12, 30, 10)),  # a day that did not take place
        (LOS_ANGELES, date(2026, 11, 23), 1440, datetime(2026, 11, 24, 8)),
    ],
)
def test_the_wall_clock_on_the_days_it_is_moved(zone: str, day: date, minute: int, utc: datetime) -> None:
    assert instant_of(day, minute, ZoneInfo(zone)) == utc.replace(tzinfo=UTC)


def test_a_night_shift_is_shorter_in_spring_and_longer_in_autumn() -> None:
    def hours(day: date) -> float:
        [(start, end)] = expand([rule(6, 0, 6 * 60)], [], day, day)
        return (end - start) / timedelta(hours=1)

    assert hours(date(2026, 3, 8)) == 5
    assert hours(date(2026, 11, 1)) == 7
    assert hours(date(2026, 11, 8)) == 6


def test_a_span_wholly_inside_the_gap_is_not_there() -> None:
    assert expand([rule(6, 125, 175)], [], date(2026, 3, 8), date(2026, 3, 8)) == []


def test_rows_that_touch_are_one_span() -> None:
    monday = date(2026, 11, 23)
    assert len(expand([rule(0, 540, 720), rule(0, 720, 900)], [], monday, monday)) == 1
    assert len(expand([rule(0, 540, 720), rule(0, 735, 900)], [], monday, monday)) == 2
    assert len(expand([rule(0, 540, 1440), rule(1, 0, 60)], [], monday, monday + timedelta(days=1))) == 1


def test_a_rule_holds_only_while_it_is_valid() -> None:
    mondays = rule(0, 540, 720, valid_from=date(2026, 11, 10), valid_until=date(2026, 11, 23))
    found = expand([mondays], [], date(2026, 11, 1), date(2026, 11, 30))
    assert [start.date() for start, _ in found] == [date(2026, 11, 16), date(2026, 11, 23)]


def test_a_day_away_closes_it_and_extra_hours_open_what_was_closed() -> None:
    monday = date(2026, 11, 23)
    week = [rule(0, 9 * 60, 17 * 60)]
    zone = ZoneInfo(LOS_ANGELES)

    def span(start: int, end: int) -> tuple[datetime, datetime]:
        return instant_of(monday, start * 60, zone), instant_of(monday, end * 60, zone)

    assert expand(week, [special(monday)], monday, monday) == []
    assert expand(week, [special(monday, 600, 720)], monday, monday) == [span(9, 10), span(12, 17)]
    assert expand(week, [special(monday, 1080, 1200, opened=True)], monday, monday) == [span(9, 17), span(18, 20)]
    evening = [special(monday), special(monday, 1080, 1200, opened=True)]
    assert expand(week, evening, monday, monday) == [span(18, 20)]


def test_extra_hours_on_another_day_are_not_of_these_days() -> None:
    monday = date(2026, 11, 23)
    assert expand([], [special(date(2026, 11, 24), 540, 600, opened=True)], monday, monday) == []


def test_clipping_keeps_what_lies_between() -> None:
    whole = [(EPOCH, EPOCH + timedelta(hours=3)), (EPOCH + timedelta(hours=5), EPOCH + timedelta(hours=6))]
    begin, finish = EPOCH + timedelta(hours=1), EPOCH + timedelta(hours=5)
    assert clip(whole, begin, finish) == [(begin, EPOCH + timedelta(hours=3))]


def test_rows_of_one_day_overlap_only_if_they_share_time() -> None:
    assert overlapping([(0, 540, 720), (0, 720, 900), (1, 600, 700)]) is None
    assert overlapping([(0, 700, 900), (0, 540, 720)]) == ((0, 540, 720), (0, 700, 900))
