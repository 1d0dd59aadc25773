"""What every route declares; each rule is shown to bite on a route that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.foundation.permissions import public, requires, signed_in
from app.tenants.policies import Can
from tests.client import LintingClient
from tests.guards import walk
from tests.guards.visits import VISITS

DOORS_OF_THEIR_OWN = {
    "tenants.stuck_work_replay": "job rows stand outside the wall; find_dead_job asks for this school's only",
    "tenants.stuck_work_replay_show": "the same",
}
"""Routes that take a record's id and find it without access(), with the reason."""


def add_route(app: Flask, rule: str, mark: Callable[..., Any] | None, **options: Any) -> None:
    def broken(**_values: Any) -> str:
        return "broken on purpose"

    app.add_url_rule(rule, "broken", mark(broken) if mark else broken, **options)


def test_every_route_declares_who_may_ask(the_app: Flask) -> None:
    assert walk.undeclared(the_app) == []


@pytest.mark.parametrize("mark", [None, public("")])
def test_a_route_that_declares_nothing_is_found(throwaway: Flask, mark: Any) -> None:
    add_route(throwaway, "/<tenant>/broken", mark)
    assert walk.undeclared(throwaway) == ["broken"]


def test_a_school_s_pages_are_below_its_name(the_app: Flask) -> None:
    assert walk.misplaced(the_app) == []


@pytest.mark.parametrize(
    ("rule", "mark"), [("/broken", requires(Can.SEE_STUCK_WORK)), ("/<tenant>/broken", public("a reason long enough"))]
)
def test_a_misplaced_route_is_found(throwaway: Flask, rule: str, mark: Any) -> None:
    add_route(throwaway, rule, mark)
    assert len(walk.misplaced(throwaway)) == 1


def test_every_record_comes_through_the_door(the_app: Flask) -> None:
    assert walk.through_no_door(the_app, set(DOORS_OF_THEIR_OWN)) == []
    assert set(DOORS_OF_THEIR_OWN) <= set(the_app.view_functions)


def test_a_record_that_comes_another_way_is_found(throwaway: Flask) -> None:
    add_route(throwaway, "/<tenant>/broken/<int:course_id>", signed_in)
    assert walk.through_no_door(throwaway, set(DOORS_OF_THEIR_OWN)) == ["broken"]


def test_every_route_of_a_school_is_visited(the_app: Flask) -> None:
    """The walk, the statements and the pseudo-locale all go by the table of visits."""
    there = set(walk.endpoints(walk.walked_routes(the_app)))
    assert there - VISITS.keys() == set(), "add a line to tests/guards/visits.py"
    assert VISITS.keys() - there == set(), "take its line out of tests/guards/visits.py"


def test_a_route_that_nobody_fills_fails(the_app: Flask) -> None:
    rule = next(rule for rule in walk.school_routes(the_app) if "job_id" in rule.arguments)
    with pytest.raises(AssertionError, match="job_id"):
        walk.path_of(the_app, rule, {}, "skyline")


def test_the_address_of_a_deed_leads_a_reader_somewhere(the_app: Flask) -> None:
    """Whoever reloads or bookmarks the address of a POST is led to its page, and is not told 405."""
    rules = walk.school_routes(the_app)
    read = {rule.rule for rule in rules if not walk.is_post(rule)}
    alone = {rule.rule for rule in rules if walk.is_post(rule)} - read
    some = {rule for rule in alone if not _is_read_by_another(the_app, rule)}
    assert some == set()


def _is_read_by_another(app: Flask, rule: str) -> bool:
    """Whether a route with another converter answers GET at the same address."""
    path = rule.replace("<tenant>", "skyline")
    for part in [part for part in path.split("/") if part.startswith("<")]:
        path = path.replace(part, "7" if "int:" in part else "x")
    adapter = app.url_map.bind("localhost")
    return adapter.test(path, method="GET")


PUBLIC_POSTS = {
    "/login": {"email": "x@y.example", "password": "x"},
    "/login/code": {"code": "123456"},
    "/theme": {"theme": "dark"},
    "/password/forgotten": {"email": "x@y.example"},
}
POSTS_OF_LINKS = {"/setup/<token>", "/password/reset/<token>", "/account/email/<token>"}
"""Public because a mailed or printed link is the proof; their own tests walk them."""


@pytest.mark.parametrize("path", sorted(PUBLIC_POSTS))
def test_public_posts_want_a_token_too(app: Flask, path: str) -> None:
    client = LintingClient(app)
    assert client.post(path, PUBLIC_POSTS[path], csrf=False).status == 400
    assert client.post(path, PUBLIC_POSTS[path]).status in (303, 422)


def test_no_public_post_is_forgotten(the_app: Flask) -> None:
    posts = [rule for rule in walk.routes(the_app) if walk.is_post(rule) and "tenant" not in rule.arguments]
    views = the_app.view_functions
    assert {r.rule for r in posts if views[r.endpoint].permission == "public"} == set(PUBLIC_POSTS) | POSTS_OF_LINKS  # type: ignore[attr-defined]
