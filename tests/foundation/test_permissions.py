"""Who may do what: nobody is asked to sign in, strangers find nothing, members are told no, and roles add up."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask

from app.foundation import permissions
from app.foundation.actor import STRANGER, SYSTEM, Actor
from app.foundation.permissions import Role, access, allows, grants, may, requires, roles_with, sees
from app.tenants.models import Department
from tests.cast import ANA, BO, HAL, LEO, LOU, MAX, Person, at_school
from tests.client import PARTIAL, LintingClient


class Can(StrEnum):
    FLY = "tests:fly"
    LAND = "tests:land"


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What these tests grant holds for them alone: the matrix that admins read is made of the same tables."""
    monkeypatch.setattr(permissions, "_granted", {role: set(held) for role, held in permissions._granted.items()})
    others = {model: predicates for model, predicates in permissions._sees.items() if model is not Department}
    monkeypatch.setattr(permissions, "_sees", others)
    monkeypatch.setattr(permissions, "_allows", dict(permissions._allows))
    yield
    permissions.permissions_of.cache_clear()


@pytest.fixture
def ruled(throwaway: Flask) -> Flask:
    """A route to a department: admins and learners may ask, only learners for "Instrument", nobody sees "Cabin crew"."""
    grants({Can.FLY: {Role.ADMIN, Role.LEARNER}, Can.LAND: {Role.MANAGER}})
    sees(Department)(lambda actor, record: record.name != "Cabin crew")
    allows(Can.FLY)(lambda actor, record: record.name != "Instrument" or Role.LEARNER in actor.roles)

    @requires(Can.FLY)
    def show(department_id: int) -> Any:
        return access(Department, department_id).name

    throwaway.add_url_rule("/<tenant>/fly/<int:department_id>", "fly", show, methods=["GET", "POST"])
    return throwaway


def path(name: str, slug: str = "skyline") -> str:
    from sqlalchemy import select

    from app.foundation.db import session

    with at_school(slug):
        return f"/skyline/fly/{session.scalars(select(Department.id).where(Department.name == name)).one()}"


@pytest.mark.parametrize(
    ("person", "department", "status"),
    [
        (ANA, "Commercial", 200),
        (LEO, "Commercial", 200),
        (ANA, "Instrument", 403),
        (LEO, "Instrument", 200),
        (ANA, "Cabin crew", 404),
        (MAX, "Commercial", 403),
        (MAX, "Cabin crew", 403),
        (HAL, "Commercial", 404),
        (LOU, "Commercial", 404),
    ],
)
def test_the_order_of_refusals(ruled: Flask, person: Person, department: str, status: int) -> None:
    client = LintingClient(ruled).sign_in(person)
    answer = client.browser.get(path(department))
    assert answer.status_code == status


def test_what_one_of_several_predicates_sees_is_seen(ruled: Flask) -> None:
    sees(Department)(lambda actor, record: record.name == "Cabin crew" and Role.LEARNER in actor.roles)
    assert LintingClient(ruled).sign_in(LEO).browser.get(path("Cabin crew")).status_code == 200
    assert LintingClient(ruled).sign_in(LEO).browser.get(path("Commercial")).status_code == 200
    assert LintingClient(ruled).sign_in(ANA).browser.get(path("Cabin crew")).status_code == 404


def test_a_record_of_the_other_school_is_not_found(ruled: Flask) -> None:
    assert LintingClient(ruled).sign_in(ANA).get(path("Commercial", "harbour")).status == 404


def test_no_such_record_and_no_such_number(ruled: Flask) -> None:
    client = LintingClient(ruled).sign_in(ANA)
    assert client.get("/skyline/fly/999999999").status == 404
    assert client.get("/skyline/fly/seven").status == 404
    assert client.get("/skyline/fly/99999999999999999999999").status == 404


def test_the_wrong_verb(ruled: Flask) -> None:
    client = LintingClient(ruled).sign_in(ANA)
    answer = client.request("PUT", path("Commercial"))
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


def test_nobody_is_led_to_sign_in(ruled: Flask) -> None:
    client = LintingClient(ruled)
    where = path("Commercial")
    assert client.get(where).location == f"/login?next={where}"
    partial = client.request("GET", where, headers=PARTIAL)
    assert (partial.status, partial.headers["HX-Redirect"]) == (401, f"/login?next={where}")
    assert client.post(where).status == 401
    posted = client.partial(where, {"a": "b"})
    assert (posted.status, posted.headers["HX-Retarget"]) == (401, "#main")


def test_a_post_wants_its_session_s_token(ruled: Flask) -> None:
    client = LintingClient(ruled).sign_in(ANA)
    assert client.post(path("Commercial"), csrf=False).status == 400
    stolen = LintingClient(ruled).sign_in(LEO).csrf_token()
    assert client.post(path("Commercial"), {"csrf_token": stolen}).status == 400
    token = client.csrf_token()
    by_header = client.browser.post(path("Commercial"), headers={"X-CSRFToken": token})
    assert by_header.status_code == 200


def test_roles_add_up() -> None:
    grants({Can.FLY: {Role.ADMIN}, Can.LAND: {Role.MANAGER}})
    both = Actor(user_id=1, membership_id=1, roles=frozenset({"admin", "manager"}))
    assert both.may(Can.FLY)
    assert both.may(Can.LAND)
    assert not Actor(roles=frozenset({"manager"})).may(Can.FLY)
    assert roles_with(Can.LAND) == {"manager"}
    assert may(both, Can.LAND, object())


def test_a_person_has_each_school_s_own_roles(app: Flask) -> None:
    """Bo teaches at Skyline and learns at Harbour."""
    client = LintingClient(app).sign_in(BO)
    assert client.get("/skyline/availability").status == 200
    assert client.get("/harbour/availability").status == 403


def test_who_acts() -> None:
    assert STRANGER.is_anonymous
    assert not STRANGER.is_active
    assert STRANGER.get_id() == ""
    assert Actor(user_id=7).get_id() == "7"
    assert SYSTEM.is_system
    assert not SYSTEM.is_authenticated
