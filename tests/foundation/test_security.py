"""The headers of every answer. That no page lacks one is the linting client's to find."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from app.foundation.security import STANDING_HEADERS
from tests.client import LintingClient
from tests.conftest import second_app


@pytest.mark.parametrize("path", ["/login", "/nowhere/", "/healthz", "/static/nothing.css", "/metrics"])
def test_each_answer_carries_the_standing_headers(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers
    assert {name: headers.getlist(name) for name in STANDING_HEADERS} == {k: [v] for k, v in STANDING_HEADERS.items()}


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_caches_learn_all_that_a_page_depends_on(app: Flask, coding: str) -> None:
    """Also where the cookie is written, as on the first visit, and where the page is compressed."""
    client = app.test_client()
    for path in ("/login", "/login", "/nowhere/"):
        headers = client.get(path, headers={"Accept-Encoding": coding}).headers
        assert headers.getlist("Vary") == ["Accept-Encoding, Cookie, HX-Request, HX-Request-Type"]
        assert headers.get("Content-Encoding", "identity") == coding


def test_what_no_page_needs_is_denied_to_all() -> None:
    denied = STANDING_HEADERS["Permissions-Policy"]
    assert all(f"{power}=()" in denied for power in ("camera", "microphone", "geolocation"))


@pytest.mark.parametrize(
    ("demo", "base_url", "asked"),
    [
        (False, "https://training.example", True),
        (False, "http://training.example", False),
        (False, "", False),
        (True, "https://demo.example", False),
    ],
)
def test_https_is_asked_for_where_people_come_by_it(app: Flask, demo: bool, base_url: str, asked: bool) -> None:
    settings = replace(app.config["SETTINGS"], demo=demo, base_url=base_url)
    headers = second_app(settings).test_client().get("/login").headers
    assert headers.get("Strict-Transport-Security") == ("max-age=31536000" if asked else None)
    assert "Strict-Transport-Security" not in LintingClient(app).get("/login").headers
