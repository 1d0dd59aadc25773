"""Authors' text: CommonMark with tables, rendered and sanitized once, when it is saved or published, never per request."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "code", "em",
    "strong", "s", "sub", "sup", "a", "table", "thead", "tbody", "tr", "th", "td", "kbd", "abbr",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "th": {"scope"}, "abbr": {"title"}, "ol": {"start"}}

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def render_markdown(source: str) -> str:
    """Markdown to sanitized HTML. A first-level heading becomes a second-level one: the page has its own h1."""
    tokens = _parser.parse(source)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"} and token.tag == "h1":
            token.tag = "h2"
        if token.type == "th_open":
            token.attrs = {"scope": "col"}
        if token.type == "td_open":
            token.attrs = {}
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noopener"
    )
    return clean.replace("<table>", '<div class="table-scroll" role="region" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


def plain_text(html: str) -> str:
    """The words of sanitized HTML, for search."""
    return " ".join(nh3.clean(html.replace("<", " <"), tags=set()).split())
