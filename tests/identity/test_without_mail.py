"""An instance without a mail server: links are handed over by admins, and an admin's yes stands in for a confirmed e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.foundation import clock
from app.foundation.actor import STRANGER
from app.foundation.db import session
from app.foundation.models import Job
from app.identity.operations.accounts import add_user, name_operator, reset_by_hand
from app.identity.operations.credentials import set_password
from app.identity.operations.registration import accept_invitation
from app.identity.queries import find_standing_member, find_user_by_email
from tests.cast import ANA, HAL, LEO, LOU, Person, at_school
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


def test_the_link_of_a_school_does_not_claim_whom_another_invited_before(app: Flask) -> None:
    """Neither has chosen a password yet. Harbour's admin, who holds the link, would come in as the person whom Skyline invited."""
    first, second = link_on(invite(app)), link_on(invite(app, by=HAL))
    page = LintingClient(app).get(second)
    assert "ask whoever runs this Groundschool" in page.text
    assert not any(form.action == second for form in page.forms())
    refused = LintingClient(app).post(second, {"password": CHOSEN})
    assert refused.status == 409
    assert "cannot choose it" in refused.text
    user = find_user_by_email(EMAIL)
    assert user
    assert user.password_hash is None
    LintingClient(app).get(first).form("Accept the invitation").fill(password=CHOSEN).submit()
    LintingClient(app).get(second).form("Accept the invitation").fill(current=CHOSEN).submit()
    assert (standing_of(EMAIL), standing_of(EMAIL, "harbour")) == ("active", "active")


def test_whoever_comes_second_by_a_first_password_is_not_signed_in_to_the_others_account(app: Flask) -> None:
    """Both pages asked for a first password when they were shown; the other school's person was quicker."""
    first, second = link_on(invite(app)), link_on(invite(app, by=HAL))
    with app.test_request_context(), at_school("skyline"):
        user = find_user_by_email(EMAIL)
        assert user
        set_password(user, "whoever was quicker", cost=4)
        session.commit()
    with app.test_request_context(), at_school("skyline"):
        token = first.rsplit("/", 1)[1]
        assert accept_invitation(token, password=CHOSEN, cost=4, actor=STRANGER) is None
        session.rollback()
    assert standing_of(EMAIL) == "invited"
    assert LintingClient(app).get(second).status == 200


def test_an_invitation_that_came_first_claims_nobody_whom_another_school_has_let_in(app: Flask) -> None:
    first = link_on(invite(app, by=HAL))
    invite(app)
    with at_school("skyline"):
        user = find_user_by_email(EMAIL)
        member = find_standing_member(user.id) if user else None
        assert member
        member.come_in(clock.now())
        session.commit()
    assert LintingClient(app).post(first, {"password": CHOSEN}).status == 409


def test_a_link_does_not_choose_an_operators_password(app: Flask) -> None:
    """`flask user operator --create` makes one without, until they open the link that it prints."""
    user = add_user(EMAIL, password=None, cost=4)
    name_operator(user)
    session.commit()
    path = link_on(invite(app))
    assert "ask whoever runs this Groundschool" in LintingClient(app).get(path).text
    assert LintingClient(app).post(path, {"password": CHOSEN}).status == 409
    assert user.password_hash is None
    printed = reset_by_hand(user)
    session.commit()
    LintingClient(app).get(f"/password/reset/{printed}").form("Change the password").fill(password=CHOSEN).submit()
    LintingClient(app).get(path).form("Accept the invitation").fill(current=CHOSEN).submit()
    assert standing_of(EMAIL) == "active"


def test_the_page_of_the_link_reads_the_same_whoever_is_invited(app: Flask) -> None:
    name_operator(add_user("op@elsewhere.example", password=None, cost=4))
    session.commit()
    read = {
        re.sub(r"https?://\S+", "…", invite(app, email).text) for email in (EMAIL, "op@elsewhere.example", LOU.email)
    }
    assert len(read) == 1


def test_a_link_does_not_let_in_whose_password_nobody_gave_though_their_mailbox_was_proven_once(app: Flask) -> None:
    path = link_on(invite(app, LOU.email))
    assert LintingClient(app).post(path, {}).status == 422
    assert standing_of(LOU.email) == "invited"


def test_a_printed_link_proves_no_mailbox_and_takes_no_second_factor(app: Flask) -> None:
    """Losing one's phone is another thing than losing one's password: `flask user second-factor --remove`."""
    leo = find_user_by_email(LEO.email)
    assert leo
    leo.email_confirmed_at, leo.totp_cipher, leo.totp_confirmed_at = None, b"a secret", clock.now()
    printed = reset_by_hand(leo)
    session.commit()
    LintingClient(app).get(f"/password/reset/{printed}").form("Change the password").fill(password=CHOSEN).submit()
    form = LintingClient(app).get("/login").form("Sign in")
    assert form.fill(email=LEO.email, password=CHOSEN).submit().h1 == "One more step"
    assert leo.email_confirmed_at is None


def test_a_link_that_was_handed_over_proves_no_mailbox_once_there_is_mail(app: Flask) -> None:
    first, second = link_on(invite(app)), link_on(invite(app, by=HAL))
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], demo=True)
    assert LintingClient(app).post(second, {"password": CHOSEN}).status == 409
    LintingClient(app).get(first).form("Accept the invitation").fill(password=CHOSEN).submit()
    user = find_user_by_email(EMAIL)
    assert user
    assert (standing_of(EMAIL), user.email_confirmed_at) == ("active", None)


def test_whoever_registers_with_a_known_address_does_not_get_into_its_account(app: Flask) -> None:
    """The admin's yes lets the account's person in, who has the password; the stranger has chosen none."""
    ask_to_join(app, LOU.email)
    lou = LintingClient(app).sign_in(LOU)
    assert lou.get("/skyline/standing").status == 404
    LintingClient(app).sign_in(ANA).get("/skyline/people?status=pending").link("Nia Obi").follow().form(
        "Approve"
    ).submit()
    assert standing_of(LOU.email) == "active"
    form = LintingClient(app).get("/login").form("Sign in")
    assert form.fill(email=LOU.email, password=CHOSEN).submit().status == 422
    assert LintingClient(app).sign_in(LOU, school="").get("/skyline/standing").location == "/skyline/"


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
