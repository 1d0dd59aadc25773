"""An instance without a mail server: links are handed over by admins, and an admin's yes stands in for a confirmed e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.foundation.db import session
from app.foundation.models import Job
from app.identity.queries import find_user_by_email
from tests.cast import ANA, HAL, Person
from tests.client import LintingClient, Page
from tests.identity.test_register import NIA, ask_to_join, sign_in, standing_of

EMAIL = "ines@elsewhere.example"
CHOSEN = "gusting from the west"


@pytest.fixture(autouse=True)
def _no_mail(app: Flask) -> Iterator[None]:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, demo=False, smtp_url="")
    yield
    app.config["SETTINGS"] = settings


def invite(app: Flask, email: str = EMAIL, by: Person = ANA) -> Page:
    page = LintingClient(app).sign_in(by).get(f"/{by.slug}/people/new")
    return page.form("Add person").fill(how="invite", name="Ines Roy", email=email).submit()


def link_on(page: Page) -> str:
    shown = re.search(r"https?://[^/\s]+(/\w+/invitation/[\w-]+)", page.text)
    assert shown, page.text
    return shown.group(1)


def test_an_admin_is_shown_the_link_once_and_the_person_comes_in_by_it(app: Flask) -> None:
    page = invite(app)
    assert "on its way" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    LintingClient(app).get(link_on(page)).form("Accept the invitation").fill(password=CHOSEN).submit()
    assert standing_of(EMAIL) == "active"
    assert session.scalar(select(func.count()).where(Job.kind == "identity.send_link_mail")) == 0


def test_a_new_link_is_made_on_the_persons_page_and_voids_the_one_before(app: Flask) -> None:
    page = invite(app)
    first = link_on(page)
    page = page.link("To their page").follow().form("Make a link").submit()
    assert link_on(page) != first
    assert LintingClient(app).get(first).status == 410
    assert LintingClient(app).get(link_on(page)).status == 200


def test_a_link_opens_no_account_that_has_a_password(app: Flask) -> None:
    """The admin of another school holds the link: it must not be a way into somebody's account, nor let a squatter in."""
    LintingClient(app).get(link_on(invite(app))).form("Accept the invitation").fill(password=CHOSEN).submit()
    path = link_on(invite(app, by=HAL))
    page = LintingClient(app).get(path)
    page = page.form("Accept the invitation").fill(current="the password of another").submit()
    assert page.status == 422
    assert "ask whoever runs this Groundschool" in page.text
    assert standing_of(EMAIL, "harbour") == "invited"
    page.form("Accept the invitation").fill(current=CHOSEN).submit()
    assert standing_of(EMAIL, "harbour") == "active"
    sign_in(app, EMAIL, CHOSEN)


def test_a_list_says_how_its_people_get_their_links(app: Flask) -> None:
    page = LintingClient(app).sign_in(ANA).get("/skyline/people/imports")
    page = page.form("Review the list").fill(pasted=f"Name,E-mail\nInes Roy,{EMAIL}", how="invite").submit()
    assert "by mail" not in page.text
    page = page.form("Carry out").submit()
    assert "Take each one's link from their page" in page.text
    assert "Ines Roy" in page.text


def test_who_asks_to_join_waits_for_an_admin_and_is_let_in_unconfirmed(app: Flask) -> None:
    assert "Your request is with the school" in ask_to_join(app).text
    page = sign_in(app).get("/skyline/standing")
    assert page.h1 == "Your request is with the school"
    admin = LintingClient(app).sign_in(ANA)
    page = admin.get("/skyline/people?status=pending")
    assert "not confirmed" not in page.text
    user = find_user_by_email(NIA.email)
    assert user
    page.link("Nia Obi").follow().form("Approve").submit()
    assert standing_of(NIA.email) == "active"
    assert user.email_confirmed_at is None
