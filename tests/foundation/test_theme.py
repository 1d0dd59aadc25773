"""Light or dark: a form, kept in the cookie, back to where one was."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cast import LEO
from tests.client import LintingClient


def choose(client: LintingClient, theme: str, referrer: str = "http://localhost/skyline/week") -> str:
    return client.post("/theme", {"theme": theme}, headers={"Referer": referrer}).location


def test_the_choice_is_kept(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    assert client.get("/skyline/").tree.get("data-theme") == "auto"
    choose(client, "dark")
    assert client.get("/skyline/").tree.get("data-theme") == "dark"
    choose(client, "sepia")
    assert client.get("/skyline/").tree.get("data-theme") == "dark"


def test_it_leads_back_to_where_one_was_behind_a_proxy_too(app: Flask) -> None:
    """A proxy that speaks HTTPS asks us by HTTP: the page's address and ours differ by the scheme."""
    client = LintingClient(app).sign_in(LEO)
    assert choose(client, "dark", "https://localhost/skyline/week?view=list") == "/skyline/week?view=list"


@pytest.mark.parametrize(
    "referrer",
    [
        "http://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost//evil.example/",
        "http://localhost\\@evil.example/",
        "http://[",
        "",
    ],
)
def test_it_leads_back_only_to_pages_of_ours(app: Flask, referrer: str) -> None:
    client = LintingClient(app).sign_in(LEO)
    assert choose(client, "light", referrer) == "/"
