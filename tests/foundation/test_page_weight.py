"""What a browser loads over the wire: a first view with all its files, and the next page. `pytest -s` prints the bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.foundation.db import unit_of_work
from tests.cast import ANA, LEO, at_school
from tests.client import LintingClient
from tests.guards.visits import a_step
from tests.measured import measured

FIRST_VIEW, NEXT_PAGE = 150_000, 20_000
NAMED = re.compile(r'(?:href|src)="(/static/[^"#]+)')
POINTED = re.compile(r'url\("?(/static/[^")#]+)')
FACE = re.compile(r"@font-face\s*{[^}]*}")
FACE_NAME = re.compile(r"inter-(.+?)-wght")
FONTS = Path(__file__).parents[2] / "static" / "vendor" / "inter"
RANGE = re.compile(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?")
HASHED = re.compile(r"/static/.+-[0-9a-f]{12}\.\w+")
HOME, STEP = "home", "step"


@dataclass
class Browser:
    """One that starts with nothing: it asks for gzip or Brotli and keeps every static file it was sent."""

    client: FlaskClient
    kept: dict[str, int] = field(default_factory=dict)

    def view(self, path: str) -> int:
        """The bytes of a page and of every file that it needs and that was not sent before."""
        page = self._ask(path)
        assert page.headers["Content-Encoding"] == "gzip"
        html = self.client.get(path).text
        weight = len(page.data)
        for name in sorted(set(NAMED.findall(html)) | set(self._asked_by_style(html))):
            if name not in self.kept:
                weight += self._fetch(name)
        return weight

    def _asked_by_style(self, html: str) -> Iterator[str]:
        """Files that the style sheets point to; of the faces of a font those that the page has letters for, the last one first."""
        letters = set(map(ord, html))
        for sheet in re.findall(r'rel="stylesheet"\s+href="(/static/[^"]+)', html):
            style = self.client.get(sheet).text
            for face in reversed(FACE.findall(style)):
                covered = {code for code in letters if _covers(face, code)}
                letters -= covered
                yield from POINTED.findall(face) if covered else ()
            yield from POINTED.findall(FACE.sub("", style))

    def _fetch(self, name: str) -> int:
        file = self._ask(name)
        assert HASHED.fullmatch(name), name
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        size = len(file.data)
        packed = file.headers.get("Content-Encoding") == "gzip"
        assert packed or name.endswith(".woff2") or size < 400, f"{name} is sent as it is"
        self.kept[name] = size
        return size

    def _ask(self, path: str):  # type: ignore[no-untyped-def]
        answer = self.client.get(path, headers={"Accept-Encoding": "gzip, br"})
        assert answer.status_code == 200, path
        return answer


def _covers(face: str, code: int) -> bool:
    return any(int(first, 16) <= code <= int(last or first, 16) for first, last in RANGE.findall(face))


@pytest.fixture
def paths(app: Flask) -> dict[str, str]:
    """Leo's home and a step of the course that he takes."""
    with at_school("skyline"), unit_of_work():
        step = a_step()
    return {
        HOME: "/skyline/",
        STEP: "/skyline/courses/{course_id}/lessons/{lesson_key}/steps/{step_key}".format(**step),
    }


@pytest.mark.parametrize(("first", "then"), [(HOME, STEP), (STEP, HOME)])
def test_a_first_view_and_the_next_page_are_light(app: Flask, paths: dict[str, str], first: str, then: str) -> None:
    browser = Browser(LintingClient(app).sign_in(LEO).browser)
    weight, after = browser.view(paths[first]), browser.view(paths[then])
    files = ", ".join(f"{name.removeprefix('/static/')} {size:,}" for name, size in browser.kept.items())
    measured(f"first view of {first}: {weight:,} bytes ({files}); then {then}: {after:,} bytes")
    assert weight <= FIRST_VIEW
    assert after <= NEXT_PAGE
    assert browser.kept, "no file was found on the page"


@pytest.mark.parametrize(
    "path", ["/skyline/", "/skyline/people", "/skyline/requests", "/skyline/week", "/skyline/audit"]
)
def test_an_admins_next_page_is_light(app: Flask, path: str) -> None:
    client = LintingClient(app).sign_in(ANA)
    size = len(client.browser.get(path, headers={"Accept-Encoding": "gzip, br"}).data)
    measured(f"{path}: {size:,} bytes")
    assert size <= NEXT_PAGE


@pytest.mark.parametrize(
    ("letters", "faces"),
    [
        ("Leo", set()),
        ("Łukasz", {"european"}),
        ("Ḥasan", {"additional"}),
        ("Ɓala", {"extended-b"}),
        ("Sǝŋ", {"european", "extended-b"}),
        ("ʕAli", {"phonetic"}),
    ],
)
def test_one_letter_costs_its_own_face_and_no_other(app: Flask, letters: str, faces: set[str]) -> None:
    browser = Browser(app.test_client())
    page = browser.client.get("/login").text
    asked = {name for name in browser._asked_by_style(page.replace("Sign in", letters)) if "inter" in name}
    assert {FACE_NAME.search(name)[1] for name in asked} == {"latin", *faces}  # type: ignore[index]


def test_a_first_view_is_light_with_any_one_letter(app: Flask, paths: dict[str, str]) -> None:
    """Whichever face a letter takes, also beside one of a European name."""
    client = LintingClient(app).sign_in(LEO)
    client.get("/skyline/profile").form("Save profile").fill({"name": "Ḥasan Żak"}).submit()
    browser = Browser(client.browser)
    weight = browser.view(paths[STEP])
    measured(f"first view of a step for Ḥasan Żak: {weight:,} bytes")
    loaded = {found[1]: size for name, size in browser.kept.items() if (found := FACE_NAME.search(name))}
    assert loaded.keys() == {"latin", "european", "additional"}
    faces = {found[1]: file.stat().st_size for file in FONTS.iterdir() if (found := FACE_NAME.search(file.name))}
    assert faces.keys() > loaded.keys()
    for face in faces.keys() - {"latin", "european"}:
        assert weight - loaded["additional"] + faces[face] <= FIRST_VIEW, face
