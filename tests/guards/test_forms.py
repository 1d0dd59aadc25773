"""Templates: every form that posts carries the CSRF token, every partial can be rendered and swapped alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
FORM = re.compile(r"<form\b(?P<head>[^>]*(?:\{%.*?%\}[^>]*)*)>(?P<body>.*?)</form>", re.S)
TOKEN = re.compile(r"csrf\(\)|hidden\(|csrf_token")
COMMENT = re.compile(r"\s*\{#-?.*?-?#\}\s*", re.S)
NOT_PARTIALS = ("layout", "components", "errors")
ELEMENT = re.compile(r"<(?P<name>[a-z][a-z0-9-]*)(?P<attributes>[^<>]*)")
VOID = {"input", "br", "hr", "img", "meta", "link", "source", "col", "wbr"}


def templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def partials() -> list[Path]:
    """The files `_*.html` of the features; those of the layout and the components are pieces of a page."""
    return [path for path in templates() if path.name.startswith("_") and path.parent.name not in NOT_PARTIALS]


def without_token(source: str) -> list[str]:
    """The heads of the forms that post without a CSRF token."""
    plain = re.sub(r"\{#.*?#\}", "", source, flags=re.S)
    posting = [f for f in FORM.finditer(plain) if re.search(r"method=\"post\"|hx-post|method='post'", f["head"], re.I)]
    return [" ".join(f["head"].split()) for f in posting if not TOKEN.search(f["body"])]


def faults_of_partial(source: str) -> list[str]:
    """What keeps a partial from being rendered and swapped alone."""
    faults = []
    if not source.startswith("{#"):
        faults.append("its first line is no comment that names its inputs")
    body = re.sub(r"\{#.*?#\}", "", source, flags=re.S)
    body = re.sub(r"\{%-?\s*macro\b.*?\{%-?\s*endmacro\s*-?%\}", "", body, flags=re.S)
    roots = _roots(body)
    if len({name for name, _ in roots}) > 1 or len(roots) == 0:
        faults.append(f"it has {len(roots)} root elements, not one: {[name for name, _ in roots]}")
    elif not all(re.search(r"(^|\s)id=", attributes) for _, attributes in roots):
        faults.append(f"its root <{roots[0][0]}> has no id")
    return faults


def _roots(body: str) -> list[tuple[str, str]]:
    """The elements at the top of a template, Jinja's branches counted each: name and attributes."""
    plain = re.sub(r"\{[%{].*?[%}]\}", lambda match: re.sub(r"[<>/]", " ", match.group()), body, flags=re.S)
    roots, depth = [], 0
    for tag in re.finditer(
        r"<(?P<end>/?)(?P<name>[a-z][a-z0-9-]*)(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*)>", plain
    ):
        name = tag["name"]
        if tag["end"]:
            depth -= 1
        else:
            if depth == 0:
                roots.append((name, tag["attributes"]))
            depth += 0 if name in VOID or tag["attributes"].endswith("/") else 1
    return roots


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_every_form_that_posts_carries_the_token(path: Path) -> None:
    assert without_token(path.read_text()) == []


@pytest.mark.parametrize("path", partials(), ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_every_partial_can_stand_alone(path: Path) -> None:
    assert faults_of_partial(path.read_text()) == []


def test_a_form_without_a_token_is_found() -> None:
    good = '<form method="post" action="{{ url_for("x") }}">{{ hidden(form) }}<button>Go</button></form>'
    assert without_token(good) == []
    assert len(without_token(good.replace("{{ hidden(form) }}", ""))) == 1
    assert len(without_token('<form action="/" method="post" hx-post="/"><button>Go</button></form>')) == 1
    assert without_token('<form action="/" method="get"><button>Go</button></form>') == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('<div id="a">x</div>', "no comment"),
        ("{#- Needs a. -#}\n<div>x</div>", "has no id"),
        ('{#- Needs a. -#}\n<div id="a">x</div><p id="b">y</p>', "2 root elements"),
        ("{#- Needs a. -#}\nwords", "0 root elements"),
    ],
)
def test_a_partial_that_cannot_stand_alone_is_found(source: str, fault: str) -> None:
    assert any(fault in found for found in faults_of_partial(source))


def test_a_partial_with_two_faces_is_fine() -> None:
    source = '{#- Needs a. -#}\n{% if a > 1 %}<p id="a">{{ a }}</p>{% else %}<p id="a"><br>none</p>{% endif %}'
    assert faults_of_partial(source) == []
