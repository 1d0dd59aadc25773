"""Forgotten passwords: the same words for everybody, a link that works once, and everybody else signed out."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import Job
from app.foundation.tenancy import GLOBAL_TABLES
from app.identity.models import OneUseToken, User
from app.identity.operations.links import issue_link, use_link
from app.identity.queries import find_user_by_email
from app.identity.rules import Purpose, token_hash
from tests.cast import ANA, BO, LEO, PASSWORD, Person, at_school
from tests.client import LintingClient, Page
from tests.identity.mailbox import assert_snapshot, sent

NEW = "a kite over the ridge"


def ask(app: Flask, email: str) -> Page:
    page = LintingClient(app).get("/login").link("Forgot your password?").follow()
    return page.form("Send the link").fill(email=email).submit()


def signs_in(app: Flask, person: Person, password: str) -> bool:
    form = LintingClient(app).get("/login").form("Sign in")
    return form.fill(email=person.email, password=password).submit(follow=False).status == 303


def test_a_forgotten_password_is_replaced_and_everybody_else_is_out(app: Flask) -> None:
    elsewhere = LintingClient(app).sign_in(LEO)
    assert "on its way" in ask(app, LEO.email).text
    (mail,) = sent(app)
    assert mail.to == LEO.email
    assert_snapshot(mail, "reset_password")

    client = LintingClient(app)
    page = client.get(mail.path)
    assert LEO.email in page.text
    page = page.form("Change the password").fill(password=NEW).submit()
    assert page.h1 == "Sign in"
    assert "Your password is changed" in page.text
    assert signs_in(app, LEO, NEW)
    assert not signs_in(app, LEO, PASSWORD)
    assert elsewhere.get("/schools").location.startswith("/login")
    (notice,) = sent(app)
    assert_snapshot(notice, "password_changed")
    with at_school("skyline"):
        actions = list(session.scalars(select(AuditEntry.action).where(AuditEntry.action == "password.reset")))
    assert actions == ["password.reset"]


def test_an_unknown_address_reads_the_same_and_gets_no_mail(app: Flask) -> None:
    known, unknown = ask(app, LEO.email), ask(app, "nobody@nowhere.example")
    assert known.text == unknown.text
    assert [mail.to for mail in sent(app)] == [LEO.email]


def test_the_link_works_once(app: Flask) -> None:
    ask(app, LEO.email)
    (mail,) = sent(app)
    form = LintingClient(app).get(mail.path).form("Change the password").fill(password=NEW)
    again = LintingClient(app).get(mail.path).form("Change the password").fill(password="something else entirely")
    assert form.submit().status == 200
    assert again.submit().status == 410
    assert signs_in(app, LEO, NEW)


def test_looking_at_the_link_does_not_use_it(app: Flask) -> None:
    ask(app, LEO.email)
    (mail,) = sent(app)
    for _ in range(3):
        assert LintingClient(app).get(mail.path).status == 200


def test_the_link_expires_after_two_hours(app: Flask) -> None:
    ask(app, LEO.email)
    (mail,) = sent(app)
    with time_machine.travel(clock.now() + timedelta(hours=2, minutes=1), tick=False):
        assert LintingClient(app).get(mail.path).status == 410


def test_nobody_takes_a_link_away_by_asking_for_another(app: Flask) -> None:
    """Anybody may type another's e-mail. The use of one link voids the others."""
    ask(app, LEO.email)
    (first,) = sent(app)
    ask(app, LEO.email)
    assert sent(app) == []  # a double click is one mail
    links = [first]
    for minutes in (2, 4, 6, 8):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
            ask(app, LEO.email)
            links += sent(app)
    assert len(links) == 3  # nor is a mailbox filled
    assert [LintingClient(app).get(mail.path).status for mail in links] == [200] * 3
    LintingClient(app).get(first.path).form("Change the password").fill(password=NEW).submit()
    assert [LintingClient(app).get(mail.path).status for mail in links] == [410] * 3
    with time_machine.travel(clock.now() + timedelta(minutes=10), tick=False):
        ask(app, LEO.email)
        assert "Choose a new password" in {mail.subject for mail in sent(app)}


def test_who_lost_the_mails_is_sent_another_two_hours_later(app: Flask) -> None:
    for minutes in (0, 2, 4, 123):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
            ask(app, LEO.email)
            assert len(sent(app)) == 1, minutes


def test_a_mail_that_is_tried_again_carries_a_new_link(app: Flask) -> None:
    ask(app, LEO.email)
    (first,) = sent(app)
    session.query(Job).filter(Job.kind == "identity.send_link_mail").update({"done_at": None, "run_at": clock.now()})
    session.commit()
    (second,) = sent(app)
    assert LintingClient(app).get(first.path).status == 410
    assert LintingClient(app).get(second.path).status == 200


