"""Nobody learns from a clock whether an e-mail is known: sign-in, registration and a forgotten password take as long."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

import pytest
from flask import Flask
from sqlalchemy import update

from app.foundation import db, tenancy
from app.foundation.db import session
from app.identity.models import User
from app.identity.rules import hash_password
from tests.audit.committed import committed
from tests.cast import LEO, PASSWORD
from tests.client import LintingClient
from tests.identity.mailbox import take
from tests.measured import measured

TRIES = 200
COST = 12 if os.environ.get("GROUNDSCHOOL_LONG") else 10  # production has 12, where the hash hides yet more
NO_LIMIT = "100000 per minute"
pytestmark = pytest.mark.long
Fields = Callable[[str], dict[str, str]]


@pytest.fixture
def as_in_production(the_app: Flask) -> Iterator[Flask]:
    """Hashes as dear as in production, work that is committed, and no limit in the way of measuring."""
    with committed(the_app, "timing") as own:
        the_app.config["SETTINGS"] = replace(
            own.settings, bcrypt_cost=COST, sign_in_limit=NO_LIMIT, sign_in_address_limit=NO_LIMIT,
            registration_limit=NO_LIMIT, reset_limit=NO_LIMIT,
        )  # fmt: skip
        with tenancy.tenant_scope(None), db.unit_of_work():
            session.execute(update(User).values(password_hash=hash_password(PASSWORD, cost=COST)))
        yield the_app
        take(the_app)


def medians(app: Flask, path: str, fields: Fields) -> tuple[float, float]:
    """Seconds for a known and for an unknown e-mail, taken in turns."""
    client = LintingClient(app)
    token = client.csrf_token()
    tries = TRIES if os.environ.get("GROUNDSCHOOL_LONG") else TRIES // 10
    took: dict[bool, list[float]] = {True: [], False: []}
    gc.disable()
    for number in range(-2, tries):
        for known in (True, False) if number % 2 else (False, True):
            email = LEO.email if known else f"nobody{number}@nowhere.example"
            began = time.perf_counter()
            client.browser.post(path, data={**fields(email), "csrf_token": token})
            if number >= 0:
                took[known].append(time.perf_counter() - began)
    gc.enable()
    return median(took[True]), median(took[False])


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/login", lambda email: {"email": email, "password": "not the password"}),
        ("/skyline/register", lambda email: {"email": email, "name": "Nia", "password": "gusting from the west"}),
        ("/password/forgotten", lambda email: {"email": email}),
    ],
    ids=["sign-in", "registration", "forgotten"],
)
def test_known_and_unknown_take_as_long(as_in_production: Flask, path: str, fields: Fields) -> None:
    """Medians within a tenth of each other; a busy machine gets a second and a third try."""
    for _ in range(3):
        known, unknown = medians(as_in_production, path, fields)
        measured(f"{path}: known {1000 * known:.2f} ms, unknown {1000 * unknown:.2f} ms, ratio {known / unknown:.3f}")
        if 0.9 < known / unknown < 1.1:
            return
    pytest.fail(f"{path} tells known e-mails apart: {1000 * known:.2f} ms against {1000 * unknown:.2f} ms")
