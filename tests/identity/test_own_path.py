"""Signing in leads to pages of ours only, and what was typed is put back only for whoever typed it here."""

from __future__ import annotations

import json
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.views.cut_off import own_path
from tests.cast import LEO, PASSWORD
from tests.client import LintingClient

ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil.example",
    "/\t/evil.example", "\t//evil.example", "/ /evil.example", "/%0d%0aSet-Cookie:x=y\r\n", "http:/evil.example", "/a\\..\\b",
    "", None, "///evil.example", "/\x00/evil.example",
]  # fmt: skip
OURS = ["/", "/skyline/", "/skyline/week?day=2026-11-23", "/skyline/courses/7#part", "/login?next=%2Fskyline%2F"]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_another_site_is_never_followed(path: str | None) -> None:
    assert own_path(path) == ""


@pytest.mark.parametrize("path", OURS)
def test_a_path_of_ours_is(path: str) -> None:
    assert own_path(path) == path


PIECES = st.sampled_from(
    [
        "/",
        "\\",
        "//",
        "http:",
        "https:",
        "javascript:",
        "@",
        "evil.example",
        "\t",
        "\n",
        "%2f",
        "?",
        "#",
        ":",
        ".",
        "a",
        " ",
    ]
)


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join)))
def test_whatever_is_given_a_browser_stays_here(path: str) -> None:
    kept = own_path(path)
    if kept:
        # Browsers read a backslash as a slash and drop tabs and line ends before they look where an address leads.
        as_read = kept.replace("\\", "/").translate({9: None, 10: None, 13: None})
        assert urlsplit(urljoin("https://ours.example/login", as_read))[:2] == ("https", "ours.example")


def test_next_leads_back_and_never_away(app: Flask) -> None:
    for asked, led in (("/skyline/week", "/skyline/week"), ("https://evil.example/", "/skyline/")):
        client = LintingClient(app)
        form = client.get(f"/login?tenant=skyline&next={asked}").form("Sign in")
        assert form.fill(email=LEO.email, password=PASSWORD).submit(follow=False).location == led


@pytest.mark.parametrize(
    "resume",
    [
        "{",
        "[]",
        '{"path": "/skyline/"}',
        '{"path": "//evil.example", "fields": []}',
        '{"path": 7, "fields": []}',
        '{"path": "/", "fields": [1]}',
        "[" * 100_000,
    ],
)
def test_kept_fields_that_were_tampered_with_are_left_behind(app: Flask, resume: str) -> None:
    client = LintingClient(app)
    token = client.csrf_token()
    fields = {"email": LEO.email, "password": PASSWORD, "csrf_token": token, "resume": resume}
    answer = client.post("/login", fields)
    assert (answer.status, answer.location) == (303, "/skyline/")


def test_secrets_are_never_put_back(app: Flask) -> None:
    client = LintingClient(app)
    typed = [["note", "kept"], ["password", "secret-word"], ["csrf_token", "old-token"]]
    fields = {
        "email": LEO.email, "password": PASSWORD, "csrf_token": client.csrf_token(),
        "resume": json.dumps({"path": "/skyline/bookings", "fields": typed}),
    }  # fmt: skip
    page = client.post("/login", fields)
    assert page.status == 200
    assert "kept" in page.text
    for secret in ("secret-word", "old-token"):
        assert secret not in page.html


@pytest.mark.parametrize(
    ("headers", "is_kept"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_a_page_of_ours_may_leave_words(app: Flask, headers: dict[str, str], is_kept: bool) -> None:
    answer = app.test_client().post("/skyline/bookings", data={"note": "gusts-and-squalls"}, headers=headers)
    assert answer.status_code == 401
    assert ("gusts-and-squalls" in answer.text) == is_kept


def test_signed_in_already_leads_on(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    assert client.get("/login").location == "/schools"
    assert client.get("/").location == "/schools"
    assert client.get("/schools").location == "/skyline/"
    assert LintingClient(app).get("/").location == "/login"


def test_somebody_of_no_school_is_told_so(app: Flask) -> None:
    from app.foundation import db, tenancy
    from app.identity.operations.accounts import add_user
    from tests.cast import Person

    with tenancy.tenant_scope(None):
        add_user("nobody@nowhere.example", password=PASSWORD, cost=4)
        db.session.commit()
    client = LintingClient(app).sign_in(Person("nobody@nowhere.example", ""), school="")
    assert "You do not belong to a school" in client.get("/schools").text
    assert client.get("/skyline/").status == 404
