"""Every page of operators, walked: nobody else finds it, and each deed wants a token and leads a reader somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.routing import Rule

from app.foundation.db import session
from app.identity.models import User
from tests.cast import ANA, CAST, OPERATOR, at_school, member
from tests.client import LintingClient, count_statements
from tests.console.schools import operator
from tests.guards import walk


def console_routes(app: Flask) -> list[Rule]:
    """The routes of operators, also those of other features."""
    views = app.view_functions
    return [rule for rule in walk.routes(app) if getattr(views[rule.endpoint], "permission", "") == "operator"]


@pytest.fixture
def paths(app: Flask) -> dict[str, Rule]:
    """The routes by an address with real records in it; a POST's by "POST …"."""
    with at_school("skyline"):
        values = {"slug": "skyline", "member_id": member(ANA).id, "deed": "suspension"}
    found = {}
    for rule in console_routes(app):
        path = walk.path_of(app, rule, values, "skyline")
        found[f"{'POST' if walk.is_post(rule) else 'GET'} {path}"] = rule
    assert len(found) >= 10
    return found


def each(paths: dict[str, Rule]) -> Iterator[tuple[str, Rule]]:
    for name, rule in paths.items():
        yield name.partition(" ")[2], rule


def test_to_nobody_else_is_it_there(app: Flask, paths: dict[str, Rule]) -> None:
    for person in CAST:
        visitor = walk.Visitor(app, person)
        for path, rule in each(paths):
            assert visitor.ask(rule, path).status == 404, f"{person.email} at {path}"
            assert visitor.ask(rule, path, csrf=False).status == 404, f"{person.email} at {path}"


def test_whoever_is_signed_out_is_led_to_sign_in(app: Flask, paths: dict[str, Rule]) -> None:
    nobody = walk.Visitor(app, None)
    for path, rule in each(paths):
        answer = nobody.ask(rule, path)
        assert (answer.status == 401) if walk.is_post(rule) else answer.location.startswith("/login?next="), path


def test_operators_are_answered_in_few_statements(app: Flask, paths: dict[str, Rule]) -> None:
    client = operator(app)
    for path, rule in each(paths):
        if walk.is_post(rule):
            assert client.post(path, csrf=False).status == 400, path
            assert client.get(path, follow=True).status == 200, f"whoever reloads {path} is led nowhere"
        else:
            client.get(path)
            with count_statements() as statements:
                assert client.get(path).status in (200, 303), path
            assert len(statements) <= 6, "\n".join(statements)


def test_a_verb_that_is_not_for_it_is_refused(app: Flask, paths: dict[str, Rule]) -> None:
    client = operator(app)
    for path, _rule in each(paths):
        for verb in ("PUT", "DELETE", "PATCH"):
            assert client.request(verb, path).status == 405, f"{verb} {path}"


@pytest.mark.parametrize("slug", ["nowhere", "Skyline", "../skyline", "%00", "skyline'--"])
def test_a_school_that_is_none_is_not_found(app: Flask, slug: str) -> None:
    client = operator(app)
    for path in ("", "/suspension", "/resumption"):
        assert client.get(f"/operator/schools/{slug}{path}").status == 404
    for deed in ("suspension", "resumption", "admins/1/invitation"):
        assert client.post(f"/operator/schools/{slug}/{deed}", {"reason": "a reason of some length"}).status == 404


def test_whoever_is_no_operator_any_more_is_out_at_the_next_click(app: Flask) -> None:
    client = operator(app)
    assert client.get("/operator/schools").status == 200
    session.execute(update(User).where(User.email == OPERATOR.email).values(is_operator=False))
    session.commit()
    assert client.get("/operator/schools").status == 404
    assert client.get("/schools").status == 200


def test_a_member_s_menu_does_not_name_the_console(app: Flask) -> None:
    ana = LintingClient(app).sign_in(ANA)
    assert "Operator’s console" not in ana.get("/skyline/").links()
    assert "Operator’s console" not in ana.get("/schools?stay=1").links()


def test_an_operator_sees_numbers_and_admins_and_no_content(app: Flask) -> None:
    """What a school wrote, and who learns there, is not for operators who act as nobody."""
    text = operator(app).get("/operator/schools/skyline").text
    assert "Ana Ruiz" in text
    for private in ("Leo Hart", "learner@skyline.example", "Weather", "Bea Lindgren"):
        assert private not in text
