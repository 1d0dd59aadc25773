"""Templates: every form that posts carries the CSRF token, every partial can be rendered and swapped alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guards.roots import faces

TEMPLATES = Path(__file__).parents[2] / "templates"
FORM = re.compile(r"<form\b(?P<head>[^>]*(?:\{%.*?%\}[^>]*)*)>(?P<body>.*?)</form>", re.S)
TOKEN = re.compile(r"csrf\(\)|hidden\(|csrf_token")
COMMENT = re.compile(r"\s*\{#-?.*?-?#\}\s*", re.S)


def templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def partials() -> list[Path]:
    """The files `_*.html`, wherever they are. A piece of a page that is never sent alone has another name."""
    return [path for path in templates() if path.name.startswith("_")]


def without_token(source: str) -> list[str]:
    """The heads of the forms that post without a CSRF token."""
    plain = re.sub(r"\{#.*?#\}", "", source, flags=re.S)
    posting = [f for f in FORM.finditer(plain) if re.search(r"method=\"post\"|hx-post|method='post'", f["head"], re.I)]
    return [" ".join(f["head"].split()) for f in posting if not TOKEN.search(f["body"])]


def faults_of_partial(source: str) -> list[str]:
    """What keeps a partial from being rendered and swapped alone: it has one root with an id, whichever way its branches go."""
    faults = []
    if not re.match(r"\{#(?:(?!#\}).)*\bneeds\b", source, re.S | re.I):
        faults.append("it begins with no comment that names its inputs: {#- What it is. Needs a, b. -#}")
    for face in faces(source):
        if len(face) != 1:
            faults.append(f"it has {len(face)} root elements, not one: {[name for name, _ in face]}")
        elif not re.search(r"(^|\s)id=", face[0][1]):
            faults.append(f"its root <{face[0][0]}> has no id")
    return faults


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
        ('{#- Needs a. -#}\n<div id="a">x</div><div id="b">y</div>', "2 root elements"),
        ('{#- Needs a. -#}\n{% for b in a %}<li id="{{ b }}">x</li>{% endfor %}', "2 root elements"),
        ('{#- Needs a. -#}\n<p id="a"></p>{% if a > 1 %}<p id="b"></p>{% endif %}', "2 root elements"),
        ('{#- Needs a. -#}\n{% if a > 1 %}<p id="a"></p>{% endif %}', "0 root elements"),
        ('{#- Needs a. -#}\n{% if a %}<p id="a"></p>{% elif b %}<p></p>{% else %}<p id="a"></p>{% endif %}', "no id"),
        ('{#- Needs a. -#}\n{% include "a/_b.html" %}', "root <include> has no id"),
        ("{#- Needs a. -#}\nwords", "0 root elements"),
        ('{#- A row. -#}\n<div id="a">Whoever needs it</div>', "names its inputs"),
    ],
)
def test_a_partial_that_cannot_stand_alone_is_found(source: str, fault: str) -> None:
    assert any(fault in found for found in faults_of_partial(source))


@pytest.mark.parametrize(
    "source",
    [
        '{% if a > 1 %}<p id="a">{{ a }}</p>{% else %}<p id="a"><br>none</p>{% endif %}',
        '<a id="a"{% if a > 1 %} href="{{ a }}"{% endif %}>{% if a %}<b>{% endif %}x{% if a %}</b>{% endif %}</a>',
        '{% macro b() %}<p>b</p>{% endmacro %}{% set c %}<i>c</i>{% endset %}<p id="a">{{ b() }}{{ c }}</p>',
        '<ul id="a">{% for b in a %}<li>{{ b }}</li>{% else %}<li>none</li>{% endfor %}</ul>',
    ],
)
def test_a_partial_with_one_root_whichever_way_it_goes_is_fine(source: str) -> None:
    assert faults_of_partial("{#- Needs a. -#}\n" + source) == []
