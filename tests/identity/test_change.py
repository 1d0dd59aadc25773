"""Changing one's own password and e-mail: only with the current password, and everybody concerned is told."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.identity.queries import find_user_by_email
from app.identity.rules import password_problem
from tests.cast import BEA, LEO, MIA, PASSWORD, at_school
from tests.client import LintingClient, Page, count_statements
from tests.identity.mailbox import assert_snapshot, sent

NEW = "gusting from the west"
ADDRESS = "leo@hart.example"


def can_sign_in(app: Flask, email: str, password: str) -> bool:
    form = LintingClient(app).get("/login?next=/").form("/login")
    return form.fill(email=email, password=password, next="").submit(follow=False).status == 303


def change_password(client: LintingClient, current: str = PASSWORD, password: str = NEW) -> Page:
    page = client.get("/account").link("Change your password").follow()
    return page.form("Change the password").fill(current=current, password=password).submit()


def change_email(client: LintingClient, email: str = ADDRESS, password: str = PASSWORD) -> Page:
    page = client.get("/account").link("Change your e-mail").follow()
    return page.form("Send the link").fill(email=email, password=password).submit()


def actions() -> list[str]:
    with at_school("skyline"):
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(3)))


def test_a_new_password_keeps_this_session_and_ends_all_others(app: Flask) -> None:
    here, elsewhere = LintingClient(app).sign_in(LEO), LintingClient(app).sign_in(LEO)
    page = change_password(here)
    assert "signed out everywhere else" in page.text
    assert here.get("/account").status == 200
    assert elsewhere.get("/account").location.startswith("/login")
    assert can_sign_in(app, LEO.email, NEW)
    assert not can_sign_in(app, LEO.email, PASSWORD)
    assert "password.changed" in actions()
    (mail,) = sent(app)
    assert mail.to == LEO.email
    assert_snapshot(mail, "password_changed")


@pytest.mark.parametrize(
    ("current", "password", "status", "sentence"),
    [
        ("not it", NEW, 409, "This is not your current password."),
        (PASSWORD, "short", 422, "Use 8 to 128 characters."),
        (PASSWORD, "learner@skyline.example", 422, "This is your e-mail address."),
        (PASSWORD, "password123", 422, "tried first"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    app: Flask, current: str, password: str, status: int, sentence: str
) -> None:
    page = change_password(LintingClient(app).sign_in(LEO), current, password)
    assert page.status == status
    assert sentence in page.text
    assert can_sign_in(app, LEO.email, PASSWORD)
    assert sent(app) == []
    assert ("password.refused" in actions()) == (status == 409)


def test_a_borrowed_screen_does_not_find_the_password_out(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    token = client.csrf_token()
    fields = {"current": "guess", "password": NEW, "csrf_token": token}
    answers = [client.post("/account/password", fields).status for _ in range(11)]
    assert answers == [409] * 10 + [429]
    assert client.post("/account/password", {**fields, "current": PASSWORD}).status == 429


def test_a_new_address_counts_once_its_link_is_opened(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    assert ADDRESS in change_email(client).text
    mails = {mail.to: mail for mail in sent(app)}
    assert set(mails) == {LEO.email, ADDRESS}
    assert_snapshot(mails[ADDRESS], "change_email")
    assert_snapshot(mails[LEO.email], "email_change_asked")
    assert can_sign_in(app, LEO.email, PASSWORD)

    page = client.get(mails[ADDRESS].path)
    assert ADDRESS in page.text
    page = page.form("Use this address").submit()
    assert f"You sign in as {ADDRESS}" in page.text
    assert can_sign_in(app, ADDRESS, PASSWORD)
    assert not can_sign_in(app, LEO.email, PASSWORD)
    assert client.get(mails[ADDRESS].path).status == 410
    assert "email.changed" in actions()


def test_the_address_of_somebody_else_reads_the_same_and_gets_no_mail(app: Flask) -> None:
    free = change_email(LintingClient(app).sign_in(LEO)).text
    taken = change_email(LintingClient(app).sign_in(LEO), BEA.email).text
    assert free.replace(ADDRESS, "") == taken.replace(BEA.email, "")
    assert BEA.email not in {mail.to for mail in sent(app)}


def test_no_more_addresses_are_written_to_than_the_limit_says(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    fields = {"password": PASSWORD, "csrf_token": client.csrf_token()}
    answers = [
        client.post("/account/email", {**fields, "email": f"stranger{n}@elsewhere.example"}).status for n in range(7)
    ]
    assert answers == [303] * 5 + [429] * 2
    assert len([mail for mail in sent(app) if mail.to.startswith("stranger")]) == 5
    assert change_email(LintingClient(app).sign_in(MIA)).status == 200


def test_asking_for_a_known_address_takes_the_same_statements(app: Flask) -> None:
    """So that no clock tells who has an account."""
    client = LintingClient(app).sign_in(LEO)
    took = []
    for email in (ADDRESS, BEA.email):
        page = client.get("/account/email")
        with count_statements() as statements:
            page.form("Send the link").fill(email=email, password=PASSWORD).submit(follow=False)
        took.append([statement.split("(")[0][:60] for statement in statements])
    assert took[0] == took[1]


def test_an_address_that_was_taken_meanwhile_is_refused(app: Flask) -> None:
    change_email(LintingClient(app).sign_in(LEO))
    mails = {mail.to: mail for mail in sent(app)}
    mia = find_user_by_email(MIA.email)
    assert mia
    mia.email = ADDRESS
    session.commit()
    page = LintingClient(app).get(mails[ADDRESS].path).form("Use this address").submit()
    assert page.status == 409
    assert "signs in with this address already" in page.text
    assert can_sign_in(app, LEO.email, PASSWORD)


def test_a_new_address_is_kept_in_small_letters(app: Flask) -> None:
    change_email(LintingClient(app).sign_in(LEO), ADDRESS.upper())
    (mail,) = [mail for mail in sent(app) if mail.to == ADDRESS]
    assert f"you sign in as {ADDRESS}" in LintingClient(app).get(mail.path).text
    LintingClient(app).get(mail.path).form("Use this address").submit()
    user = find_user_by_email(ADDRESS)
    assert user
    assert user.email == ADDRESS


def test_a_new_password_stops_a_change_of_address(app: Flask) -> None:
    """Whoever knew the old password and asked for another address gets nowhere once its owner has a new one."""
    client = LintingClient(app).sign_in(LEO)
    change_email(client)
    mails = {mail.to: mail for mail in sent(app)}
    change_password(client)
    assert LintingClient(app).get(mails[ADDRESS].path).status == 410


def test_the_current_password_is_needed_for_another_address(app: Flask) -> None:
    page = change_email(LintingClient(app).sign_in(LEO), password="not it")
    assert page.status == 409
    assert "This is not your current password." in page.text
    assert sent(app) == []


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account/email"])
def test_a_stranger_signs_in_first(app: Flask, path: str) -> None:
    assert LintingClient(app).get(path).location.startswith("/login")
    if path != "/account":
        assert LintingClient(app).post(path, {}, csrf=False).status == 401
    assert app.test_client().delete(path).status_code == 405


def test_a_post_without_its_token_is_refused(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    fields = {"current": PASSWORD, "password": NEW}
    assert client.post("/account/password", fields, csrf=False).status == 400
    assert can_sign_in(app, LEO.email, PASSWORD)


@pytest.mark.parametrize(
    ("password", "email", "fine"),
    [
        ("gusting from the west", "", True),
        ("x7", "", False),
        ("a" * 12, "", False),
        ("PassWord1", "", False),
        ("leonardo", "leonardo@hart.example", False),
        ("ü" * 64 + "b" * 64, "", True),
        ("ab" * 65, "", False),
    ],
)
def test_which_passwords_will_do(app: Flask, password: str, email: str, fine: bool) -> None:
    with app.test_request_context():
        assert (password_problem(password, email) is None) is fine
