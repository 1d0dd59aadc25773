"""Limits on signing in: failures count, people do not lock each other out, and the page says when to come back."""

from __future__ import annotations

import math
import re
import time
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.foundation.proxies import network_of
from app.identity.views import sign_in_limits
from tests.cast import ANA, BO, LEO, PASSWORD, at_school
from tests.client import LintingClient, Page

CLASSROOM = 40


def attempt(client: LintingClient, email: str = LEO.email, password: str = "not it") -> Page:
    form = client.sign_in_form()
    return form.fill(email=email, password=password).submit(follow=False)


def use_up(client: LintingClient, email: str = LEO.email, times: int = 10) -> None:
    for _ in range(times):
        assert attempt(client, email).status == 422


def elsewhere(app: Flask, address: str) -> LintingClient:
    client = LintingClient(app)
    client.browser.environ_base["REMOTE_ADDR"] = address
    return client


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
    assert attempt(elsewhere(app, "192.0.2.7"), password=PASSWORD).status == 303


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


def test_a_forged_device_is_not_known(app: Flask) -> None:
    known, forger = LintingClient(app), LintingClient(app)
    attempt(known, password=PASSWORD)
    cookie = known.browser.get_cookie(sign_in_limits.COOKIE, path="/login")
    assert cookie
    use_up(LintingClient(app))
    for value in (cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B"), "nonsense", ""):
        forger.browser.set_cookie(sign_in_limits.COOKIE, value, path="/login")
        assert attempt(forger, password=PASSWORD).status == 429


def test_signing_in_gives_the_tries_back(app: Flask) -> None:
    client = LintingClient(app)
    use_up(client, times=9)
    client.browser.delete_cookie(sign_in_limits.COOKIE, path="/login")
    assert attempt(client, password=PASSWORD).status == 303
    client.browser.delete_cookie(sign_in_limits.COOKIE, path="/login")
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
    began = time.monotonic()
    for number in range(CLASSROOM):
        client = LintingClient(app)
        email = LEO.email if number % 2 else ANA.email
        if number % 4 == 0:
            assert attempt(client, email).status == 422  # some mistype first
        assert attempt(client, email, PASSWORD).status == 303
    assert time.monotonic() - began < 60


def test_an_ipv6_neighbor_is_the_same_address() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""
