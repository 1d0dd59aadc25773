"""The route walk: whoever may ask is answered; nobody, and no role of the other school, ever learns that it is there."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.foundation import db
from tests.cast import HAL, IVY, LOU, Person, at_school
from tests.client import count_statements
from tests.guards import walk
from tests.guards.visits import MOST_STATEMENTS, VISITS, Visit

STRANGERS = (HAL, IVY, Person("manager@harbour.example", "harbour"), Person("author@harbour.example", "harbour"), LOU)


@pytest.fixture(params=sorted(VISITS))
def visit(request: pytest.FixtureRequest, app: Flask) -> tuple[Rule, Visit, str, dict[str, Any]]:
    """A route with its rightful visit, its address with real records in it, and the fields to post."""
    name = request.param
    rules = [rule for rule in walk.school_routes(app) if rule.endpoint == name]
    assert rules, f"there is no route {name}: take its line out of tests/guards/visits.py"
    wanted = VISITS[name]
    with app.app_context(), at_school("skyline"):
        values = wanted.address()
        fields = wanted.fields(values)
        db.session.commit()
    return rules[0], wanted, walk.path_of(app, rules[0], values, "skyline"), fields


def test_who_may_ask_is_answered_and_the_other_school_is_not(
    app: Flask, visit: tuple[Rule, Visit, str, dict[str, Any]]
) -> None:
    rule, wanted, path, fields = visit
    for stranger in (*STRANGERS, None):
        answer = walk.Visitor(app, stranger).ask(rule, path, fields)
        assert walk.is_turned_away(answer), f"{stranger} got {answer.status} from {path}"
    rightful = walk.Visitor(app, wanted.person)
    if walk.is_post(rule):
        assert rightful.ask(rule, path, fields, csrf=False).status == 400, "it takes a post without a CSRF token"
    answer = rightful.ask(rule, path, fields)
    assert answer.status in (200, 201, 303), f"{wanted.person.email} got {answer.status}: {answer.text[:600]}"
    assert not answer.location.startswith("/login"), answer.location


def test_a_record_is_not_found_under_the_other_school_s_name(
    app: Flask, visit: tuple[Rule, Visit, str, dict[str, Any]]
) -> None:
    """Harbour's people ask their own school for Skyline's record. Who lacks the right is told 403 before any look-up."""
    rule, _wanted, path, fields = visit
    if not any(name.endswith("_id") for name in rule.arguments):
        pytest.skip("it names no record")
    answers = set()
    for stranger in STRANGERS:
        answer = walk.Visitor(app, stranger).ask(rule, path.replace("/skyline/", "/harbour/"), fields)
        answers.add(answer.status)
        assert answer.status in (403, 404), f"{stranger.email} got {answer.status} from {answer.path}"
    assert 404 in answers, "nobody there had the right to ask at all"


def test_it_needs_few_statements(app: Flask, visit: tuple[Rule, Visit, str, dict[str, Any]]) -> None:
    rule, wanted, path, fields = visit
    rightful = walk.Visitor(app, wanted.person)
    rightful.client.get(path, follow=True)
    with count_statements() as statements:
        rightful.ask(rule, path, fields)
    assert len(statements) <= wanted.statements, "\n".join(statements)
    assert walk.is_post(rule) or wanted.statements <= MOST_STATEMENTS


# -- the walk bites ------------------------------------------------------------------------------------------------


def test_a_page_of_seven_statements_is_seen(app: Flask) -> None:
    from sqlalchemy import text

    view = app.view_functions["tenants.stuck_work_index"]

    def slow(**values: Any) -> Any:
        for _ in range(MOST_STATEMENTS):
            db.session.execute(text("select 1"))
        return view(**values)

    app.view_functions["tenants.stuck_work_index"] = slow
    try:
        visitor = walk.Visitor(app, VISITS["tenants.stuck_work_index"].person)
        with count_statements() as statements:
            visitor.client.get("/skyline/stuck-work")
    finally:
        app.view_functions["tenants.stuck_work_index"] = view
    assert len(statements) > MOST_STATEMENTS


def test_a_page_that_shows_itself_to_strangers_is_seen(app: Flask) -> None:
    view = app.view_functions["tenants.stuck_work_index"]
    app.view_functions["tenants.stuck_work_index"] = lambda **_values: ""
    try:
        answer = walk.Visitor(app, LOU).client.browser.get("/skyline/stuck-work")
    finally:
        app.view_functions["tenants.stuck_work_index"] = view
    assert answer.status_code == 200
