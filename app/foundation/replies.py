"""Replies: a page for a reader, a partial for htmx, a stream for several places, 303 after a deed.

A request is partial when htmx says so in HX-Request-Type; Back and Forward ask with `full`. The same partial files are
included by the pages, so that both ways show the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Response, flash, get_flashed_messages, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse


def wants_partial() -> bool:
    """Whether htmx will swap the answer into a page that is already there."""
    return request.headers.get("HX-Request-Type") == "partial"


def page(template: str, *, partial: str | None = None, status: int = 200, **context: Any) -> Response:
    """Render a page. To a partial request answers `partial` if given, else the page's title and main block.

    The layouts show what was said before; a partial brings none and gets it added.
    """
    if wants_partial():
        body = render_template(partial or template, layout="layout/partial.html", **context)
        return _answer(body + _flashes() if partial else body, status)
    return _answer(render_template(template, layout="layout/base.html", **context), status)


def reply(
    location: str, *, stream: str | None = None, said: str = "", status: int = 200, **context: Any
) -> AnyResponse:
    """Answer a deed: 303 to `location`, or to a partial request the stream that shows its effect. `said` is the flash sentence."""
    if said:
        flash(said, "ok")
    if stream and wants_partial():
        return _answer(render_template(stream, **context) + _flashes(), status)
    return redirect(location, 303)


def dom_id(record: Any, prefix: str = "") -> str:
    """The id of a record's root element: `booking-7`, or `row-booking-7` with a prefix."""
    return f"{prefix + '-' if prefix else ''}{_kebab(type(record).__name__)}-{record.id}"


@lru_cache(maxsize=512)
def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _answer(body: str, status: int) -> Response:
    return make_response(body, status)


def _flashes() -> str:
    messages = get_flashed_messages(with_categories=True)
    return render_template("components/flashes.stream.html", flashes=messages) if messages else ""
