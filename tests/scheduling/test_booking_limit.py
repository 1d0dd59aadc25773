"""A learner asks for so many lessons an hour; staff enter as many as there are."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from tests.cast import ANA, LEO, at_school
from tests.client import LintingClient
from tests.conftest import second_app
from tests.servers import settings_for


@pytest.fixture
def limited(app: Flask, worker_database: str) -> Flask:
    """The application with a limit of its own: no other test counts by the same one."""
    return second_app(settings_for(worker_database, booking_request_limit="3 per 47 minutes"))


def asked(client: LintingClient, token: str) -> int:
    with at_school("skyline"):
        fields = {"once": uuid.uuid4().hex, "csrf_token": token, "note": "no day, no time: refused, and counted"}
        return client.post("/skyline/bookings", fields).status


def test_the_fourth_request_waits(limited: Flask) -> None:
    leo = LintingClient(limited).sign_in(LEO)
    token = leo.csrf_token()
    assert [asked(leo, token) for _ in range(4)] == [422, 422, 422, 429]
    refused = leo.post("/skyline/bookings", {"once": uuid.uuid4().hex, "csrf_token": token})
    assert refused.h1 == "Too many tries"
    assert 0 < int(refused.headers["Retry-After"]) <= 94 * 60


def test_staff_are_not_counted(limited: Flask) -> None:
    ana = LintingClient(limited).sign_in(ANA)
    token = ana.csrf_token()
    assert 429 not in [asked(ana, token) for _ in range(6)]
