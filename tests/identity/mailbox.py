"""The mail that a test's deeds sent: jobs are run, then the demo's folder is read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from flask import Flask

import jobs.identity  # noqa: F401 — makes its rows known
from app.foundation import jobs as work
from app.foundation import tenancy
from app.foundation.mail import mail_folder
from app.foundation.settings import Settings
from tests.cast import school

SNAPSHOTS = Path(__file__).parent / "snapshots"


@dataclass(frozen=True)
class Mail:
    """One mail as it was handed over."""

    to: str
    subject: str
    text: str

    @property
    def path(self) -> str:
        """The path of the mail's first link."""
        found = re.search(r"https?://[^/\s]+(/\S+)", self.text)
        assert found, f"no link in {self.text!r}"
        return found.group(1)


def sent(app: Flask, slug: str = "skyline") -> list[Mail]:
    """Run the school's due work and take what it mailed out of the folder, oldest first."""
    before = tenancy.current()
    tenancy.enter(None)
    with app.app_context():
        work.drain_tenant(school(slug).id)
    tenancy.enter(before)
    return take(app)


def take(app: Flask) -> list[Mail]:
    """The mails in the application's folder, which is empty afterwards."""
    return take_from(app.config["SETTINGS"])


def take_from(settings: Settings) -> list[Mail]:
    """The mails in the folder of these settings, oldest first; it is empty afterwards."""
    found = []
    for path in sorted(mail_folder(settings).glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
        message = message_from_bytes(path.read_bytes(), policy=default)
        found.append(Mail(message["To"], message["Subject"], message.get_content()))
        path.unlink()
    return found


def assert_snapshot(mail: Mail, name: str) -> None:
    """The mail reads as it did when somebody last looked at it. SNAPSHOTS=1 writes it anew, to be looked at."""
    text = f"To: {mail.to}\nSubject: {mail.subject}\n\n{mail.text}"
    text = re.sub(r"(https?://[^/\s]+/\S*/)[\w-]{43}", r"\1<token>", text)
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"{name} reads otherwise: look at it, then run with SNAPSHOTS=1"
