"""An empty mailbox, and nothing waiting to be told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from app.foundation import tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.mail import mail_folder
from app.foundation.models import Job, OutboxEvent
from app.notifications.models import Notification
from tests.cast import at_school


@pytest.fixture
def mailbox(app: Flask) -> Iterator[Path]:
    """The demo's mail folder, empty before the test and after it."""
    folder = mail_folder(app.config["SETTINGS"])
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_waits(app: Flask) -> None:
    """The seed's own events are not this test's news."""
    with tenancy.tenant_scope(None), unit_of_work():
        session.execute(delete(OutboxEvent))
        session.execute(delete(Job))
    for slug in ("skyline", "harbour"):
        with at_school(slug), unit_of_work():
            session.execute(delete(Notification))
