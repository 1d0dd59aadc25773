"""The second factor: a code besides the password, each once; recovery codes; a school that asks its admins for it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.crypto import Unreadable, decrypt, derive_key, encrypt
from app.foundation.db import session
from app.identity.models import RecoveryCode, User, UserSession
from app.identity.queries import find_session, find_user_by_email
from app.identity.rules import STEP_SECONDS, fitting_step, new_totp_secret
from app.tenants.models import SchoolSettings
from tests.cast import ANA, LEO, LOU, PASSWORD, Person, at_school
from tests.client import PARTIAL, LintingClient, Page

HOME = "/account/second-factor"


def user_of(person: Person) -> User:
    found = find_user_by_email(person.email)
    assert found
    return found


def code_of(secret: str, *, later: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=later))


def forget_step(person: Person) -> None:
    """As if half a minute had passed: the present code was not used yet."""
    session.execute(update(User).where(User.id == user_of(person).id).values(totp_last_step=None))
    session.commit()


def begin(client: LintingClient) -> tuple[Page, str]:
    page = client.get(HOME).form(HOME).fill(password=PASSWORD).submit()
    assert page.h1 == "Set up your second factor"
    return page, "".join("".join(page.find_all(".//code")[0].itertext()).split())


def turn_on(app: Flask, person: Person = LEO) -> tuple[LintingClient, str, list[str]]:
    """A client that has just turned it on, the secret, and the recovery codes. The present code may be used again."""
    client = LintingClient(app).sign_in_by_form(person)  # So that the browser is known from then on.
    page, secret = begin(client)
    shown = page.form("Turn it on").fill(totp_code=code_of(secret)).submit()
    assert shown.h1 == "Keep these recovery codes"
    codes = ["".join(e.itertext()) for e in shown.find_all(".//ul[@id='recovery-codes']/li")]
    forget_step(person)
    return client, secret, codes


def to_second_page(app: Flask, person: Person = LEO) -> Page:
    page = LintingClient(app).get("/login").form("/login").fill(email=person.email, password=PASSWORD).submit()
    assert page.h1 == "One more step"
    return page


def is_in(client: LintingClient) -> bool:
    return client.get("/account").status == 200


def test_it_is_set_up_with_a_picture_a_key_and_a_code(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    page, secret = begin(client)
    assert page.find(".//div[@class='qr']/{http://www.w3.org/2000/svg}svg") is not None
    assert user_of(LEO).totp_confirmed_at is None
    wrong = page.form("Turn it on").fill(totp_code="000000").submit()
    assert (wrong.status, user_of(LEO).totp_confirmed_at) == (409, None)
    assert "does not fit" in wrong.text
    done = wrong.form("Turn it on").fill(totp_code=code_of(secret)).submit()
    assert done.headers["Cache-Control"] == "no-store"
    assert len(done.find_all(".//ul[@id='recovery-codes']/li")) == 10
    assert "You have 10 recovery codes left." in client.get(HOME).text


def test_a_wrong_password_sets_nothing_up(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    refused = client.get(HOME).form(HOME).fill(password="not it").submit()
    assert (refused.status, user_of(LEO).totp_cipher) == (409, None)


def test_wrong_passwords_and_codes_on_ones_own_pages_are_in_the_trail(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    client.get(HOME).form(HOME).fill(password="not it").submit()
    page, _secret = begin(client)
    page.form("Turn it on").fill(totp_code="000000").submit()
    client, _key, _codes = turn_on(app)
    for path in (f"{HOME}/recovery-codes", f"{HOME}/end"):
        form = client.get(path).form(path)
        typed = {"totp_code": "000000", **({"password": PASSWORD} if "password" in form.names() else {})}
        assert form.fill(typed).submit().status == 409
    with at_school("skyline"):
        asked = select(AuditEntry.action).where(AuditEntry.action.like("%.refused")).order_by(AuditEntry.id)
        assert list(session.scalars(asked)) == ["password.refused", *["second_factor.refused"] * 3]


def test_the_secret_is_stored_encrypted_for_its_person_and_shown_only_before_it_counts(app: Flask) -> None:
    client, secret, codes = turn_on(app)
    leo, key = user_of(LEO), derive_key(str(app.secret_key), "second factors")
    assert leo.totp_cipher
    assert secret.encode() not in leo.totp_cipher
    assert decrypt(leo.totp_cipher, key, bound_to=f"second factor of {leo.id}").decode() == secret
    with pytest.raises(Unreadable):
        decrypt(leo.totp_cipher, key, bound_to=f"second factor of {leo.id + 1}")
    hashes = set(session.scalars(select(RecoveryCode.code_hash).where(RecoveryCode.user_id == leo.id)))
    assert len(hashes) == 10
    assert not hashes & {code.replace("-", "") for code in codes}
    assert client.get(f"{HOME}/set-up").location == HOME


def test_turning_it_on_signs_out_everywhere_else_and_is_audited(app: Flask) -> None:
    elsewhere = LintingClient(app).sign_in(LEO)
    here, _secret, _codes = turn_on(app)
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    with at_school("skyline"):
        on = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "second_factor.turned_on")
        assert session.scalar(on) == 1


def test_the_password_alone_does_not_sign_in(app: Flask) -> None:
    turn_on(app)
    page = to_second_page(app)
    assert not is_in(page.client)
    wrong = page.form("Go on").fill(totp_code="000000").submit()
    assert wrong.status == 422
    assert not is_in(page.client)


def test_the_code_signs_in_and_works_once(app: Flask) -> None:
    _client, secret, _codes = turn_on(app)
    code = code_of(secret)
    first, second = to_second_page(app), to_second_page(app)
    assert first.form("Go on").fill(totp_code=f"{code[:3]} {code[3:]}").submit(follow=False).status == 303
    assert is_in(first.client)
    assert second.form("Go on").fill(totp_code=code).submit().status == 422
    assert not is_in(second.client)


def test_a_recovery_code_works_once_however_it_is_typed(app: Flask) -> None:
    _client, _secret, codes = turn_on(app)
    page = to_second_page(app)
    assert page.form("Go on").fill(totp_code=codes[0].upper().replace("-", " ")).submit(follow=False).status == 303
    assert "You have 9 recovery codes left." in page.client.get(HOME).text
    again = to_second_page(app)
    assert again.form("Go on").fill(totp_code=codes[0]).submit().status == 422
    assert again.form("Go on").fill(totp_code=codes[1]).submit(follow=False).status == 303


def test_after_another_secret_key_a_recovery_code_still_helps(app: Flask) -> None:
    _client, secret, codes = turn_on(app)
    leo, former_key = user_of(LEO), derive_key("the secret key of last year", "second factors")
    leo.totp_cipher = encrypt(secret.encode(), former_key, bound_to=f"second factor of {leo.id}")
    session.commit()
    page = to_second_page(app)
    refused = page.form("Go on").fill(totp_code=code_of(secret)).submit()
    assert (refused.status, "does not fit" in refused.text) == (422, True)
    assert refused.form("Go on").fill(totp_code=codes[0]).submit(follow=False).status == 303
    assert is_in(page.client)


def test_anothers_recovery_code_does_nothing(app: Flask) -> None:
    _client, _secret, codes = turn_on(app, LOU)
    turn_on(app)
    assert to_second_page(app).form("Go on").fill(totp_code=codes[0]).submit().status == 422


def test_the_second_page_lasts_five_minutes(app: Flask) -> None:
    _client, secret, _codes = turn_on(app)
    page = to_second_page(app)
    with page.client.browser.session_transaction() as cookie:
        cookie["waits_for_code"] = {**cookie["waits_for_code"], "at": clock.now().timestamp() - 301}
    late = page.form("Go on").fill(totp_code=code_of(secret)).submit()
    assert "longer than five minutes" in late.text
    assert not is_in(page.client)
    assert page.client.get("/login/code").location == "/login"


def test_nobody_reaches_the_second_page_without_the_password(app: Flask) -> None:
    _client, secret, _codes = turn_on(app)
    client = LintingClient(app)
    assert client.get("/login/code").location == "/login"
    assert client.post("/login/code", {"totp_code": code_of(secret)}).location == "/login"


def test_codes_are_not_tried_without_end(app: Flask) -> None:
    _client, secret, _codes = turn_on(app)
    page = to_second_page(app)
    for _ in range(10):
        assert page.form("Go on").fill(totp_code="000000").submit().status == 422
    refused = page.form("Go on").fill(totp_code=code_of(secret)).submit()
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert to_second_page(app).form("Go on").fill(totp_code=code_of(secret)).submit().status == 429


def test_whoever_knows_the_password_does_not_block_the_codes_of_its_owner(app: Flask) -> None:
    """Neither behind the same address, in a browser that is known, nor from another one, in a browser that is not."""
    known, secret, _codes = turn_on(app)
    known.get("/schools?stay=1").form("Sign out").submit()
    page = to_second_page(app)
    for _ in range(10):
        page.form("Go on").fill(totp_code="000000").submit()
    assert page.form("Go on").fill(totp_code=code_of(secret)).submit().status == 429

    for client in (known, LintingClient(app, address="192.0.2.7")):
        page = client.sign_in_form().fill(email=LEO.email, password=PASSWORD).submit()
        assert page.form("Go on").fill(totp_code=code_of(secret)).submit(follow=False).status == 303
        forget_step(LEO)


def test_thousands_of_addresses_do_not_find_a_code(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, sign_in_address_limit="5 per 15 minutes")
    try:
        turn_on(app)
        answers = []
        for number in range(6):
            form = LintingClient(app, address=f"192.0.2.{number}").sign_in_form()
            page = form.fill(email=LEO.email, password=PASSWORD).submit()
            answers.append(page.form("Go on").fill(totp_code="000000").submit().status)
        assert answers == [422] * 5 + [429]
    finally:
        app.config["SETTINGS"] = settings


def test_where_the_person_wanted_to_go_and_being_remembered_outlive_the_second_page(app: Flask) -> None:
    _client, secret, _codes = turn_on(app)
    client = LintingClient(app)
    form = client.get("/login?next=/skyline/profile").form("/login")
    page = form.fill(email=LEO.email, password=PASSWORD, remembered=True).submit()
    assert page.form("Go on").fill(totp_code=code_of(secret)).submit(follow=False).location == "/skyline/profile"
    with client.browser.session_transaction() as cookie:
        opened = find_session(cookie["token"])
    assert opened
    assert (opened.is_remembered, opened.second_factor_at is not None) == (True, True)


def test_a_post_that_was_cut_off_is_done_after_the_code(app: Flask) -> None:
    client, secret, _codes = turn_on(app)
    fields = {"csrf_token": client.csrf_token()}
    session.execute(update(UserSession).values(seen_at=clock.now() - timedelta(hours=13)))
    session.commit()
    cut_off = client.post("/account/sessions/99999999/end", fields)
    page = cut_off.form("/login").fill(email=LEO.email, password=PASSWORD).submit()
    done = page.form("Go on").fill(totp_code=code_of(secret)).submit()
    assert done.status == 404  # the deed was reached: there is no such session
    assert is_in(client)


def test_turning_it_off_needs_password_and_code(app: Flask) -> None:
    client, secret, codes = turn_on(app)
    form = client.get(f"{HOME}/end").form(f"{HOME}/end")
    assert form.fill(password="not it", totp_code=code_of(secret)).submit().status == 409
    assert form.fill(password=PASSWORD, totp_code="000000").submit().status == 409
    done = form.fill(password=PASSWORD, totp_code=codes[0]).submit()
    assert "Your second factor is off." in done.text
    leo = user_of(LEO)
    assert (leo.totp_cipher, leo.totp_confirmed_at) == (None, None)
    assert session.scalar(select(func.count()).where(RecoveryCode.user_id == leo.id)) == 0
    assert is_in(LintingClient(app).sign_in(LEO))


def test_new_recovery_codes_void_the_old(app: Flask) -> None:
    client, secret, codes = turn_on(app)
    shown = client.get(f"{HOME}/recovery-codes").form("Make them").fill(totp_code=code_of(secret)).submit()
    fresh = ["".join(e.itertext()) for e in shown.find_all(".//ul[@id='recovery-codes']/li")]
    assert len(set(fresh) | set(codes)) == 20
    assert to_second_page(app).form("Go on").fill(totp_code=codes[3]).submit().status == 422
    assert to_second_page(app).form("Go on").fill(totp_code=fresh[3]).submit(follow=False).status == 303


def test_a_school_may_ask_its_admins_for_it_and_nobody_else(app: Flask) -> None:
    with at_school("skyline"):
        session.execute(update(SchoolSettings).values(admins_need_second_factor=True))
        session.commit()
    assert LintingClient(app).sign_in(LEO).get("/skyline/profile").status == 200
    client = LintingClient(app).sign_in(ANA)
    led = client.get("/skyline/people?search=leo")
    assert (led.status, led.location) == (303, f"{HOME}?next=/skyline/people?search%3Dleo")
    assert client.post("/skyline/people/approvals").status == 303
    assert client.get("/skyline/people", headers=PARTIAL).headers["HX-Redirect"].startswith(HOME)

    page = led.follow()
    assert "Your school asks its admins" in page.text
    page = page.form(HOME).fill(password=PASSWORD).submit()
    secret = "".join("".join(page.find_all(".//code")[0].itertext()).split())
    shown = page.form("Turn it on").fill(totp_code=code_of(secret)).submit()
    assert shown.link("I have kept them").follow().path == "/skyline/people?search=leo"
    assert client.get("/skyline/people").status == 200


def test_the_pages_ask_for_a_session_and_refuse_a_wrong_verb(app: Flask) -> None:
    for path in (HOME, f"{HOME}/set-up", f"{HOME}/end", f"{HOME}/recovery-codes"):
        assert LintingClient(app).get(path).location.startswith("/login?next=")
        assert LintingClient(app).sign_in(LEO).post(path, csrf=False).status == 400
    assert LintingClient(app).request("DELETE", "/login/code").status == 405


def test_codes_of_neighboring_steps_fit_and_no_others(app: Flask) -> None:
    secret, now = new_totp_secret(), datetime.fromisoformat("2026-11-24T09:00:00+00:00")
    step = int(now.timestamp()) // STEP_SECONDS
    fits = [fitting_step(secret, pyotp.HOTP(secret).at(step + away), at=now) for away in (-2, -1, 0, 1, 2)]
    assert fits == [None, step - 1, step, step + 1, None]
    for nonsense in ("", "１２３４５６", "abc", "0" * 40):
        assert fitting_step(secret, nonsense, at=now) is None


def test_the_reference_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, its last six digits: an app computes the same."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    at = datetime.fromisoformat("2005-03-18T01:58:29+00:00")
    assert fitting_step(secret, "081804", at=at) == int(at.timestamp()) // STEP_SECONDS
    assert re.fullmatch(r"[A-Z2-7]{32}", new_totp_secret())
