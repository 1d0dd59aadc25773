"""Authors' text: what they may write is kept, what could run is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.foundation.markdown import ATTRIBUTES, TAGS, plain_text, render_markdown

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x73;cript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "<javascript:alert(1)>",
    '<a href="x" onclick="alert(1)">x</a>',
    '<p style="background:url(javascript:alert(1))">x</p>',
    "<svg><script>alert(1)</script></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe src=//evil.example></iframe>",
    '<form action="//evil.example"><button>x</button></form>',
    '<div hx-get="/skyline/" hx-trigger="load">x</div>',
    '<hx-partial hx-target="#main">x</hx-partial>',
    "![x](javascript:alert(1))",
    '![x](https://evil.example/a.png "x")',
    "[x]: javascript:alert(1)\n\n[x]",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<style>*{display:none}</style>",
    "<!--<script>-->alert(1)<!--</script>-->",
    '[x](https://a.example/"onmouseover="alert(1))',
    "<<script>alert(1)//<</script>",
    "</main></body><script>alert(1)</script>",
]
FRAME = {"div", "table"}
OPEN_TAG = re.compile(r"<([a-z0-9-]+)((?:\s+[a-z-]+(?:=\"[^\"]*\")?)*)\s*/?>", re.I)


def assert_harmless(html: str) -> None:
    """Every tag and attribute is one of the few that are let through."""
    bare = OPEN_TAG.sub(check_tag, html)
    assert "<" not in re.sub(r"</[a-z0-9]+>", "", bare), html


def check_tag(match: re.Match[str]) -> str:
    name, attributes = match.group(1), match.group(2)
    assert name in TAGS | FRAME, match.group()
    for attribute, value in re.findall(r'([a-z-]+)="([^"]*)"', attributes):
        known = ATTRIBUTES.get(name, set()) | ({"rel"} if name == "a" else set())
        frame = {"class": "table-scroll", "role": "region", "tabindex": "0"} if name == "div" else {}
        assert attribute in known or frame.get(attribute) == value, match.group()
        if attribute == "href":
            assert re.match(r"(https?:|mailto:|/|#|[^:]*$)", value), match.group()
    return ""


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs(attack: str) -> None:
    html = render_markdown(attack)
    assert_harmless(html)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html).lower()


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from([*ATTACKS, "# ", "* ", "> ", "\n\n", "[", "](", ")", "`", "|", "<", '"', "&"]), max_size=8)
)
def test_nothing_runs_in_any_mixture(parts: list[str]) -> None:
    assert_harmless(render_markdown("".join(parts)))


def test_what_authors_write_is_kept() -> None:
    source = "# Wind\n\n**Strong** and ~~weak~~.\n\n3. three\n4. four\n\n> quote\n\n| Knots | m/s |\n|:---|---:|\n| 10 | 5 |\n"
    html = render_markdown(source)
    assert html.startswith("<h2>Wind</h2>")
    assert "<strong>Strong</strong> and <s>weak</s>" in html
    assert '<ol start="3">' in html
    assert '<th scope="col">Knots</th>' in html
    assert "<td>10</td>" in html
    assert html.count('<div class="table-scroll" role="region" tabindex="0"') == html.count("</table></div>") == 1


def test_links_lead_out_without_an_opener() -> None:
    assert render_markdown("[x](https://a.example)") == '<p><a href="https://a.example" rel="noopener">x</a></p>\n'


def test_words_for_search() -> None:
    assert plain_text("<h2>Wind</h2><p>10&nbsp;kt <em>gusting</em></p>").split() == ["Wind", "10&nbsp;kt", "gusting"]
