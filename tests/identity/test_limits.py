"""Limits on signing in: failures count, people do not lock each other out, and the page says when to come back."""

from __future__ import annotations

import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.permissions import Role
from app.foundation.proxies import network_of
from app.identity.models import User
from app.identity.operations.accounts import add_member
from app.identity.rules import cost_of, hash_password
from app.identity.views import sign_in_limits
from tests.cast import ANA, BO, LEO, PASSWORD, Person, at_school
from tests.client import LintingClient, Page
from tests.identity.mailbox import sent
from tests.identity.test_invite import CHOSEN, EMAIL, invited

CLASSROOM = 40
PRODUCTION_COST = 12


def attempt(client: LintingClient, email: str = LEO.email, password: str = "not it") -> Page:
    form = client.sign_in_form()
    return form.fill(email=email, password=password).submit(follow=False)


def use_up(client: LintingClient, email: str = LEO.email, times: int = 10) -> None:
    for _ in range(times):
        assert attempt(client, email).status == 422


def test_the_eleventh_wrong_password_is_refused_with_when_to_come_back(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client)
    page = attempt(client)
    assert (page.status, page.h1) == (429, "Too many tries")
    wait = int(page.headers["Retry-After"])
    assert 1 <= wait <= 30 * 60
    said = re.search(r"Try again in (\d+) minute", page.text)
    assert said
    assert int(said.group(1)) == math.ceil(wait / 60)


def test_the_right_password_is_refused_too_before_anything_is_looked_up(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client)
    assert attempt(client, password=PASSWORD).status == 429
    with at_school("skyline"):
        refused = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "session.refused")
        assert session.scalar(refused) == 10


def test_upper_case_and_spaces_do_not_make_another_account(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client)
    assert attempt(client, f" {LEO.email.upper()} ").status == 429


def test_an_unknown_email_is_limited_like_a_known_one(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client, "nobody@skyline.example")
    assert attempt(client, "nobody@skyline.example").status == 429


def test_another_account_and_another_address_are_not_concerned(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client)
    assert attempt(client, ANA.email, PASSWORD).status == 303
    assert attempt(LintingClient(app, address="192.0.2.7"), password=PASSWORD).status == 303


def test_a_stranger_cannot_lock_out_a_browser_that_is_known(app: Flask) -> None:
    known, stranger = LintingClient(app), LintingClient(app)
    assert attempt(known, password=PASSWORD).status == 303
    use_up(stranger)  # behind the same address
    assert attempt(stranger, password=PASSWORD).status == 429
    assert attempt(known, password=PASSWORD).status == 303


def test_a_known_browser_has_ten_tries_of_its_own_and_is_known_to_its_account_only(app: Flask) -> None:
    known = LintingClient(app)
    assert attempt(known, password=PASSWORD).status == 303
    stranger = LintingClient(app)
    use_up(stranger, ANA.email)
    assert attempt(known, ANA.email, PASSWORD).status == 429  # Leo's browser is no browser of Ana's
    use_up(known)
    assert attempt(known, password=PASSWORD).status == 429
    assert attempt(LintingClient(app), password=PASSWORD).status == 303  # and it used up nobody else's


def test_a_browser_is_known_to_all_who_came_in_with_it_by_whichever_door(app: Flask) -> None:
    """An invitation signs in too: it adds to what the browser keeps, and takes nobody off it."""
    invited(app, EMAIL)
    (mail,) = sent(app)
    shared = LintingClient(app)
    assert attempt(shared, password=PASSWORD).status == 303
    shared.post("/logout")
    shared.get(mail.path).form("Accept the invitation").fill(password=CHOSEN).submit()
    shared.post("/logout")
    for email, password in ((LEO.email, PASSWORD), (EMAIL, CHOSEN)):
        use_up(LintingClient(app), email)
        assert attempt(LintingClient(app), email, password).status == 429
        assert attempt(shared, email, password).status == 303


def test_a_forged_device_is_not_known(app: Flask) -> None:
    known, forger = LintingClient(app), LintingClient(app)
    attempt(known, password=PASSWORD)
    cookie = known.browser.get_cookie(sign_in_limits.COOKIE)
    assert cookie
    use_up(LintingClient(app))
    other = "A" if cookie.value[-2] != "A" else "B"  # the last letter's low bits are none of the signature's
    for value in (cookie.value[:-2] + other + cookie.value[-1], "nonsense", ""):
        forger.browser.set_cookie(sign_in_limits.COOKIE, value)
        assert attempt(forger, password=PASSWORD).status == 429


