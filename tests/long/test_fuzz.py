"""Whatever an address or a form holds, nobody ever sees a 500: every route, every role, values that nobody types."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import pytest
from flask import Flask
from sqlalchemy import Connection
from werkzeug.routing import Rule

from app.foundation import db, tenancy
from tests.cast import ADA, ANA, BEA, LEO, LOU, MAX, Person, at_school
from tests.guards import walk
from tests.guards.visits import VISITS
from tests.long import hostile, rounds
from tests.long.hostile import CURSORS, HEADERS, IDS, VALUES
from tests.measured import measured

pytestmark = pytest.mark.long

FINE = {200, 303, 400, 401, 403, 404, 405, 409, 410, 413, 422}
MERGED = 308
"""What an address with two slashes in a row is answered: the same with one."""
ROLES: tuple[Person | None, ...] = (ANA, BEA, MAX, ADA, LEO, LOU, None)
ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
POSTS = 1_200  # of each role
ADDRESSES = 7_000
SEED = 20261120
Values = dict[str, Any]


@pytest.fixture(autouse=True)
def _no_limits(the_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deed that is refused for being tried too often is not looked into."""
    settings = the_app.config["SETTINGS"]
    limits = {one.name: "1000000 per second" for one in fields(settings) if one.name.endswith("_limit")}
    monkeypatch.setitem(the_app.config, "SETTINGS", replace(settings, **limits))


@dataclass
class Tally:
    """What came back, and which requests were answered as none may be."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def note(self, status: int, path: str, words: str = "") -> None:
        self.statuses[status] += 1
        if status not in FINE and not (status == MERGED and "//" in unquote(path)):
            self.broken.append(f"{status} from {path} {words}"[:600])

    def check(self) -> None:
        measured(f"{self.statuses.total()} requests: {dict(sorted(self.statuses.items()))}")
        assert not self.broken, f"{len(self.broken)} answers:\n" + "\n".join(self.broken[:20])


def test_no_address_breaks_a_page(app: Flask) -> None:
    """Every GET route, with hostile ids, keys and parameters."""
    chance, tally = random.Random(SEED), Tally()
    pages = [rule for rule in walk.routes(app) if not walk.is_post(rule)]
    for rule in pages:
        with records_for(app, rule) as (values, _fields):
            visitors = {person: walk.Visitor(app, person) for person in (owner_of(rule), chance.choice(ROLES))}
            wanted = list(addresses(rule, values))
            for path in chance.sample(wanted, min(rounds(ADDRESSES) // len(pages), len(wanted))):
                person = owner_of(rule) if chance.random() < 0.7 else chance.choice([*visitors])
                headers = chance.choice(HEADERS)
                answer = ask(visitors[person], "GET", path, headers=headers)
                tally.note(answer.status_code, path, f"as {person} with {shortly(headers)}")
    tally.check()
    assert tally.statuses[200] > tally.statuses.total() / 10, "hardly any address was heard at all"


@pytest.mark.parametrize("person", ROLES, ids=lambda person: person.email if person else "nobody")
def test_no_post_breaks_a_deed(app: Flask, person: Person | None) -> None:
    """Every POST route, with fields left out, doubled, swapped and filled with what nobody types."""
    chance, tally = random.Random(f"{SEED} {person}"), Tally()
    names, posts = hostile.fields(), [rule for rule in walk.routes(app) if walk.is_post(rule)]
    for rule in posts:
        with records_for(app, rule) as (values, rightful):
            visitor = walk.Visitor(app, person)
            for _ in range(max(1, rounds(POSTS) // len(posts))):
                path = address(rule, values | strange(chance, rule))
                body, kind = body_of(chance, rightful(), names, walk.csrf_token(app))
                headers = chance.choice(HEADERS[:5])
                answer = ask(visitor, "POST", path, body, kind, headers=headers)
                tally.note(
                    answer.status_code, f"POST {path} {body[:300]!r} ({kind}) as {person} with {shortly(headers)}"
                )
    tally.check()


def test_no_field_takes_what_no_column_can_hold(app: Flask) -> None:
    """Each right field of each deed with a zero byte in it, sent by whoever may do the deed."""
    tally = Tally()
    for rule in filter(walk.is_post, walk.routes(app)):
        with records_for(app, rule) as (values, rightful):
            visitor, path = walk.Visitor(app, owner_of(rule)), address(rule, values)
            for name in rightful():
                pairs = [(field, quote_plus(str(value))) for field, value in rightful().items() if field != name]
                pairs += [(name, "0123456789abcdef%00"), ("csrf_token", quote_plus(walk.csrf_token(app)))]
                answer = ask(
                    visitor, "POST", path, hostile.encoded(pairs).encode(), "application/x-www-form-urlencoded"
                )
                tally.note(answer.status_code, path, name)
    tally.check()
    assert set(tally.statuses) == {400}


def test_no_broken_page_link_breaks_a_list(app: Flask) -> None:
    """Each list with each cursor that no list ever gave out."""
    tally, lists = Tally(), 0
    for rule in walk.school_routes(app):
        if walk.is_post(rule) or rule.arguments != {"tenant"}:
            continue
        visitor = walk.Visitor(app, owner_of(rule))
        path = address(rule, {"tenant": "skyline"})
        if ask(visitor, "GET", f"{path}?cursor=!!!!").status_code != 400:
            continue
        lists += 1
        for cursor in CURSORS:
            answer = ask(visitor, "GET", f"{path}?cursor={cursor}")
            tally.note(answer.status_code, path, cursor)
    tally.check()
    assert lists >= 4, "this test no longer finds the lists"


def test_a_page_that_breaks_is_seen(app: Flask) -> None:
    view = app.view_functions["learning.catalog_index"]
    app.view_functions["learning.catalog_index"] = lambda **_values: 1 // 0
    tally = Tally()
    try:
        tally.note(ask(walk.Visitor(app, LEO), "GET", "/skyline/courses").status_code, "the catalog")
    finally:
        app.view_functions["learning.catalog_index"] = view
    with pytest.raises(AssertionError, match="500 from the catalog"):
        tally.check()


def ask(
    visitor: walk.Visitor,
    method: str,
    path: str,
    body: bytes | None = None,
    kind: str | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """One request, as it is: neither linted nor followed."""
    try:
        return visitor.client.browser.open(path, method=method, data=body, content_type=kind, headers=headers)
    finally:
        tenancy.enter(None)


@contextmanager
def records_for(app: Flask, rule: Rule) -> Iterator[tuple[Values, Callable[[], Values]]]:
    """Skyline's records for a route's address, and what makes the right fields of a post; all undone afterwards."""
    visit = VISITS.get(rule.endpoint)
    values: Values = {"tenant": "skyline", "name": "css/app.css", "deed": "approval"}
    db.session.remove()
    undone = connection_of_test().begin_nested()
    with app.app_context(), at_school("skyline"):
        values |= visit.address() if visit else {}
        db.session.commit()

    def fields() -> Values:
        if visit is None:
            return {"email": LEO.email, "password": "wrong", "theme": "dark", "tenant": "skyline"}
        with app.app_context(), at_school("skyline"):
            return visit.fields(values)

    yield values, fields
    db.session.remove()
    undone.rollback()


def connection_of_test() -> Connection:
    """The connection that the test's transaction is open on."""
    bound = db.session.get_bind()
    assert isinstance(bound, Connection)
    return bound


