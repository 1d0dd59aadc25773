"""Signing in: by e-mail and password, to a school or to the choice between several."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.console.operations import suspend_school
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.operations.people import approve_members, reinstate_member, suspend_member
from app.identity.operations.registration import invite
from app.identity.queries import find_standing_member, find_user_by_email
from app.tenants.models import Tenant
from tests.cast import ANA, BO, HAL, LEO, PASSWORD, Person, actor, at_school, member, school
from tests.client import LintingClient
from tests.identity.mailbox import sent


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
    """And costs no statement: the sign-in lookup says it beside."""
    client, _answer = sign_in(app, person)
    assert ("Switch school" in client.get("/skyline/profile").text) == offered
    assert "Your schools" in client.get("/account").text


def offers_the_switch(client: LintingClient) -> bool:
    return "Switch school" in client.get("/skyline/profile").text


def test_the_switch_comes_and_goes_with_a_membership_elsewhere(app: Flask) -> None:
    """On the next page, whoever let them in, and without signing in again."""
    leo = LintingClient(app).sign_in(LEO)
    assert not offers_the_switch(leo)
    leo.get("/harbour/register").form("Ask to join").fill(name="Leo Hart").submit()
    assert not offers_the_switch(leo)
    with app.test_request_context(), at_school("harbour"):
        user = find_user_by_email(LEO.email)
        assert user
        there = find_standing_member(user.id)
        assert there
        approve_members([there.id], actor=actor(HAL))
        session.commit()
    assert offers_the_switch(leo)
    with app.test_request_context(), at_school("harbour"):
        suspend_member(member(LEO), reason="Fees", actor=actor(HAL))
        session.commit()
    assert not offers_the_switch(leo)
    with app.test_request_context(), at_school("harbour"):
        found = find_standing_member(there.user_id)
        assert found
        reinstate_member(found, actor=actor(HAL))
        session.commit()
    assert offers_the_switch(leo)
    with app.test_request_context():
        suspend_school(session.get_one(Tenant, school("harbour").id), reason="Fees", actor=Actor())
        session.commit()
    assert not offers_the_switch(leo)


def test_an_accepted_invitation_brings_the_switch(app: Flask) -> None:
    leo = LintingClient(app).sign_in(LEO)
    with app.test_request_context(), at_school("harbour"):
        invite(email=LEO.email, name="Leo Hart", roles=[Role.LEARNER], actor=actor(HAL))
        session.commit()
    (mail,) = sent(app, "harbour")
    leo.get(mail.path).form("Accept the invitation").submit()
    assert offers_the_switch(leo)


def test_a_member_of_another_school_finds_nothing(app: Flask) -> None:
    client, _answer = sign_in(app, LEO)
    assert client.get("/harbour/stuck-work").status_code == 404
    assert client.get("/skyline/stuck-work").status_code == 403
