"""A post whose session has ended: nothing typed is lost, and nobody else's fields are put before a person."""

from __future__ import annotations

import re

from flask import Flask

from tests.cast import ANA, PASSWORD
from tests.identity.test_sign_in import sign_in

TYPED = {"theme_word": "gusts & squalls", "password": "typed secret"}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found
    return found.group(1).replace("&#34;", '"').replace("&amp;", "&")


def test_what_was_typed_is_one_press_away_after_signing_in_again(app: Flask) -> None:
    client = app.test_client()
    cut_off = client.post("/skyline/stuck-work/1/replay", data=TYPED, headers={"Origin": "http://localhost"})
    assert cut_off.status_code == 401
    assert "typed secret" not in cut_off.text

    kept = {name: hidden(cut_off.text, name) for name in ("csrf_token", "tenant", "resume")}
    resumed = client.post("/login", data={**kept, "email": ANA.email, "password": PASSWORD})
    assert resumed.status_code == 200
    assert "gusts &amp; squalls" in resumed.text
    assert 'action="/skyline/stuck-work/1/replay"' in resumed.text

    sent = client.post("/skyline/stuck-work/1/replay", data={"csrf_token": hidden(resumed.text, "csrf_token")})
    assert sent.status_code == 404  # the deed is reached: there is no such job


def test_fields_from_another_site_are_not_kept(app: Flask) -> None:
    answer = app.test_client().post(
        "/skyline/stuck-work/1/replay", data=TYPED, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 401
    assert "gusts" not in answer.text


def test_a_partial_post_lands_in_main(app: Flask) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    answer = app.test_client().post("/skyline/stuck-work/1/replay", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Retarget"] == "#main"


def test_a_partial_page_leads_to_sign_in(app: Flask) -> None:
    answer = app.test_client().get("/skyline/stuck-work", headers={"HX-Request-Type": "partial"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login?next=")


def test_signing_out_ends_the_session(app: Flask) -> None:
    client, _answer = sign_in(app, ANA)
    page = client.get("/schools?stay=1").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert client.post("/logout", data={"csrf_token": token.group(1)}).location == "/login?left=1"
    assert client.get("/schools").location.startswith("/login")
