"""The route walk: whoever may ask is answered; nobody, and no role of the other school, ever learns that it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.foundation import db
from tests.cast import HAL, IVY, LOU, Person, at_school
from tests.guards import walk
from tests.guards.visits import MOST_STATEMENTS, VISITS
from tests.guards.walk import PAGE, Asked

STRANGERS = (HAL, IVY, Person("manager@harbour.example", "harbour"), Person("author@harbour.example", "harbour"), LOU)


def asked_at_skyline(app: Flask, name: str) -> Asked:
    """The route of that name as VISITS says that it is asked, with its records made."""
    rules = [rule for rule in walk.school_routes(app) if rule.endpoint == name]
    assert rules, f"there is no route {name}: take its line out of tests/guards/visits.py"
    assert len(rules) == 1, f"{name} has several addresses, and only one would be walked"
    visit = VISITS[name]
    with app.app_context(), at_school("skyline"):
        values = visit.address()
        fields = visit.fields(values)
        db.session.commit()
    return Asked(rules[0], walk.path_of(app, rules[0], values, "skyline"), visit.person, fields)


@pytest.fixture(params=sorted(VISITS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(app: Flask, name: str) -> Asked:
    return asked_at_skyline(app, name)


def test_who_may_ask_is_answered_and_the_other_school_is_not(app: Flask, asked: Asked) -> None:
    assert walk.shown_to(app, asked, (*STRANGERS, None)) == []
    assert walk.taken_without_token(app, asked) == []
    assert walk.faults_of_answer(asked.rightly(app)) == [], "the strangers have changed it"


def test_a_record_is_not_found_under_the_other_school_s_name(app: Flask, asked: Asked) -> None:
    """Harbour's people ask their own school for Skyline's record. Who lacks the right is told 403 before any look-up."""
    if not any(name.endswith("_id") for name in asked.rule.arguments):
        pytest.skip("it names no record")
    assert walk.found_elsewhere(app, replace(asked, path=asked.path.replace("/skyline/", "/harbour/")), STRANGERS) == []


def test_it_needs_few_statements(app: Flask, asked: Asked, name: str) -> None:
    assert walk.too_many_statements(app, asked, VISITS[name].statements) == []
    assert walk.is_post(asked.rule) or VISITS[name].statements <= MOST_STATEMENTS


# -- the walk bites ------------------------------------------------------------------------------------------------

INDEX, RECORD, DEED = "tenants.stuck_work_index", "scheduling.booking_show", "scheduling.cancellation_create"


def slow(sound: Any, **values: Any) -> Any:
    for _ in range(MOST_STATEMENTS):
        db.session.execute(text("select 1"))
    return sound(**values)


def open_to_all(_sound: Any, **_values: Any) -> str:
    return PAGE


def closed_to_all(_sound: Any, **_values: Any) -> Any:
    return PAGE, 404


def test_a_page_of_seven_statements_is_seen(app: Flask) -> None:
    asked = asked_at_skyline(app, INDEX)
    assert walk.too_many_statements(app, asked, MOST_STATEMENTS) == []
    with walk.broken(app, INDEX, slow):
        assert len(walk.too_many_statements(app, asked, MOST_STATEMENTS)) > MOST_STATEMENTS


@pytest.mark.parametrize("name", [INDEX, RECORD, DEED])
def test_a_route_that_answers_strangers_is_seen(app: Flask, name: str) -> None:
    asked = asked_at_skyline(app, name)
    with walk.broken(app, name, open_to_all):
        assert len(walk.shown_to(app, asked, (*STRANGERS, None))) == len(STRANGERS) + 1
        assert walk.found_elsewhere(app, asked, STRANGERS)


def test_a_route_that_answers_nobody_at_all_is_seen(app: Flask) -> None:
    """Else a wrong address would pass: nobody is answered from there either."""
    asked = asked_at_skyline(app, RECORD)
    with walk.broken(app, RECORD, closed_to_all):
        assert ["whose it is got 404" in found for found in walk.shown_to(app, asked, STRANGERS)] == [True]


def test_a_post_that_needs_no_token_is_seen(app: Flask) -> None:
    asked = asked_at_skyline(app, DEED)
    with walk.broken(app, DEED, open_to_all):
        assert walk.taken_without_token(app, asked) == ["without a CSRF token a post got 200"]
