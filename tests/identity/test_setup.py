"""An empty instance: one page, whose address is printed, makes the first school and its first admin."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import db, tenancy
from app.foundation.db import session
from app.identity.models import Membership
from app.tenants.models import Tenant
from app.tenants.operations import RESERVED_SLUGS
from tests.cast import at_school
from tests.client import LintingClient, Page
from tests.identity.empty import empty_instance

TYPED = {
    "school": "Ridge Gliding",
    "slug": "ridge",
    "zone": "Europe/Zurich",
    "name": "Reto Amsler",
    "email": "reto@ridge.example",
    "password": "gusting from the west",
}


@pytest.fixture
def empty(the_app: Flask) -> Iterator[Flask]:
    with empty_instance(the_app) as made:
        yield made


def set_up_path(app: Flask) -> str:
    said = app.test_cli_runner().invoke(args=["tenant", "set-up-link"]).output
    found = re.search(r"http://[^/]+(/setup/\S+)", said)
    assert found, said
    return found.group(1)


def fill_in(app: Flask, path: str, **over: str) -> Page:
    return LintingClient(app).get(path).form("Make the school").fill({**TYPED, **over}).submit()


def test_the_printed_address_makes_the_school_and_its_admin_who_signs_in(empty: Flask) -> None:
    page = fill_in(empty, set_up_path(empty))
    assert "Ridge Gliding is there" in page.text
    assert page.h1 == "Today"
    assert page.client.get("/ridge/audit").status == 200
    with at_school("ridge"), db.unit_of_work():
        (admin,) = session.scalars(select(Membership)).all()
        assert (admin.roles, admin.status, admin.name) == (["admin"], "active", "Reto Amsler")
        assert "school.created" in set(session.scalars(select(AuditEntry.action)))


def test_the_first_admin_is_led_through_the_first_steps(empty: Flask) -> None:
    home = fill_in(empty, set_up_path(empty))
    assert "First steps 0 of 6 done" in home.text
    steps = [href for step in home.find_all(".//ol[@class='work']//a") if (href := step.get("href"))]
    assert len(steps) == 6
    for href in steps:
        assert home.client.get(href).status == 200, href


@pytest.mark.parametrize(
    "path", ["/", "/login", "/skyline/audit", "/nothing/at/all", "/schools", "/password/forgotten"]
)
def test_every_page_says_that_there_is_no_school(empty: Flask, path: str) -> None:
    page = LintingClient(empty).get(path)
    assert page.status == 503
    assert page.h1 == "This Groundschool is not set up yet"


def test_health_and_styles_are_answered(empty: Flask) -> None:
    client = LintingClient(empty)
    assert client.get("/healthz").status == 200
    style = re.search(r'href="(/static/css/[^"]+)"', client.get("/").html)
    assert style
    assert client.get(style.group(1)).status == 200


def test_the_address_works_once_and_the_one_before_not_at_all(empty: Flask) -> None:
    first, second = set_up_path(empty), set_up_path(empty)
    assert LintingClient(empty).get(first).status == 410
    form = LintingClient(empty).get(second).form("Make the school").fill({**TYPED, "slug": "other"})
    assert fill_in(empty, second).status == 200
    assert form.submit().status == 410
    assert LintingClient(empty).get(second).status == 410
    with db.unit_of_work():
        assert session.query(Tenant).count() == 1
    refused = empty.test_cli_runner().invoke(args=["tenant", "set-up-link"])
    assert refused.exit_code == 1
    said = refused.output
    assert "There is a school already" in said
    assert empty.test_cli_runner().invoke(args=["tenant", "set-up-link", "--if-empty"]).output == ""


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"slug": "account"}, 409),
        ({"slug": "Ridge!"}, 409),
        ({"zone": ""}, 422),
        ({"password": "password"}, 422),
        ({"email": "reto"}, 422),
        ({"school": " "}, 422),
    ],
)
def test_a_mistake_costs_nothing(empty: Flask, over: dict[str, str], status: int) -> None:
    path = set_up_path(empty)
    page = fill_in(empty, path, **over)
    assert page.status == status
    assert page.form("Make the school").fill(TYPED).submit().h1 == "Today"


def test_every_first_segment_of_an_address_is_refused_as_a_slug(app: Flask) -> None:
    firsts = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    paths = {first for first in firsts if first and not first.startswith("<")}
    assert paths <= RESERVED_SLUGS, f"also refuse {sorted(paths - RESERVED_SLUGS)}"
    assert tenancy.current() is None


def test_the_list_of_faults_reads_in_the_order_of_the_page(empty: Flask) -> None:
    page = fill_in(empty, set_up_path(empty), school="", password="short", slug="account")
    assert page.text.index("Give a name.") < page.text.rindex("characters.")
    faults = page.html[page.html.index('class="errors"') : page.html.index('class="field')]
    assert faults.index("Name of the school") < faults.index("Password")
    page = fill_in(empty, set_up_path(empty), slug="account")
    assert "Groundschool has a page there" in page.text
