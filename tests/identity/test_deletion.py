"""Ending one's own account: by whom no school knows, who proves that it is theirs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import PlatformEntry
from app.foundation import clock
from app.foundation.db import session
from app.identity.models import Membership, OneUseToken, User, UserSession
from app.identity.operations.accounts import add_user
from app.identity.queries import find_user_by_email
from tests.cast import ANA, BO, LEO, OPERATOR, PASSWORD, Person, at_school, member
from tests.client import LintingClient, Page
from tests.identity.test_register import ask_to_join
from tests.identity.test_second_factor import code_of, turn_on

NIA = Person("nia@elsewhere.example", "")
DELETION = "/account/deletion"


@pytest.fixture(autouse=True)
def nia(app: Flask) -> User:
    """Somebody whose e-mail is confirmed, and whom no school knows."""
    made = add_user(NIA.email, password=PASSWORD, cost=4)
    made.email_confirmed_at = clock.now()
    session.commit()
    return made


def delete(client: LintingClient, **typed: str) -> Page:
    return client.get(DELETION).form("Delete my account").fill({"password": PASSWORD, **typed}).submit()


def entries(user_id: int) -> list[str]:
    found = select(PlatformEntry.action).where(PlatformEntry.user_id == user_id).order_by(PlatformEntry.id)
    return list(session.scalars(found))


def stands_at_skyline(user: User, **values: Any) -> None:
    with at_school("skyline"):
        row = Membership(user_id=user.id, name="Nia Obi", name_key="nia obi", roles=["learner"], tags=[])
        row.status = values.get("status", "active")
        session.add(row)
        session.commit()


def test_whom_no_school_knows_deletes_their_account(app: Flask, nia: User) -> None:
    elsewhere, client = LintingClient(app).sign_in(NIA), LintingClient(app).sign_in(NIA)
    LintingClient(app).get("/password/forgotten").form("Send the link").fill(email=NIA.email).submit()
    page = client.get("/schools").link("Delete your account").follow()
    page = page.form("Delete my account").fill(password=PASSWORD).submit()
    assert page.path.startswith("/login")
    assert "Your account is deleted." in page.text
    session.expire_all()
    assert find_user_by_email(NIA.email) is None
    gone = session.get_one(User, nia.id)
    assert (gone.password_hash, gone.email_confirmed_at, gone.erased_at is None) == (None, None, False)
    assert entries(nia.id)[-1] == "account.deleted"
    assert not session.scalars(
        select(UserSession).where(UserSession.user_id == nia.id, UserSession.ended_at.is_(None))
    ).all()
    assert not session.scalars(select(OneUseToken).where(OneUseToken.user_id == nia.id)).all()
    for signed_out in (client, elsewhere):
        assert signed_out.get("/account").location.startswith("/login")
    again = LintingClient(app).sign_in_form().fill(email=NIA.email, password=PASSWORD).submit()
    assert "do not belong together" in again.text


def test_the_account_page_leads_there(app: Flask) -> None:
    assert LintingClient(app).sign_in(NIA).get("/account").link("Delete your account").follow().path == DELETION


def test_a_wrong_password_deletes_nothing_and_is_recorded(app: Flask, nia: User) -> None:
    page = delete(LintingClient(app).sign_in(NIA), password="not it")
    assert page.status == 409
    assert "not your current password" in page.text
    assert find_user_by_email(NIA.email)
    assert entries(nia.id)[-1] == "password.refused"


def test_the_second_factor_is_asked_for_where_there_is_one(app: Flask, nia: User) -> None:
    assert "totp_code" not in LintingClient(app).sign_in(NIA).get(DELETION).form("Delete my account").names()
    client, _secret, codes = turn_on(app, NIA)
    page = delete(client, totp_code="000000")
    assert page.status == 409
    assert "does not fit" in page.text
    assert delete(client, totp_code=codes[0]).path.startswith("/login")
    session.expire_all()
    assert find_user_by_email(NIA.email) is None
    assert session.get_one(User, nia.id).totp_cipher is None


def test_a_code_of_the_app_will_do_too(app: Flask) -> None:
    client, secret, _codes = turn_on(app, NIA)
    delete(client, totp_code=code_of(secret))
    assert find_user_by_email(NIA.email) is None


def test_leaving_the_code_out_of_the_post_does_not_help(app: Flask) -> None:
    client, _secret, _codes = turn_on(app, NIA)
    assert client.post(DELETION, {"password": PASSWORD}).status == 422
    assert find_user_by_email(NIA.email)


@pytest.mark.parametrize("status", ["active", "pending", "invited", "declined", "suspended"])
def test_whom_a_school_knows_is_led_to_ask_there(app: Flask, nia: User, status: str) -> None:
    stands_at_skyline(nia, status=status)
    client = LintingClient(app).sign_in(NIA)
    page = client.get(DELETION)
    assert not [form for form in page.forms() if "Delete my account" in form.buttons()]
    assert page.link("Skyline Flight School").follow().h1 == "Ask to be erased"
    refused = client.post(DELETION, {"password": PASSWORD})
    assert refused.status == 409
    assert "A school still knows you" in refused.text
    assert find_user_by_email(NIA.email)


def test_what_a_stranger_asked_for_stands_in_nobodys_way(app: Flask, nia: User) -> None:
    """It is not the account's doing, who is not told of it either; it goes with the account."""
    ask_to_join(app, NIA.email)
    client = LintingClient(app).sign_in(NIA)
    assert "Skyline" not in client.get(DELETION).text
    assert delete(client).path.startswith("/login")
    assert find_user_by_email(NIA.email) is None
    with at_school("skyline"):
        asked = session.scalars(select(Membership).where(Membership.user_id == nia.id)).one()
        assert (asked.status, asked.known_as) == ("erased", None)


