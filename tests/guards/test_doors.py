"""The walk outside the schools: one's own account, the console, links, sign-in. Each answers whom it is for, and shows and does
nothing of theirs for anybody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask_login import current_user
from sqlalchemy import select, update
from werkzeug.routing import Rule

from app.foundation import clock, db, tenancy
from app.foundation.permissions import newcomers, own_account
from app.identity.models import RecoveryCode, User, UserSession
from tests.cast import BEA, LEO, LOU, Person, at_school
from tests.guards import walk
from tests.guards.doors import DOORS, WALKED_ELSEWHERE, Door, user_of
from tests.guards.visits import MOST_STATEMENTS, Values
from tests.guards.walk import PAGE, Asked

GONE = (404, 410)


def asked_at(app: Flask, name: str) -> list[tuple[Asked, Values]]:
    """Each address of the route of that name as DOORS says that it is asked, with the values of its records."""
    rules = [rule for rule in walk.other_routes(app) if rule.endpoint == name]
    assert rules, f"there is no route {name}: take its line out of tests/guards/doors.py"
    return [_asked(app, rule, DOORS[name]) for rule in rules]


def _asked(app: Flask, rule: Rule, door: Door) -> tuple[Asked, Values]:
    with app.app_context(), at_school("skyline"):
        values = door.address()
        fields = door.fields(values)
        db.session.commit()
    person = values.get("person", door.person)
    path = walk.path_of(app, rule, values, "skyline")
    tenancy.forget_tenants()
    return Asked(rule, path, person, fields, values.get("cookie", {})), values


def account_of(person: Person) -> dict[str, Any]:
    """Everything of a person's account that others could change: the account, where they are signed in, their codes."""
    with tenancy.tenant_scope(None):
        db.session.expire_all()
        user = user_of(person)
        return {
            "account": {column.key: getattr(user, column.key) for column in User.__table__.columns},
            "sessions": db.session.execute(
                select(UserSession.id, UserSession.ended_at).where(UserSession.user_id == user.id).order_by(UserSession.id)
            ).all(),
            "codes": db.session.execute(
                select(RecoveryCode.code_hash, RecoveryCode.used_at).where(RecoveryCode.user_id == user.id)
            ).all(),
        }  # fmt: skip


def leaks(app: Flask, asked: Asked, values: Values, door: Door) -> list[str]:
    """A sentence for everybody else who is not turned away, reads what is not theirs, or changes it."""
    before, theirs = account_of(LEO), door.theirs(values)
    found = walk.shown_to(app, asked, door.turned_away)
    if theirs:
        with walk.undone():
            if theirs not in asked.rightly(app).html:
                found.append(f"whose it is does not read {theirs!r}")
    for other in door.others:
        answer = asked.by(app, other)
        if answer.status >= 500 or (theirs and theirs in answer.html):
            found.append(f"{other.email if other else 'nobody'} got {answer.status} with {theirs!r}")
    if door.guess:
        name, guessed = door.guess
        answer = replace(asked, path=asked.path.replace(str(values[name]), guessed)).rightly(app)
        if answer.status not in GONE or (theirs and theirs in answer.html):
            found.append(f"who guessed the {name} got {answer.status}")
    if account_of(LEO) != before:
        found.append("somebody else changed the account")
    return found


@pytest.fixture(params=sorted(DOORS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_whose_it_is_is_answered_and_nobody_else_reads_or_does_theirs(app: Flask, name: str) -> None:
    door = DOORS[name]
    for asked, values in asked_at(app, name):
        assert leaks(app, asked, values, door) == []
        assert walk.taken_without_token(app, asked) == []


def test_it_needs_few_statements(app: Flask, name: str) -> None:
    for asked, _values in asked_at(app, name):
        assert walk.too_many_statements(app, asked, DOORS[name].statements) == []
        assert walk.is_post(asked.rule) or DOORS[name].statements <= MOST_STATEMENTS


def unlisted(app: Flask) -> set[str]:
    return set(walk.endpoints(walk.other_routes(app))) - DOORS.keys() - WALKED_ELSEWHERE.keys()


def test_every_route_outside_the_schools_is_walked(the_app: Flask) -> None:
    assert unlisted(the_app) == set(), "add a line to tests/guards/doors.py"
    there = set(walk.endpoints(walk.other_routes(the_app)))
    assert DOORS.keys() | WALKED_ELSEWHERE.keys() <= there, "take its line out of tests/guards/doors.py"


# -- the walk bites ------------------------------------------------------------------------------------------------


def test_a_route_that_nobody_has_listed_is_seen(throwaway: Flask) -> None:
    throwaway.add_url_rule("/broken", "broken", own_account(lambda: PAGE))
    throwaway.add_url_rule("/<tenant>/also", "also", newcomers("a reason long enough")(lambda: PAGE))
    assert unlisted(throwaway) == {"broken", "also"}


def broken(app: Flask, name: str, view: Callable[..., Any]) -> list[str]:
    """What the walk finds when another view stands there."""
    ((asked, values),) = asked_at(app, name)
    with walk.broken(app, name, view):
        return leaks(app, asked, values, DOORS[name])


def test_a_console_that_answers_others_is_seen(app: Flask) -> None:
    found = broken(app, "console.school_index", lambda _sound: PAGE)
    assert len(found) == len(DOORS["console.school_index"].turned_away)


def test_a_page_that_shows_leo_s_account_to_others_is_seen(app: Flask) -> None:
    found = broken(app, "identity.account_show", lambda _sound: PAGE.replace("on purpose", LEO.email))
    assert [sentence.partition(" got ")[0] for sentence in found] == ["nobody", BEA.email, LOU.email]


def test_a_session_that_others_may_end_is_seen(app: Flask) -> None:
    def end(_sound: Any, session_id: int) -> str:
        tenancy.enter(None)
        db.session.execute(update(UserSession).values(ended_at=clock.now()).where(UserSession.id == session_id))
        return PAGE

    found = broken(app, "identity.session_end", end)
    assert [sentence.partition(" got ")[0] for sentence in found[:3]] == ["nobody", BEA.email, LOU.email]
    assert found[3:] == ["somebody else changed the account"]


def test_a_deed_done_to_another_s_account_is_seen(app: Flask) -> None:
    def change(sound: Any) -> Any:
        if current_user.is_authenticated:
            user_of(LEO).password_hash = "of nobody"
        return sound()

    assert broken(app, "identity.sessions_end_others", change) == ["somebody else changed the account"]


def test_a_link_that_need_not_be_known_is_seen(app: Flask) -> None:
    found = broken(app, "identity.reset_new", lambda _sound, token: PAGE.replace("on purpose", LEO.email))
    assert found == ["who guessed the token got 200"]
