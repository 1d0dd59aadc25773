"""Replies: the same to a reader and to htmx, each sentence said once."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cast import ANA, LEO
from tests.client import PARTIAL, LintingClient

SAID = "Balloons is added."


@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["plain", "htmx"])
def test_what_a_deed_did_is_said_once_on_the_page_it_leads_to(app: Flask, headers: dict[str, str]) -> None:
    """htmx follows a 303 with its headers, so that the page answers without its frame."""
    client = LintingClient(app).sign_in(ANA)
    fields = {"name": "Balloons", "parent": "", "once": "a key of a test, 1"}
    page = client.post("/skyline/departments", fields, headers=headers, follow=True)
    assert page.text.count(SAID) == 1
    assert ('hx-target="#flash"' in page.answer.text) == bool(headers)
    assert SAID not in client.get("/skyline/departments", headers=headers).text


def test_a_part_brings_what_was_said_along_once(app: Flask) -> None:
    """A form that is shown again is no page, so nothing in it would show the sentence."""
    client = LintingClient(app)
    token = client.csrf_token()
    with client.browser.session_transaction() as cookie:
        cookie["_flashes"] = [("ok", SAID)]
    again = client.partial("/login", {"email": LEO.email, "password": "wrong", "csrf_token": token})
    assert (again.status, again.text.count(SAID)) == (422, 1)
