"""Every word on every page goes through gettext: in a pseudo-locale all of them are in brackets, and what is not is data.

The catalog is made by Babel's own extractor from the sources, as `pybabel extract` would: a sentence that is built in a way
that the extractor cannot see is not in it, shows without brackets, and fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import flask_babel
import pytest
from babel.messages.extract import extract_from_dir
from flask import Flask
from markupsafe import Markup
from sqlalchemy import text

from app.foundation import db, nav
from app.foundation.kept import init_kept
from tests.cast import PASSWORD, at_school
from tests.client import LintingClient, Page
from tests.guards import walk
from tests.guards.visits import VISITS

ROOT = Path(__file__).parents[2]
METHODS = [("app/**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "encoding": "utf-8"}}
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "lazy_ngettext": (1, 2)}
SHOWN_ATTRIBUTES = ("aria-label", "placeholder", "title", "alt", "data-announce", "aria-description")

DATA = re.compile(
    r"""[^\W\d_]?                                       # a single letter, an initial
    |Groundschool|METAR|TAF|htmx                        # names
    |(Mon|Tue|Wed|Thu|Fri|Sat|Sun)?\s*\d{0,2}\s*        # dates as Babel writes them
     (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)?(\s\d{4})?,?
    |(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(\s\d{1,2})?
    |(January|February|March|April|May|June|July|August|September|October|November|December)(\s\d{4})?
    |(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(\s\d{1,2}\s[A-Z][a-z]+)?
    |(\d{1,2}:\d{2}\s)?([A-Z]{2,5}|UTC[+-]\d{2,4})     # zones
    |\d{4}-\d\d-\d\d\s[\d:.]+\s[A-Z]{2,5}              # instants of the trail, to the millisecond
    |[\w.]+@[\w.]+\.example|groundschool-demo           # accounts of the demo
    |[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_ -]+)+               # names of zones
    |[0-9a-f]{12,64}|v\d+""",
    re.X,
)
LONG = 15
SPLIT = re.compile(r"[·•,–—;()“”\"/|…]|(?<!\d):|:(?!\d)| - ")
PEOPLE_S_TEXT = {"prose", "note", "lesson-text"}
"""Classes of elements that hold what authors and people wrote."""


class Pseudo(NullTranslations):
    """Puts every sentence of the catalog in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message in catalog() else message

    def ngettext(self, one: str, many: str, count: int) -> str:
        return f"⟦{one if count == 1 else many}⟧" if one in catalog() else (one if count == 1 else many)

    ugettext, ungettext = gettext, ngettext

    def pgettext(self, _context: str, message: str) -> str:
        return self.gettext(message)


@lru_cache
def catalog() -> frozenset[str]:
    """Every sentence that the extractor finds."""
    found: set[str] = set()
    for _file, _line, message, _comments, _context in extract_from_dir(
        ROOT, METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=lambda path: Path(path).name not in IGNORED
    ):
        found.update([message] if isinstance(message, str) else [part for part in message if part])
    return frozenset(found)


IGNORED = {
    ".venv",
    "var",
    "tests",
    "launcher",
    "bench",
    ".git",
    "content",
    "migrations",
    "node_modules",
    "static",
    "docs",
}


@pytest.fixture
def pseudo(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application in the pseudo-locale. Parts of pages that it keeps are kept in one language, so they are made anew."""
    translations = Pseudo()
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda _self: translations)
    _make_anew(app)
    yield app
    _make_anew(app)


def _make_anew(app: Flask) -> None:
    init_kept(app)
    nav._links.cache_clear()


def bare_words(page: Page, data: set[str]) -> list[str]:
    """What stands on a page without brackets and is no data."""
    found = []
    for words in _shown(page):
        outside = re.sub(r"\s+", " ", _outside_brackets(words))
        for piece in SPLIT.split(outside):
            piece = piece.strip(" .+%*-→←↑↓✓×#!?'’")
            if not DATA.fullmatch(piece) and not _is_data(piece, data) and re.search(r"[^\W\d_]{2}", piece):
                found.append(f"{piece!r} in {words.strip()[:80]!r}")
    return found


def _outside_brackets(words: str) -> str:
    depth, kept = 0, []
    for letter in words:
        depth += letter == "⟦"
        if depth == 0:
            kept.append(letter)
        if letter == "⟧":
            depth -= 1
            kept.append(" · ")
    return "".join(kept)


def _is_data(piece: str, data: set[str]) -> bool:
    """Whether a piece is somebody's text, or a long part of it: a page may cut it off."""
    piece = piece.casefold()
    return piece in data or (len(piece) >= LONG and any(piece in value for value in data))


def _strings(content: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(content, str):
        yield content
    for part in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _strings(part)


def _shown(page: Page) -> Iterator[str]:
    for element in page.tree.iter():
        if (
            not isinstance(element.tag, str)
            or element.tag in ("script", "style", "option")
            or _is_people_s(page, element)
        ):
            continue
        for attribute in SHOWN_ATTRIBUTES:
            if element.get(attribute):
                yield element.get(attribute, "")
        if element.text:
            yield element.text
        for child in element:
            if child.tail:
                yield child.tail


def _is_people_s(page: Page, element: Any) -> bool:
    at = element
    while at is not None:
        if PEOPLE_S_TEXT & set((at.get("class") or "").split()) or at.tag in ("code", "time"):
            return True
        at = page.parents.get(at)
    return False


DOCUMENTS = (
    "select outline from publication",
    "select content from published_lesson",
    "select rows from people_import",
)
"""Texts of people inside of JSON."""


def data() -> set[str]:
    """Every short text in the database of both schools, and the pieces it is split into on a page."""
    columns = text(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and data_type in ('text', 'character varying') and table_name not like 'audit_entry%'"
    ).execution_options(global_tables_only=True)
    values: set[str] = set()
    for slug in ("skyline", "harbour"):
        with at_school(slug):
            for table, column in db.session.execute(columns).all():
                rows = db.session.execute(text(f'select distinct "{column}" from "{table}" limit 2000'))
                values.update(value for (value,) in rows if value and len(value) < 250)
            for sql in DOCUMENTS:
                for (content,) in db.session.execute(text(sql)):
                    values.update(Markup(words).striptags() for words in _strings(content))
    pieces = {piece.strip(" .+%*-!?'’") for value in values for piece in SPLIT.split(value)}
    return {value.casefold() for value in values | pieces}


FILES = {"audit.trail_csv", "audit.trail_jsonl", "identity.person_export", "identity.profile_export"}
"""For other programs: their fields are called the same in every language."""
PAGES = sorted(
    name
    for name in VISITS.keys() - FILES
    if not name.endswith(("_create", "_update", "_destroy", "_replay", "_create_all"))
)


@pytest.mark.parametrize("name", PAGES)
def test_every_word_of_a_page_goes_through_gettext(pseudo: Flask, name: str) -> None:
    visit = VISITS[name]
    rule = next(rule for rule in walk.school_routes(pseudo) if rule.endpoint == name)
    with pseudo.app_context(), at_school("skyline"):
        values = visit.address()
        db.session.commit()
    page = walk.Visitor(pseudo, visit.person).client.get(walk.path_of(pseudo, rule, values, "skyline"), follow=True)
    assert page.status == 200
    assert "⟦" in page.text
    assert bare_words(page, data()) == []


def test_the_doors_speak_through_gettext_too(pseudo: Flask) -> None:
    for mail in (pseudo.config["SETTINGS"].data_dir / "mail").glob("*"):
        mail.unlink()  # What other tests sent was not written in this language.
    client = LintingClient(pseudo)
    sign_in = client.get("/login")
    refused = sign_in.form("/login").fill(email="x@skyline.example", password=PASSWORD).submit()
    for page in (sign_in, refused, client.get("/nowhere/"), client.get("/demo/mailbox")):
        assert bare_words(page, data()) == []


def test_a_word_past_gettext_is_seen(app: Flask) -> None:
    from tests.foundation.test_linting_client import show, whole

    page = show(whole("<h1>⟦Fine⟧</h1><p>⟦Hello, Leo Hart⟧</p><p>Leo Hart</p><p>Save now</p>")).get("/")
    assert bare_words(page, data() | {"a page"}) == ["'Save now' in 'Save now'"]