def shortly(headers: dict[str, str]) -> str:
    return ", ".join(f"{name}: {value[:40]}" for name, value in headers.items()) or "no headers"


# -- addresses -----------------------------------------------------------------------------------------------------


def addresses(rule: Rule, values: Values) -> Iterator[str]:
    """A GET route with one thing wrong in its address."""
    names = hostile.parameters()
    for argument in rule.arguments:
        yield from (address(rule, values | {argument: Encoded(one)}) for one in VALUES)
    here = address(rule, values)
    yield from (f"{here}?{name}={one}" for name in names for one in VALUES)
    yield from (f"{here}?{name}=1&{name}=2&=&&{name}[]=3" for name in names)


def owner_of(rule: Rule) -> Person | None:
    """Who may ask for a route rightly."""
    return VISITS[rule.endpoint].person if rule.endpoint in VISITS else None


class Encoded(str):
    """Part of an address that is percent-encoded already."""


def address(rule: Rule, values: Values) -> str:
    """The path of a route, whatever its converters would say to these values."""

    def part(found: re.Match[str]) -> str:
        value = values.get(found.group(1), "missing")
        return value if isinstance(value, Encoded) else quote(str(value))

    return ARGUMENT.sub(part, rule.rule) or "/"


# -- posts ---------------------------------------------------------------------------------------------------------


def strange(chance: random.Random, rule: Rule) -> Values:
    """Sometimes a wrong value for one part of the address."""
    if not rule.arguments or chance.random() > 0.15:
        return {}
    return {chance.choice(sorted(rule.arguments)): Encoded(chance.choice([*IDS, *VALUES]) or "x")}


def body_of(chance: random.Random, rightful: Values, names: Sequence[str], token: str) -> tuple[bytes, str]:
    """A post's body and its content type: mostly a form whose fields were changed, at times no form at all."""
    if chance.random() < 0.05:
        return chance.choice(NO_FORMS)
    pairs = [(name, quote_plus(str(value))) for name, value in rightful.items()]
    for _ in range(chance.randint(0, 3)):
        chance.choice((_spoil, _drop, _double, _add))(chance, pairs, names)
    if chance.random() < 0.95:
        pairs.append(("csrf_token", quote_plus(token)))
    return hostile.encoded(pairs).encode(), "application/x-www-form-urlencoded"


Pairs = list[tuple[str, str]]
NO_FORMS: tuple[tuple[bytes, str], ...] = (
    (b"", "application/x-www-form-urlencoded"),
    (b"{", "application/json"),
    (b"\xff\xfe\x00", "text/plain; charset=utf-99"),
    (b"--x\r\nContent-Disposition: form-data; name=\"day\"\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"nothing", "multipart/form-data"),
    (b"a=" + b"x" * 2_100_000, "application/x-www-form-urlencoded"),
    (b"&".join(b"a%d=1" % n for n in range(2_000)), "application/x-www-form-urlencoded"),
)  # fmt: skip


def _spoil(chance: random.Random, pairs: Pairs, _names: Sequence[str]) -> None:
    if pairs:
        at = chance.randrange(len(pairs))
        pairs[at] = (pairs[at][0], chance.choice(VALUES))


def _drop(chance: random.Random, pairs: Pairs, _names: Sequence[str]) -> None:
    if pairs:
        pairs.pop(chance.randrange(len(pairs)))


def _double(chance: random.Random, pairs: Pairs, _names: Sequence[str]) -> None:
    if pairs:
        pairs.append((chance.choice(pairs)[0], chance.choice(VALUES)))


def _add(chance: random.Random, pairs: Pairs, names: Sequence[str]) -> None:
    pairs.append((chance.choice(names), chance.choice(VALUES)))
