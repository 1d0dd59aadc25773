"""The week as it is drawn: cut at midnight, placed by the wall clock, side by side where it overlaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.scheduling.rules.week import (
    Entry,
    Piece,
    blocks_by_day,
    fitted,
    hours_shown,
    lanes_of,
    monday_of,
    moved_by,
    needs_zone,
    pieces_of,
    span_of_week,
)
from app.scheduling.rules.week_words import draw_week, when_of

ZONE = ZoneInfo("America/Los_Angeles")
FORWARD, BACK = date(2026, 3, 8), date(2026, 11, 1)
MONDAY = date(2026, 11, 23)
ALWAYS = [(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))]


def at(day: date, hour: int, minute: int = 0, *, second_time: bool = False) -> datetime:
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE, fold=int(second_time))
    return local.astimezone(UTC)


def entry(start: datetime, end: datetime, title: str = "Leo Hart") -> Entry:
    return Entry(start, end, state="ok", word="assigned", title=title)


def test_a_night_flight_is_cut_at_midnight() -> None:
    found = list(pieces_of(at(MONDAY, 23), at(date(2026, 11, 24), 1), ZONE))
    assert found == [Piece(MONDAY, 23 * 60, 60), Piece(date(2026, 11, 24), 0, 60)]


def test_what_ends_at_midnight_is_not_in_the_next_day() -> None:
    assert list(pieces_of(at(MONDAY, 23), at(date(2026, 11, 24), 0), ZONE)) == [Piece(MONDAY, 23 * 60, 60)]


@pytest.mark.parametrize(
    ("start", "end", "drawn"),
    [
        (at(FORWARD, 1, 30), at(FORWARD, 3, 30), (90, 120)),  # one hour, but the clock jumps over another
        (at(FORWARD, 9), at(FORWARD, 10), (540, 60)),
        (at(BACK, 0, 30), at(BACK, 1, 30), (30, 60)),
        (at(BACK, 1, 30), at(BACK, 1, 30, second_time=True), (90, 60)),  # the clock says that no time passed
        (at(BACK, 1, 45), at(BACK, 1, 15, second_time=True), (105, 30)),  # or less than none
        (at(BACK, 1, 15, second_time=True), at(BACK, 2, 15), (75, 60)),
        (at(BACK, 9), at(BACK, 10), (540, 60)),
    ],
)
def test_days_of_23_and_25_hours_are_drawn_by_the_clock(start: datetime, end: datetime, drawn: tuple[int, int]) -> None:
    [piece] = pieces_of(start, end, ZONE)
    assert (piece.start, piece.minutes) == drawn


def test_a_stretch_over_a_whole_long_day_covers_it() -> None:
    pieces = list(pieces_of(at(date(2026, 10, 31), 12), at(date(2026, 11, 2), 12), ZONE))
    assert pieces[1] == Piece(BACK, 0, 1440)


def test_a_week_has_an_hour_less_or_more_where_clocks_change() -> None:
    def hours(day: date) -> float:
        start, end = span_of_week(monday_of(day), ZONE)
        return (end - start) / timedelta(hours=1)

    assert (hours(FORWARD), hours(BACK), hours(MONDAY)) == (167, 169, 168)
    assert moved_by(FORWARD, ZONE) == timedelta(hours=-1)
    assert moved_by(BACK, ZONE) == timedelta(hours=1)
    assert not moved_by(MONDAY, ZONE)


def test_the_zone_is_named_where_the_clock_alone_would_mislead(app: Flask) -> None:
    with app.test_request_context():
        assert when_of(at(MONDAY, 9), at(MONDAY, 11), ZONE) == "09:00–11:00"
        assert when_of(at(MONDAY, 23), at(date(2026, 11, 24), 1), ZONE) == "Mon 23:00 – Tue 01:00"
        assert when_of(at(FORWARD, 1, 30), at(FORWARD, 3, 30), ZONE) == "01:30 PST–03:30 PDT"
        assert when_of(at(BACK, 1), at(BACK, 1, 30), ZONE) == "01:00–01:30 PDT"
        assert when_of(at(BACK, 1, second_time=True), at(BACK, 2, 30), ZONE) == "01:00–02:30 PST"
        assert when_of(at(BACK, 1, 30), at(BACK, 1, 30, second_time=True), ZONE) == "01:30 PDT–01:30 PST"
    assert not needs_zone(at(BACK, 9), at(BACK, 10), ZONE)


def test_what_overlaps_stands_side_by_side_and_what_only_touches_does_not() -> None:
    assert lanes_of([(540, 600), (600, 660)]) == [(0, 1), (0, 1)]
    assert lanes_of([(540, 660), (570, 600), (600, 660), (700, 760)]) == [(0, 2), (1, 2), (1, 2), (0, 1)]
    assert lanes_of([(540, 700), (540, 600), (560, 620), (610, 640)]) == [(0, 3), (1, 3), (2, 3), (1, 3)]


@given(st.lists(st.tuples(st.integers(0, 1400), st.integers(15, 300)), max_size=25))
def test_no_two_blocks_ever_cover_each_other(drawn: list[tuple[int, int]]) -> None:
    spans = sorted((start, start + minutes) for start, minutes in drawn)
    placed = list(zip(spans, lanes_of(spans), strict=True))
    for number, ((start, end), (lane, lanes)) in enumerate(placed):
        assert 0 <= lane < lanes
        for (other_start, other_end), (other_lane, other_lanes) in placed[:number]:
            if other_start < end and start < other_end:
                assert other_lane != lane
                assert other_lanes == lanes


@given(st.integers(0, 400), st.integers(0, 95), st.integers(1, 200))
def test_pieces_are_in_order_inside_their_days_and_never_empty(day: int, quarter: int, quarters: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=15 * quarter)
    found = list(pieces_of(start, start + timedelta(minutes=15 * quarters), ZONE))
    assert found
    assert [piece.day for piece in found] == sorted({piece.day for piece in found})
    assert all(0 <= piece.start < 1440 and piece.minutes > 0 for piece in found)
    assert all(piece.end == 1440 for piece in found[:-1])


def test_twins_of_the_hour_that_comes_twice_are_drawn_side_by_side() -> None:
    first = entry(at(BACK, 1, 15), at(BACK, 1, 45))
    again = entry(at(BACK, 1, 15, second_time=True), at(BACK, 1, 45, second_time=True), "Mia Okafor")
    blocks = blocks_by_day([first, again], ZONE)[BACK]
    assert [(block.entry.title, block.lane, block.lanes) for block in blocks] == [
        ("Leo Hart", 0, 2),
        ("Mia Okafor", 1, 2),
    ]


def test_hours_reach_as_far_as_what_is_in_them() -> None:
    assert hours_shown([]) == (7, 14)
    assert hours_shown([Piece(MONDAY, 330, 60), Piece(MONDAY, 22 * 60, 45)]) == (5, 18)
    assert hours_shown([Piece(MONDAY, 23 * 60 + 30, 60)]) == (7, 17)


def test_what_lies_outside_the_hours_shown_stands_at_their_edge() -> None:
    shown = (7 * 60, 21 * 60)
    assert fitted(Piece(MONDAY, 180, 90), *shown) == Piece(MONDAY, 420, 60)
    assert fitted(Piece(MONDAY, 405, 60), *shown) == Piece(MONDAY, 420, 60)
    assert fitted(Piece(MONDAY, 360, 180), *shown) == Piece(MONDAY, 420, 120)
    assert fitted(Piece(MONDAY, 23 * 60, 30), *shown) == Piece(MONDAY, 21 * 60 - 30, 30)
    assert fitted(Piece(MONDAY, 9 * 60, 90), *shown) == Piece(MONDAY, 9 * 60, 90)
    assert fitted(Piece(MONDAY, 420, 840), *shown) == Piece(MONDAY, 420, 840)


def test_blocks_at_the_edge_cover_nothing_that_is_there() -> None:
    early = entry(at(MONDAY, 3), at(MONDAY, 4), "Early Bird")
    usual = entry(at(MONDAY, 7), at(MONDAY, 8))
    drawn = blocks_by_day([usual, early], ZONE, (7 * 60, 21 * 60))[MONDAY]
    assert [(one.entry.title, one.piece.start, one.lane, one.lanes, one.beyond) for one in drawn] == [
        ("Early Bird", 420, 0, 2, "early"),
        ("Leo Hart", 420, 1, 2, ""),
    ]


@given(st.integers(0, 1425), st.integers(15, 300), st.integers(0, 7), st.integers(20, 24))
def test_whatever_is_drawn_lies_within_the_hours_shown(start: int, minutes: int, first: int, last: int) -> None:
    drawn = fitted(Piece(MONDAY, start, min(minutes, 1440 - start)), first * 60, last * 60)
    assert first * 60 <= drawn.start < drawn.end <= last * 60


def test_what_is_only_asked_for_makes_no_week_longer(app: Flask) -> None:
    asked = replace(entry(at(MONDAY, 3), at(MONDAY, 4)), is_firm=False)
    with app.test_request_context():
        week = draw_week(MONDAY, ZONE, at(MONDAY, 10), [asked], [], ALWAYS)
        assert (week.from_hour, week.hours) == (7, 14)
        assert [(block.start, block.when, block.beyond) for block in week.days[0].blocks] == [
            (420, "03:00–04:00", "early")
        ]
        agreed = draw_week(MONDAY, ZONE, at(MONDAY, 10), [replace(asked, is_firm=True)], [], ALWAYS)
        assert (agreed.from_hour, agreed.hours, agreed.days[0].blocks[0].start) == (3, 18, 180)


def test_today_has_its_line_and_the_openings_lie_behind(app: Flask) -> None:
    with app.test_request_context():
        opened = [(at(MONDAY, 9), at(MONDAY, 12))]
        week = draw_week(MONDAY, ZONE, at(MONDAY, 10, 30), [entry(at(MONDAY, 9), at(MONDAY, 10))], opened, ALWAYS)
        assert week.title == "Mon 23 Nov – Sun 29 Nov 2026"
        assert (week.number, week.before, week.after, week.is_now) == (48, date(2026, 11, 16), date(2026, 11, 30), True)
        assert [(day.name, day.now) for day in week.days][:2] == [("Mon", 630), ("Tue", None)]
        assert [opening.hours for opening in week.days[0].openings] == ["09:00–12:00"]
        assert not week.days_moved
        assert not draw_week(MONDAY, ZONE, at(date(2026, 12, 3), 9), [], [], ALWAYS).is_now


def test_days_before_today_are_past_only_in_today_s_week(app: Flask) -> None:
    with app.test_request_context():
        wednesday = at(date(2026, 11, 25), 9)
        week = draw_week(MONDAY, ZONE, wednesday, [], [], ALWAYS)
        assert [day.past for day in week.days] == [True, True, False, False, False, False, False]
        assert week.days_before_today == 2
        for other in (date(2026, 11, 16), date(2026, 11, 30)):
            assert draw_week(other, ZONE, wednesday, [], [], ALWAYS).days_before_today == 0


def test_a_day_is_closed_where_the_school_is_open_at_no_time_of_it(app: Flask) -> None:
    with app.test_request_context():
        sunday = date(2026, 11, 29)
        opened = [(at(date(2026, 11, 23 + n), 8), at(date(2026, 11, 23 + n), 20)) for n in range(6) if n != 2]
        week = draw_week(MONDAY, ZONE, at(MONDAY, 10), [], [], opened)
        assert [day.date.day for day in week.days if day.closed] == [25, 29]
        past_midnight = [(at(date(2026, 11, 28), 22), at(sunday, 1))]
        assert not draw_week(MONDAY, ZONE, at(MONDAY, 10), [], [], past_midnight).days[6].closed
        assert [day.closed for day in draw_week(MONDAY, ZONE, at(MONDAY, 10), [], [], ALWAYS).days] == [False] * 7
