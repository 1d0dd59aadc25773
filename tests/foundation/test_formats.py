"""Times as people say them, in the reader's zone, with the zone named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from app.foundation import clock, formats
from tests.cast import at_school

LA, LONDON = "America/Los_Angeles", "Europe/London"


@pytest.mark.parametrize(
    ("instant", "zone", "words"),
    [
        (datetime(2026, 11, 24, 17, tzinfo=UTC), LA, "Tue 24 Nov, 09:00 PST"),
        (datetime(2026, 7, 1, 16, tzinfo=UTC), LA, "Wed 1 Jul, 09:00 PDT"),
        (datetime(2026, 7, 1, 8, tzinfo=UTC), LONDON, "Wed 1 Jul, 09:00 BST"),
        (datetime(2026, 1, 1, 9, tzinfo=UTC), LONDON, "Thu 1 Jan, 09:00 GMT"),
        (datetime(2026, 1, 1, 9, tzinfo=UTC), "Asia/Kathmandu", "Thu 1 Jan, 14:45 UTC+0545"),
        (datetime(2026, 1, 1, 9, tzinfo=UTC), "America/Sao_Paulo", "Thu 1 Jan, 06:00 UTC-03"),
        (datetime(2026, 11, 1, 8, 30, tzinfo=UTC), LA, "Sun 1 Nov, 01:30 PDT"),
        (datetime(2026, 11, 1, 9, 30, tzinfo=UTC), LA, "Sun 1 Nov, 01:30 PST"),
        (datetime(2026, 3, 8, 10, 0, tzinfo=UTC), LA, "Sun 8 Mar, 03:00 PDT"),
    ],
)
def test_an_instant(app: Flask, instant: datetime, zone: str, words: str) -> None:
    with app.test_request_context():
        assert formats.when(instant, zone) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (datetime(2026, 11, 24, 17, tzinfo=UTC), datetime(2026, 11, 24, 19, tzinfo=UTC), "Tue 24 Nov, 09:00–11:00 PST"),
        (
            datetime(2026, 11, 25, 7, tzinfo=UTC),
            datetime(2026, 11, 25, 9, tzinfo=UTC),
            "Tue 24 Nov, 23:00 – Wed 25 Nov, 01:00 PST",
        ),
        (datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2026, 11, 1, 10, tzinfo=UTC), "Sun 1 Nov, 01:00–02:00 PST"),
    ],
)
def test_a_stretch_of_time(app: Flask, start: datetime, end: datetime, words: str) -> None:
    with app.test_request_context():
        assert formats.span(start, end, LA) == words


def test_days_and_clocks(app: Flask) -> None:
    late = datetime(2026, 11, 25, 7, 59, 59, tzinfo=UTC)
    with app.test_request_context():
        assert formats.day(late, LA) == "Tue 24 Nov"
        assert formats.day(date(2026, 11, 25), LA) == "Wed 25 Nov"
        assert formats.clock_time(late, LA) == "23:59"


def test_the_reader_s_zone_is_the_school_s_else_utc(app: Flask) -> None:
    with app.test_request_context():
        assert formats.reader_zone() == "UTC"
        with at_school("harbour"):
            assert formats.reader_zone() == LONDON


def test_names_sort_as_people_do() -> None:
    names = ["Zoë", "ärmel", "Anna", "Øystein", "Łukasz", "Lena", "Oskar", "Émile", "Emil"]
    assert sorted(names, key=formats.sort_key) == [
        "Anna", "ärmel", "Emil", "Émile", "Lena", "Łukasz", "Oskar", "Øystein", "Zoë",
    ]  # fmt: skip


def test_today_depends_on_where() -> None:
    assert clock.now().tzinfo is UTC
    assert 0 <= (clock.today("Pacific/Kiritimati") - clock.today(ZoneInfo("Pacific/Pago_Pago"))).days <= 2


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (date(2026, 11, 4), "Wed 4 Nov"),
        (date(2028, 11, 4), "Sat 4 Nov 2028"),
        (date(2025, 12, 31), "Wed 31 Dec 2025"),
        (datetime(2027, 1, 1, 7, tzinfo=UTC), "Thu 31 Dec"),
        (datetime(2027, 1, 1, 9, tzinfo=UTC), "Fri 1 Jan 2027"),
    ],
)
def test_a_day_of_another_year_says_which(app: Flask, value: date, words: str) -> None:
    with app.test_request_context(), time_machine.travel(datetime(2026, 11, 24, 18, tzinfo=UTC), tick=False):
        assert formats.day(value, LA) == words
