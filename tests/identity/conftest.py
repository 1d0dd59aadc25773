"""Each test comes from an address of its own and finds the mailbox empty."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.identity.mailbox import take


@pytest.fixture(autouse=True)
def _an_address_of_its_own(the_app: Flask) -> Iterator[None]:
    """What one test uses up of a limit, the next has whole."""
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"

    class FromThere(FlaskClient):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.environ_base["REMOTE_ADDR"] = address

    before, the_app.test_client_class = the_app.test_client_class, FromThere
    yield
    the_app.test_client_class = before


@pytest.fixture(autouse=True)
def _an_empty_mailbox(the_app: Flask) -> None:
    take(the_app)