def test_who_is_at_two_schools_is_told_of_both(app: Flask) -> None:
    client = LintingClient(app).sign_in(BO)
    client.get("/skyline/profile/erasure").form("Send the request").submit()
    page = client.get(DELETION)
    assert len(page.find_all(".//ul[@class='school-list']/li")) == 2
    assert "You have asked to be erased" in page.text


def test_an_operator_stays_one(app: Flask) -> None:
    client = LintingClient(app).sign_in(OPERATOR)
    page = client.get(DELETION)
    assert "You are an operator" in page.text
    assert not [form for form in page.forms() if "Delete my account" in form.buttons()]
    assert client.post(DELETION, {"password": PASSWORD}).status == 409
    assert find_user_by_email(OPERATOR.email)


def test_who_was_erased_everywhere_but_kept_the_account_may_end_it(app: Flask, nia: User) -> None:
    """An invitation was erased: the school's row is cut off from the account, and no longer in its way."""
    stands_at_skyline(nia, status="invited")
    with at_school("skyline"):
        number = session.scalar(select(Membership.id).where(Membership.user_id == nia.id))
    page = LintingClient(app).sign_in(ANA).get(f"/skyline/people/{number}/erasure")
    page.form("Erase").fill(name="Nia Obi").submit()
    assert "Your account is deleted." in delete(LintingClient(app).sign_in(NIA)).text


def test_the_litany(app: Flask) -> None:
    fields = {"password": PASSWORD}
    assert LintingClient(app).get(DELETION).location.startswith("/login")
    assert LintingClient(app).post(DELETION, fields).status == 401
    client = LintingClient(app).sign_in(NIA)
    assert client.post(DELETION, fields, csrf=False).status == 400
    assert client.post(DELETION).status == 422
    assert app.test_client().delete(DELETION).status_code == 405
    assert find_user_by_email(NIA.email)


def test_nobody_deletes_the_account_of_whom_they_act_as(app: Flask) -> None:
    with at_school("skyline"):
        leo = member(LEO).id
    ana = LintingClient(app).sign_in(ANA)
    ana.get(f"/skyline/people/{leo}/acting").form("Begin").fill(reason="They cannot find their course").submit()
    assert ana.post(DELETION, {"password": PASSWORD}).status == 403
    assert find_user_by_email(ANA.email)
    assert find_user_by_email(LEO.email)
