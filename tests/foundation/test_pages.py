"""Keyset pages: forward and back show every row once, in order, whatever the ties; a broken link is a 400."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from app.analytics.models import Rollup
from app.foundation import clock, pages
from app.foundation.db import session
from app.foundation.pages import Page, list_query, paginate, paginate_rows
from app.foundation.refusals import BadRequest
from app.identity.models import Membership
from tests.cast import at_school


def walk(ask: Any) -> list[list[Any]]:
    """The ids of every page, forward to the end; each page back leads to the one before it."""
    forward: list[Page[Any]] = [ask("")]
    while forward[-1].after:
        forward.append(ask(forward[-1].after))
    for earlier, later in zip(forward[-2::-1], forward[:0:-1], strict=True):
        back = ask(later.before)
        assert [row.id for row in back.rows] == [row.id for row in earlier.rows]
        assert bool(back.before) == bool(earlier.before)
        assert back.after
    assert forward[0].before is None
    return [[row.id for row in page.rows] for page in forward]


@pytest.mark.parametrize("descending", [False, True])
def test_every_row_is_shown_once_in_order(app: Flask, descending: bool) -> None:
    @settings(max_examples=25)
    @given(values=st.lists(st.integers(0, 3), max_size=23), size=st.integers(1, 7))
    def holds(values: list[int], size: int) -> None:
        with session.begin_nested() as undone:
            rows = [
                {
                    "tenant_id": skyline.id,
                    "day": clock.today("UTC"),
                    "measure": str(n),
                    "value": v,
                    "counted_at": clock.now(),
                }
                for n, v in enumerate(values)
            ]
            if rows:
                session.execute(insert(Rollup), rows)
            by = (Rollup.value, Rollup.id)
            found = walk(lambda cursor: paginate(select(Rollup), by, cursor=cursor, descending=descending, size=size))
            wanted = sorted(session.execute(select(Rollup.value, Rollup.id)), reverse=descending)
            assert [number for page in found for number in page] == [number for _value, number in wanted]
            assert all(len(page) == size for page in found[:-1])
            undone.rollback()

    with at_school("skyline") as skyline:
        holds()


KEPT_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=2)


@settings(max_examples=50)
@given(values=st.lists(st.tuples(st.integers(0, 3), KEPT_TEXT), max_size=23, unique=True), size=st.integers(1, 7))
def test_rows_of_no_table_are_paged_in_the_same_way(values: list[tuple[int, str]], size: int) -> None:
    rows = [SimpleNamespace(id=value) for value in values]
    found = walk(lambda cursor: paginate_rows(rows, lambda row: row.id, (int, str), cursor=cursor, size=size))
    assert [value for page in found for value in page] == sorted(values)
    assert all(len(page) == size for page in found[:-1])


def test_a_row_that_is_gone_leaves_its_page_where_it_was() -> None:
    rows = [SimpleNamespace(id=(number,)) for number in range(6)]
    ask = lambda rows, cursor: paginate_rows(rows, lambda row: row.id, (int,), cursor=cursor, size=2)  # noqa: E731
    first = ask(rows, "")
    later = ask(rows[2:], first.after or "")
    assert [row.id for row in later.rows] == [(2,), (3,)]


def test_a_new_row_shifts_nothing(app: Flask) -> None:
    with at_school("skyline"):
        first = paginate(select(Membership), (Membership.name_key, Membership.id), size=5)
        session.add(Membership(user_id=first.rows[0].user_id + 10_000, name="Aaa", name_key="aaa", roles=["learner"]))
        with session.no_autoflush:
            second = paginate(
                select(Membership), (Membership.name_key, Membership.id), cursor=first.after or "", size=5
            )
        session.expunge_all()
    assert not {m.id for m in first.rows} & {m.id for m in second.rows}


def test_whole_rows_carry_their_columns(app: Flask) -> None:
    with at_school("skyline"):
        statement = select(Membership.name_key, Membership.id, Membership.name)
        by = (Membership.name_key, Membership.id)
        first = paginate(statement, by, size=3, scalars=False)
        assert first.rows[0].name
        assert len(paginate(statement, by, cursor=first.after or "", size=3, scalars=False).rows) == 3


def test_a_page_beyond_the_end_is_the_first_one(app: Flask) -> None:
    """Whoever has worked off the last page and reloads it finds what is left."""
    with at_school("skyline"):
        by = (Membership.name_key, Membership.id)
        beyond = paginate(select(Membership), by, cursor=cursor_of("n", "zzzz", 1), size=3)
        assert beyond.rows == paginate(select(Membership), by, size=3).rows
        assert beyond.before is None
        nothing = select(Membership).where(Membership.id < 0)
        assert paginate(nothing, by, cursor=cursor_of("n", "zzzz", 1)).rows == []
    rows = [SimpleNamespace(id=number) for number in range(5)]
    at_hand = paginate_rows(rows, lambda row: (row.id,), (int,), cursor=cursor_of("n", 9), size=3)
    assert [row.id for row in at_hand.rows] == [0, 1, 2]
    assert paginate_rows([], lambda row: (row.id,), (int,), cursor=cursor_of("n", 9)).rows == []


def cursor_of(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


BROKEN = [
    "x", "é", "////", cursor_of("x", 1, 2), cursor_of("n", 1), cursor_of("n", "a", "b"), cursor_of("n", 1, True),
    cursor_of("n", 1, 2**63), cursor_of("n", None, 1), cursor_of(), cursor_of("n", [1], {}), cursor_of("n", 1, 1.5),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(), base64.urlsafe_b64encode(b"7").decode(),
]  # fmt: skip


@pytest.mark.parametrize("cursor", BROKEN)
def test_a_broken_cursor_is_a_bad_request_without_a_table_too(app: Flask, cursor: str) -> None:
    with app.test_request_context(), pytest.raises(BadRequest):
        paginate_rows([SimpleNamespace(id=(1, 2))], lambda row: row.id, (int, int), cursor=cursor)


@pytest.mark.parametrize("cursor", BROKEN)
def test_a_broken_cursor_is_a_bad_request(app: Flask, cursor: str) -> None:
    with at_school("skyline"), pytest.raises(BadRequest):
        paginate(select(Rollup), (Rollup.value, Rollup.id), cursor=cursor)


def test_no_text_at_all_breaks_a_list(app: Flask) -> None:
    @settings(max_examples=60)
    @given(st.text(max_size=60))
    def holds(cursor: str) -> None:
        with suppress(BadRequest):
            paginate(select(Rollup), (Rollup.value, Rollup.id), cursor=cursor)

    with at_school("skyline"):
        holds()


def test_a_zero_byte_in_a_cursor_is_a_bad_request(app: Flask) -> None:
    with at_school("skyline"), pytest.raises(BadRequest):
        paginate(select(Membership), (Membership.name_key, Membership.id), cursor=cursor_of("n", "a\x00", 1))


@pytest.mark.parametrize("value", ["2026-11-24", "never"])
def test_days_travel_in_cursors(app: Flask, value: str) -> None:
    with at_school("skyline"):
        ask = lambda: paginate(select(Rollup), (Rollup.day, Rollup.id), cursor=cursor_of("n", value, 1))  # noqa: E731
        if value == "never":
            with pytest.raises(BadRequest):
                ask()
        else:
            ask()


SORTS = {"name": "By name", "newest": "Newest"}
STATES = {"open": "Open", "done": "Done"}


def asked(app: Flask, url: str) -> pages.ListQuery:
    with app.test_request_context(url):
        return list_query(sorts=SORTS, state=STATES)


def test_the_url_says_what_to_list(app: Flask) -> None:
    query = asked(app, "/?search=%20wind%00%20%20shear&state=done&sort=newest&cursor=abc")
    assert (query.search, query.get("state"), query.sort, query.cursor) == ("wind shear", "done", "newest", "abc")
    assert query.is_narrowed
    plain = asked(app, "/?state=")
    assert (plain.sort, plain.get("state"), plain.is_narrowed) == ("name", None, False)


@pytest.mark.parametrize("url", ["/?state=lost", "/?sort=worst", "/?search=" + "x" * 101])
def test_what_the_list_does_not_know_is_a_bad_request(app: Flask, url: str) -> None:
    with pytest.raises(BadRequest):
        asked(app, url)


def test_the_way_on_keeps_filters(app: Flask) -> None:
    with app.test_request_context("/list?state=done&cursor=old"):
        page: Page[Any] = Page([], before=None, after="new")
        assert page.next_url == "/list?state=done&cursor=new"
        assert page.prev_url is None
