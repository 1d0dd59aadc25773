"""`flask user operator`: the flag is given and taken by command, and both are on the platform's trail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.audit.committed import Committed, committed
from tests.cast import LEO, OPERATOR
from tests.client import LintingClient

CHOSEN = "gusting from the west"
COUNT = "select count(*) from platform_entry where action = '{}'"


@pytest.fixture
def own(the_app: Flask) -> Iterator[Committed]:
    with committed(the_app, "operators") as here:
        yield here


def test_a_person_becomes_an_operator_and_is_none_again(own: Committed) -> None:
    before = own.ask(COUNT.format("operator.named"))
    done = own.run("user", "operator", LEO.email.upper())
    assert done.output == "learner@skyline.example is an operator now: their pages are at /operator.\n"
    client = LintingClient(own.app).sign_in(LEO)
    assert client.get("/operator/schools").status == 200
    assert "is an operator already" in own.run("user", "operator", LEO.email).output
    assert own.ask(COUNT.format("operator.named")) == before + 1
    assert "is no operator any more" in own.run("user", "operator", LEO.email, "--revoke").output
    assert client.get("/operator/schools").status == 404
    assert "was no operator" in own.run("user", "operator", LEO.email, "--revoke").output
    assert own.ask(COUNT.format("operator.dismissed")) == 1


def test_nobody_becomes_one_by_a_slip_of_the_pen(own: Committed) -> None:
    done = own.run("user", "operator", "lerner@skyline.example")
    assert done.exit_code == 1
    assert "Nobody signs in as lerner@skyline.example" in done.output
    assert own.ask("select count(*) from user_account where is_operator") == 1
    assert own.run("user", "operator", "not an address", "--create").exit_code == 1
    assert own.run("user", "operator", "x@y.example", "--create", "--revoke").exit_code == 2


def test_an_account_that_belongs_to_no_school_is_made_when_asked_for(own: Committed) -> None:
    done = own.run("user", "operator", "ops@elsewhere.example", "--create")
    link = re.search(r"http://[^/]+(/\S+)", done.output)
    assert link, done.output
    page = LintingClient(own.app).get(link.group(1)).form("Change the password").fill(password=CHOSEN).submit()
    page = page.form("Sign in").fill(email="ops@elsewhere.example", password=CHOSEN).submit()
    assert page.path == "/operator/schools"


def test_the_demo_names_its_operator_on_the_sign_in_page(own: Committed) -> None:
    assert OPERATOR.email in LintingClient(own.app).get("/login?next=/").text