def test_signing_in_gives_the_tries_back(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client, times=9)
    client.browser.delete_cookie(sign_in_limits.COOKIE)
    assert attempt(client, password=PASSWORD).status == 303
    client.browser.delete_cookie(sign_in_limits.COOKIE)
    use_up(client, times=9)
    assert attempt(client, password=PASSWORD).status == 303


def test_one_address_cannot_try_many_accounts(app: Flask) -> None:
    client = LintingClient(app)
    for number in range(100):
        fields: dict[str, Any] = {"email": f"guess{number // 9}@skyline.example", "password": "Winter2026"}
        if number == 0:
            fields["csrf_token"] = client.csrf_token()
            token = fields["csrf_token"]
        assert client.post("/login", {**fields, "csrf_token": token}).status == 422
    assert attempt(client, BO.email, PASSWORD).status == 429


def test_forty_people_behind_one_address_sign_in_within_a_minute(app: Flask) -> None:
    """Forty accounts in forty browsers, at the cost of a hash that production has, and a limit that forty would meet."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, bcrypt_cost=PRODUCTION_COST, sign_in_address_limit="20 per 15 minutes")
    try:
        emails = classroom()
        began = time.monotonic()
        for number, email in enumerate(emails):
            client = LintingClient(app)
            if number % 4 == 0:
                assert attempt(client, email).status == 422  # some mistype first
            assert attempt(client, email, PASSWORD).status == 303
            assert email in client.get("/account").text
        assert time.monotonic() - began < 60
    finally:
        app.config["SETTINGS"] = settings


def classroom() -> list[str]:
    """The e-mails of forty learners at Skyline, who have the cast's password."""
    hashed = hash_password(PASSWORD, cost=PRODUCTION_COST)
    with at_school("skyline"):
        for number in range(CLASSROOM):
            user = User(email=f"seat{number}@skyline.example", password_hash=hashed)
            session.add(user)
            session.flush()
            add_member(user, name=f"Seat {number}", roles=[Role.LEARNER], actor=SYSTEM)
        session.commit()
    return [f"seat{number}@skyline.example" for number in range(CLASSROOM)]


def test_ten_of_thirty_guesses_at_the_same_instant_are_looked_at(committing_app: Flask) -> None:
    """Had each been counted after its password was looked at, all thirty would have been."""
    ready = Barrier(30)

    def guess(number: int) -> int:
        client = LintingClient(committing_app)
        form = client.sign_in_form().fill(email=LEO.email, password=f"guess {number}")
        ready.wait()
        return form.submit(follow=False).status

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(guess, range(30)))
    assert (answers.count(422), answers.count(429)) == (10, 20)


def test_a_hash_of_another_cost_is_made_anew_at_sign_in(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, bcrypt_cost=settings.bcrypt_cost + 1)
    try:
        assert attempt(LintingClient(app)).status == 422
        assert cost_of(hash_of(LEO)) == settings.bcrypt_cost
        assert attempt(LintingClient(app), password=PASSWORD).status == 303
        anew = hash_of(LEO)
        assert cost_of(anew) == settings.bcrypt_cost + 1
        assert attempt(LintingClient(app), password=PASSWORD).status == 303
        assert hash_of(LEO) == anew
    finally:
        app.config["SETTINGS"] = settings


def hash_of(person: Person) -> str:
    return session.scalars(select(User.password_hash).where(User.email == person.email)).one() or ""


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/password/forgotten", {"email": "nobody@elsewhere.example"}),
        ("/skyline/register", {"email": "nia@elsewhere.example", "name": "Nia", "password": "gusting from the west"}),
    ],
    ids=["forgotten", "registration"],
)
def test_whoever_has_a_whole_ipv6_network_has_one_count(app: Flask, path: str, fields: dict[str, str]) -> None:
    def post_from(address: str) -> int:
        client = LintingClient(app, address=address)
        return client.post(path, {**fields, "csrf_token": client.csrf_token()}).status

    answers = [post_from(f"2001:db8:1:2::{number:x}") for number in range(1, 22)]
    assert answers == [303] * 20 + [429]
    assert post_from("2001:db8:1:3::1") == 303


def test_an_ipv6_neighbor_is_the_same_address() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""
