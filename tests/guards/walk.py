"""Walks every route of the application: what each declares, how its address is filled, and who may ask for it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask, url_for
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule

from app.foundation import clock, db, tenancy
from app.identity.models import UserSession
from app.identity.queries import find_user_by_email
from app.identity.rules import new_token, token_hash
from tests.cast import Person
from tests.client import LintingClient, Page, count_statements

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_SECRET = "c" * 40


def routes(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))


def school_routes(app: Flask) -> list[Rule]:
    """The routes below /<tenant>/."""
    return [rule for rule in routes(app) if "tenant" in rule.arguments]


def walked_routes(app: Flask) -> list[Rule]:
    """The routes of a school that are for its people only: those for newcomers answer whoever holds their link."""
    return [rule for rule in school_routes(app) if app.view_functions[rule.endpoint].permission != "newcomers"]


def other_routes(app: Flask) -> list[Rule]:
    """All others: those of no school, and a school's for newcomers."""
    walked = {id(rule) for rule in walked_routes(app)}
    return [rule for rule in routes(app) if id(rule) not in walked]


def is_post(rule: Rule) -> bool:
    return bool((rule.methods or set()) - SAFE)


def undeclared(app: Flask) -> list[str]:
    """The endpoints that declare neither a permission nor why they are public."""
    found = []
    for rule in routes(app):
        view = app.view_functions[rule.endpoint]
        declared = getattr(view, "permission", "")
        if not declared or (declared == "public" and len(getattr(view, "public_reason", "")) < 10):
            found.append(rule.endpoint)
    return found


def misplaced(app: Flask) -> list[str]:
    """Routes whose permission is a school's while their address is not, and public routes inside a school."""
    found = []
    for rule in routes(app):
        declared = getattr(app.view_functions[rule.endpoint], "permission", "")
        in_school = rule.rule.startswith("/<tenant>/")
        if (":" in declared and not in_school) or (declared == "public" and in_school):
            found.append(f"{rule.endpoint} ({declared}) at {rule.rule}")
    return found


def through_no_door(app: Flask, known: set[str]) -> list[str]:
    """Endpoints that take a record's id and never call access(), neither in the view nor in what it calls of its module."""
    found = []
    for rule in school_routes(app):
        takes_id = any(name.endswith("_id") for name in rule.arguments)
        if takes_id and rule.endpoint not in known and not _calls_access(app.view_functions[rule.endpoint]):
            found.append(rule.endpoint)
    return sorted(set(found))


def _calls_access(view: Any) -> bool:
    view = inspect.unwrap(view)
    seen: set[Any] = set()
    waiting = [view]
    while waiting:
        function = waiting.pop()
        if (
            function in seen
            or not inspect.isfunction(function)
            or not function.__module__.startswith(("app.", "tests."))
        ):
            continue
        seen.add(function)
        if function.__name__ == "access" and function.__module__ == "app.foundation.permissions":
            return True
        source = ast.parse(textwrap.dedent(inspect.getsource(function)))
        names = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        waiting += [
            inspect.unwrap(function.__globals__[name]) for name in names if callable(function.__globals__.get(name))
        ]
    return False


class Visitor:
    """Somebody with a session and a valid CSRF token; nobody's session if `person` is None."""

    def __init__(self, app: Flask, person: Person | None, more: dict[str, Any] | None = None) -> None:
        self.app, self.person = app, person
        self.client = LintingClient(app)
        with self.client.browser.session_transaction() as cookie:
            cookie.update({"csrf_token": CSRF_SECRET, **(more or {})})
            if person:
                cookie["token"] = _open_session(person)

    def ask(self, rule: Rule, path: str, fields: dict[str, Any] | None = None, *, csrf: bool = True) -> Page:
        """Ask for a path with this route's method."""
        if not is_post(rule):
            return self.client.get(path)
        sent = MultiDict(fields or {})
        if csrf:
            sent["csrf_token"] = csrf_token(self.app)
        return self.client.post(path, sent, csrf=False)


def csrf_token(app: Flask) -> str:
    """A valid token for every visitor: they share the secret behind it."""
    return str(URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps(CSRF_SECRET))


def path_of(app: Flask, rule: Rule, values: dict[str, Any], slug: str) -> str:
    """The address of a route; fails on a parameter that nobody fills."""
    missing = rule.arguments - values.keys() - {"tenant"} - set(rule.defaults or ())
    assert not missing, f"nobody fills {sorted(missing)} of {rule.rule}"
    wanted = {name: value for name, value in {**values, "tenant": slug}.items() if name in rule.arguments}
    with app.test_request_context():
        tenancy.enter(None)
        return url_for(rule.endpoint, **wanted)


