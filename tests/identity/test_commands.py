"""`flask tenant` and `flask user`: what has to be possible before anybody can sign in, and where there is no mail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.db import session
from tests.audit.committed import Committed, committed
from tests.cast import LEO, member
from tests.client import LintingClient
from tests.identity.empty import empty_instance
from tests.identity.mailbox import assert_snapshot, sent
from tests.identity.test_second_factor import turn_on

CREATE = [
    "tenant",
    "create",
    "ridge",
    "--name",
    "Ridge Gliding",
    "--zone",
    "Europe/Zurich",
    "--admin",
    "reto@ridge.example",
]
CHOSEN = "gusting from the west"


@pytest.fixture
def own(the_app: Flask) -> Iterator[Committed]:
    with committed(the_app, "commands") as here:
        yield here


def printed_path(output: str) -> str:
    found = re.search(r"http://[^/]+(/\S+)", output)
    assert found, output
    return found.group(1)


def test_a_school_made_where_there_is_no_mail_prints_its_admins_link(the_app: Flask) -> None:
    with empty_instance(the_app) as app:
        done = app.test_cli_runner().invoke(args=CREATE)
        assert done.exit_code == 0, done.output
        page = LintingClient(app).get(printed_path(done.output))
        page = page.form("Accept the invitation").fill(password=CHOSEN).submit()
        assert page.h1 == "Today"
        assert page.client.get("/ridge/audit").status == 200


def test_where_there_is_mail_the_admin_is_invited_by_it(own: Committed) -> None:
    done = own.run(*CREATE)
    assert "on its way to reto@ridge.example" in done.output
    assert "http" not in done.output
    (mail,) = sent(own.app, "ridge")
    assert "Ridge Gliding invites you" in mail.subject


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (2, "skyline", "There is a school at “skyline” already."),
        (2, "login", "cannot be a school's address"),
        (2, "No Slug", "cannot be a school's address"),
        (6, "Mars/Olympus", "is no time zone"),
    ],
)
def test_what_cannot_be_is_one_sentence(own: Committed, place: int, value: str, sentence: str) -> None:
    words = list(CREATE)
    words[place] = value
    done = own.run(*words)
    assert done.exit_code == 1
    assert sentence in done.output
    assert own.ask("select count(*) from tenant") == 2


def test_a_printed_link_sets_a_password(own: Committed) -> None:
    done = own.run("user", "password", LEO.email.upper())
    path = printed_path(done.output)
    page = LintingClient(own.app).get(path).form("Change the password").fill(password=CHOSEN).submit()
    assert "Your password is changed" in page.text
    assert LintingClient(own.app).get(path).status == 410
    with own.at("skyline"):
        asked = session.scalars(select(AuditEntry).where(AuditEntry.action == "password.reset_asked")).one()
        assert (asked.actor_id, asked.subject_id) == (None, member(LEO).id)


def test_nobody_has_no_link(own: Committed) -> None:
    done = own.run("user", "password", "nobody@nowhere.example")
    assert done.exit_code == 1
    assert "Nobody signs in as nobody@nowhere.example" in done.output


def test_a_lost_second_factor_is_taken_away(own: Committed) -> None:
    client, _secret, _codes = turn_on(own.app)
    session.remove()
    assert own.run("user", "second-factor", LEO.email).exit_code == 2
    done = own.run("user", "second-factor", LEO.email.upper(), "--remove")
    assert f"{LEO.email} signs in by the password alone now." in done.output
    assert client.get("/account").location.startswith("/login")
    LintingClient(own.app).sign_in(LEO)
    assert own.ask("select count(*) from recovery_code") == 0
    trail = "select actor_id is null and origin = 'job' from audit_entry where action = 'second_factor.removed'"
    assert own.ask(trail) is True
    told = [mail for mail in sent(own.app) if "removed" in mail.subject]
    assert [mail.to for mail in told] == [LEO.email]
    assert_snapshot(told[0], "second_factor_removed")
    assert "has no second factor" in own.run("user", "second-factor", LEO.email, "--remove").output
    assert own.run("user", "second-factor", "nobody@nowhere.example", "--remove").exit_code == 1
