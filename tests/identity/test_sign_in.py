"""Signing in: by e-mail and password, to a school or to the choice between several."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.cast import ANA, BO, LEO, PASSWORD, Person


def sign_in(app: Flask, person: Person, **over: str):  # type: ignore[no-untyped-def]
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token
    fields = {"email": person.email, "password": PASSWORD, "csrf_token": token.group(1), **over}
    return client, client.post("/login", data=fields)


def test_a_person_of_one_school_lands_on_its_home(app: Flask) -> None:
    _client, answer = sign_in(app, ANA)
    assert answer.status_code == 303
    assert answer.location == "/skyline/"


def test_a_person_of_two_schools_chooses(app: Flask) -> None:
    client, answer = sign_in(app, BO)
    assert answer.location == "/schools"
    page = client.get("/schools").text
    assert "Skyline Flight School" in page
    assert "Harbour Aviation Academy" in page


def test_a_wrong_password_keeps_the_email_and_says_so(app: Flask) -> None:
    _client, answer = sign_in(app, LEO, password="not it")
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert LEO.email in answer.text
    assert "not it" not in answer.text


def test_a_stranger_is_led_to_sign_in_and_back(app: Flask) -> None:
    answer = app.test_client().get("/skyline/stuck-work?x=1")
    assert answer.status_code == 303
    assert answer.location == "/login?next=/skyline/stuck-work?x%3D1"


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/login?next=/skyline/profile", "/skyline/profile"),
        ("/login?next=https://elsewhere.example/", "/schools"),
        ("/login", "/schools"),
    ],
)
def test_who_is_signed_in_is_led_on_from_the_sign_in_page(app: Flask, address: str, leads_to: str) -> None:
    client, _answer = sign_in(app, LEO)
    assert client.get(address).location == leads_to


@pytest.mark.parametrize(("person", "offered"), [(BO, True), (LEO, False)])
def test_the_way_to_another_school_is_offered_to_who_has_one(app: Flask, person: Person, offered: bool) -> None:
    """And costs no statement: the cookie says how many schools there were when it was last looked."""
    client, _answer = sign_in(app, person)
    assert ("Switch school" in client.get("/skyline/profile").text) == offered
    assert "Your schools" in client.get("/account").text


def test_a_member_of_another_school_finds_nothing(app: Flask) -> None:
    client, _answer = sign_in(app, LEO)
    assert client.get("/harbour/stuck-work").status_code == 404
    assert client.get("/skyline/stuck-work").status_code == 403