def is_turned_away(page: Page) -> bool:
    """404, or the sign-in page."""
    return page.status in (404, 401) or (page.status == 303 and page.location.startswith("/login?next="))


# -- asking --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A route as its rightful person asks it: an address with real records in it, what is posted, what else the cookie holds."""

    rule: Rule
    path: str
    person: Person | None
    fields: dict[str, Any] = field(default_factory=dict)
    cookie: dict[str, Any] = field(default_factory=dict)

    def by(self, app: Flask, person: Person | None, *, csrf: bool = True) -> Page:
        """The answer to somebody else who asks the same."""
        return Visitor(app, person).ask(self.rule, self.path, self.fields, csrf=csrf)

    def rightly(self, app: Flask, *, csrf: bool = True) -> Page:
        """The answer to whom it is for."""
        return Visitor(app, self.person, self.cookie).ask(self.rule, self.path, self.fields, csrf=csrf)


@contextmanager
def undone() -> Iterator[None]:
    """What is done meanwhile is taken back, so that whoever asks next finds everything as it was. Within the `app` fixture."""
    db.session.remove()
    connection = db.session.get_bind()
    assert isinstance(connection, Connection), "without the `app` fixture all would be kept"
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        db.session.remove()
        savepoint.rollback()
        tenancy.forget_tenants()


def faults_of_answer(page: Page) -> list[str]:
    """Why an answer is none that a rightful person gets."""
    if page.status not in (200, 201, 303):
        return [f"whose it is got {page.status}: {page.text[:600]}"]
    return [f"whose it is was led to {page.location}"] if page.location.startswith("/login?next=") else []


def shown_to(app: Flask, asked: Asked, strangers: Collection[Person | None]) -> list[str]:
    """A sentence for each stranger who is not turned away. First it is shown that there is something to be turned away from."""
    with undone():
        found = faults_of_answer(asked.rightly(app))
    for stranger in strangers:
        answer = asked.by(app, stranger)
        if not is_turned_away(answer):
            found.append(f"{stranger.email if stranger else 'nobody'} got {answer.status} from {asked.path}")
    return found


PAGE = "<!doctype html><html lang=en><title>Broken</title><body><main><h1>Broken on purpose</h1></main></html>"


@contextmanager
def broken(app: Flask, name: str, view: Callable[..., Any]) -> Iterator[None]:
    """The application with another view in the place of that one, which is given to it as the first argument."""
    sound = app.view_functions[name]
    app.view_functions[name] = lambda **values: view(sound, **values)
    try:
        yield
    finally:
        app.view_functions[name] = sound


def found_elsewhere(app: Flask, asked: Asked, people: Collection[Person]) -> list[str]:
    """A sentence for each who finds a record in their own school that is not that school's."""
    answers = {person.email: asked.by(app, person).status for person in people}
    found = [f"{email} got {status} from {asked.path}" for email, status in answers.items() if status not in (403, 404)]
    return found or ([] if 404 in answers.values() else ["nobody there had the right to ask at all"])


def taken_without_token(app: Flask, asked: Asked) -> list[str]:
    """A sentence if a post is carried out without a CSRF token."""
    if not is_post(asked.rule):
        return []
    status = asked.rightly(app, csrf=False).status
    return [] if status == 400 else [f"without a CSRF token a post got {status}"]


def too_many_statements(app: Flask, asked: Asked, most: int) -> list[str]:
    """The statements that the rightful person's visit took, if they are more than `most`."""
    rightful = Visitor(app, asked.person, asked.cookie)
    rightful.client.get(asked.path)  # what a process keeps is kept from now on
    with count_statements() as statements:
        rightful.ask(asked.rule, asked.path, asked.fields)
    return statements if len(statements) > most else []


def _open_session(person: Person) -> str:
    token = new_token()
    with tenancy.tenant_scope(None):
        user = find_user_by_email(person.email)
        assert user, f"there is no {person.email}"
        db.session.add(
            UserSession(user_id=user.id, token_hash=token_hash(token), expires_at=clock.now() + timedelta(days=1))
        )
        db.session.commit()
    return token


def endpoints(rules: list[Rule]) -> Iterator[str]:
    yield from dict.fromkeys(rule.endpoint for rule in rules)