def test_no_row_knows_the_secret(app: Flask) -> None:
    ask(app, LEO.email)
    (mail,) = sent(app)
    secret = mail.path.rpartition("/")[2]
    rows = session.query(Job).filter(Job.kind == "identity.send_link_mail").all()
    assert rows
    assert all(secret not in str(row.args) and LEO.email not in str(row.args) for row in rows)
    stored = session.query(OneUseToken).filter_by(token_hash=token_hash(secret)).one()
    assert secret not in str(vars(stored))
    assert "one_use_token" in GLOBAL_TABLES


@pytest.mark.parametrize("bad", ["short", "groundschool" * 11, "password1", "learner", LEO.email, "aaaaaaaaaaaa"])
def test_a_poor_password_is_refused_and_the_link_stays_good(app: Flask, bad: str) -> None:
    ask(app, LEO.email)
    (mail,) = sent(app)
    page = LintingClient(app).get(mail.path).form("Change the password").fill(password=bad).submit()
    assert page.status == 422
    assert f'value="{bad}"' not in page.html
    assert page.form("Change the password").fill(password=NEW).submit().status == 200


def test_of_two_at_once_one_uses_the_link(app: Flask) -> None:
    user = find_user_by_email(LEO.email)
    assert user
    token = issue_link(Purpose.RESET_PASSWORD, user_id=user.id)
    assert use_link(token, Purpose.CHANGE_EMAIL) is None
    assert use_link(token, Purpose.RESET_PASSWORD)
    assert use_link(token, Purpose.RESET_PASSWORD) is None


def test_a_person_of_two_schools_is_recorded_at_both(app: Flask) -> None:
    ask(app, BO.email)
    (mail,) = sent(app)
    LintingClient(app).get(mail.path).form("Change the password").fill(password=NEW).submit()
    for slug in ("skyline", "harbour"):
        with at_school(slug):
            assert session.scalars(select(AuditEntry.action).where(AuditEntry.action == "password.reset")).all()


def test_the_twenty_first_try_of_an_hour_is_told_when(app: Flask) -> None:
    client = LintingClient(app, address="192.0.2.21")
    token = client.get("/password/forgotten").form("Send the link").value("csrf_token")
    answers = [client.post("/password/forgotten", {"email": "x", "csrf_token": token}) for _ in range(21)]
    assert {answer.status for answer in answers[:20]} == {422}
    assert answers[20].status == 429
    assert int(answers[20].headers["Retry-After"]) > 60
    assert "Try again in" in answers[20].text


@pytest.mark.parametrize(
    "path", ["/password/reset/nonsense", "/skyline/invitation/nonsense", "/skyline/register/nonsense"]
)
def test_a_link_that_was_never_made(app: Flask, path: str) -> None:
    assert LintingClient(app).get(path).status == 410
    assert LintingClient(app).post(path, {"password": NEW}).status == 410
    assert LintingClient(app).post(path, {"password": NEW}, csrf=False).status == 400


def test_the_erased_and_the_nameless_get_nothing(app: Flask) -> None:
    session.query(User).filter_by(email=ANA.email).update({"erased_at": clock.now()})
    session.commit()
    ask(app, ANA.email)
    assert sent(app) == []


def test_a_changed_address_voids_what_was_mailed_to_the_old_one(app: Flask) -> None:
    ask(app, LEO.email)
    (old,) = sent(app)
    form = LintingClient(app).sign_in(LEO).get("/account/email").form("Send the link")
    form.fill(email="leo@hart.example", password=PASSWORD).submit()
    (link,) = [mail for mail in sent(app) if mail.to == "leo@hart.example"]
    LintingClient(app).get(link.path).form("Use this address").submit()
    assert LintingClient(app).get(old.path).status == 410


def reset_with_second_factor(app: Flask, *, confirmed: bool) -> None:
    """Leo's account has a second factor, and he chooses a new password by mail."""
    leo = find_user_by_email(LEO.email)
    assert leo
    leo.totp_cipher, leo.totp_confirmed_at = b"a secret", clock.now()
    leo.email_confirmed_at = clock.now() if confirmed else None
    session.commit()
    ask(app, LEO.email)
    (mail,) = sent(app)
    LintingClient(app).get(mail.path).form("Change the password").fill(password=NEW).submit()


def test_the_first_proof_of_the_mailbox_ends_a_strangers_second_factor(app: Flask) -> None:
    reset_with_second_factor(app, confirmed=False)
    assert signs_in(app, LEO, NEW)


def test_a_second_factor_outlives_a_forgotten_password(app: Flask) -> None:
    """Whoever reads somebody's mail does not come in by that alone."""
    reset_with_second_factor(app, confirmed=True)
    form = LintingClient(app).get("/login").form("Sign in")
    assert form.fill(email=LEO.email, password=NEW).submit().h1 == "One more step"
