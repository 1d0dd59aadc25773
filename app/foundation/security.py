"""What every answer carries: the content policy, the correlation id, one log line, and compression."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, g, request

from app.foundation import tenancy
from app.foundation.logs import begin_correlation, correlation_id

log = logging.getLogger("groundschool.request")

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
STANDING_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
A_YEAR = 31_536_000
"""Seconds."""
SHORTEST_TO_COMPRESS = 500
COMPRESSION_LEVEL = 2
"""Level 6 saves 9 % of the bytes more and costs three times the time."""


def harden(app: Flask, *, by_https: bool = False) -> None:
    """Register before everything else: Flask runs after_request functions in reverse, so these see the final answer.

    `by_https` says that people reach us by HTTPS: browsers are told to come by nothing else for a year.
    """
    by_https_only = {"Strict-Transport-Security": f"max-age={A_YEAR}"} if by_https else {}
    app.wsgi_app = _with_headers(app.wsgi_app, [*STANDING_HEADERS.items(), *by_https_only.items()])  # type: ignore[method-assign]

    @app.after_request
    def finish(response: Response) -> Response:
        _compress(response)
        _say_what_caches_may_do(response)
        _log(response)
        return response

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        if request.method == "POST" and any("\x00" in text for texts in request.form.listvalues() for text in texts):
            abort(400)  # No browser sends a zero byte in a field, and no column of text holds one.

    @app.url_value_preprocessor
    def correlate(_endpoint: str | None, _values: dict[str, object] | None) -> None:
        begin_correlation(request.headers.get("X-Request-ID"))


def _with_headers(app: Callable[..., Any], standing: list[tuple[str, str]]) -> Callable[..., Any]:
    """WSGI middleware: whatever answers, the same headers leave with it, once each, also where it passes on an answer of ours."""
    ours = {"X-Request-ID", *(name for name, _value in standing)}

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            others = [header for header in headers if header[0] not in ours]
            return start_response(status, [*others, *standing, ("X-Request-ID", correlation_id())], error)

        return app(environ, start)

    return answer


def _say_what_caches_may_do(response: Response) -> None:
    if response.mimetype == "text/html":
        if "Cache-Control" not in response.headers:
            response.headers.add("Cache-Control", "private, no-cache")
        response.headers.add("Vary", "Accept-Encoding, Cookie, HX-Request, HX-Request-Type")
    elif response.mimetype == "application/json":
        response.headers.add("Vary", "Accept-Encoding")


def _compress(response: Response) -> None:
    if (
        response.mimetype not in {"text/html", "application/json"}
        or response.is_streamed
        or "Content-Encoding" in response.headers
        or "gzip" not in request.headers.get("Accept-Encoding", "")
    ):
        return
    body = response.get_data()
    if len(body) >= SHORTEST_TO_COMPRESS:
        response.set_data(gzip.compress(body, COMPRESSION_LEVEL, mtime=0))
        response.headers.add("Content-Encoding", "gzip")


def _log(response: Response) -> None:
    if request.endpoint in {"assets.show", "health.healthz"}:
        return
    tenant = tenancy.current()
    person = g.get("_login_user")
    log.info(
        "request",
        extra={
            "method": request.method,
            "endpoint": request.endpoint,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
            "school": tenant.slug if tenant else None,
            "membership_id": person.membership_id if person else None,
        },
    )
