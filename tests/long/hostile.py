"""What nobody sends by accident: values for addresses and forms, and the names of the parameters that pages read."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from app.foundation.forms import Form

ROOT = Path(__file__).parents[2]
LONGEST_ADDRESS = 3_000
"""gunicorn refuses a request line of more than 4,094 bytes."""

IDS = (
    "0",
    "-1",
    "1e9",
    "2147483648",
    str(2**63 - 1),
    str(2**63),
    "9" * 400,
    "٣",
    "+1",
    " 1",
    "0x1",
    "1.0",
    "None",
    "NaN",
)
TEXTS = (
    "", " ", "%00", "a%00b", "%FF%FE", "%C0%AF", "%ED%A0%80", "%F0%9F%9B%A9", "%E2%80%AE%D8%A7", "..%2F..%2Fetc%2Fpasswd",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%27%3B%20drop%20table%20booking%3B--", "%25", "%7B%7B7*7%7D%7D", "%0D%0ASet-Cookie:x",
    "x" * LONGEST_ADDRESS, "%F0%9F%9B%A9" * 200, "[]", "{}", "null", "true", "//evil.example", "\\\\evil", "javascript:alert(1)",
)  # fmt: skip
TIMES = (
    "0000-00-00", "0001-01-01", "9999-12-31", "2026-02-30", "2026-11-23T25:00", "2026-W01", "20261123", "-0001-01-01",
    "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59", "24:00", "00:00:60", "09:00", "99:99", "%D9%A0%D9%A9:00",
)  # fmt: skip


def _cursors() -> Iterator[str]:
    """Links to pages that no list ever gave out."""
    bodies: list[Any] = [
        [], {}, None, "n", 1, ["n"], ["x", 1], ["n", None], ["n", 1], ["n", 2**70], ["n", True], ["n", [1]], ["p", {}],
        ["n", "a\x00b", 1], ["n", "\ud800", 1], ["n", "x", 1], ["n", "x", "x"], ["p", 1, 1, 1], ["n", 1.5, 1],
        ["n", "9999-99-99", 1], ["n", "0001-01-01T00:00:00+23:59", 1], ["n", "9999-12-31T23:59:59-23:59", 1],
        ["p", "2026-11-23", 1], ["p", "2026-11-23T10:00:00+00:00", -1], ["n", float("nan"), 1], ["n", "x" * 1500, 1],
    ]  # fmt: skip
    for body in bodies:
        yield base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
    yield base64.urlsafe_b64encode(b"[" * 2_000).decode().rstrip("=")
    yield base64.urlsafe_b64encode(b"\xff\xfe").decode()
    yield from ("=", "====", "a", "%00", "%F0%9F%9B%A9", "!!!!")


CURSORS = tuple(_cursors())
VALUES = (*IDS, *TEXTS, *TIMES)
"""All percent-encoded already, so that also bytes that are no text can be sent."""

HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"HX-Request": "true", "HX-Request-Type": "partial"},
    {"HX-Request-Type": "full", "HX-Current-URL": "javascript:alert(1)"},
    {"X-Request-ID": "x" * 3_000, "Accept-Encoding": "gzip"},
    {"X-Request-ID": "<script>\t\x7f", "Accept-Language": "xx-*;q=nan"},
    {
        "Cookie": "groundschool=eyJ0b2tlbiI6MX0.garbage.garbage; \xff=\xfe",
        "Referer": "http://localhost\\@evil.example/",
    },
    {"Range": "bytes=-1", "If-None-Match": "*", "If-Modified-Since": "yesterday", "X-HTTP-Method-Override": "DELETE"},
)


@cache
def parameters() -> tuple[str, ...]:
    """The names that views read from addresses, as their source says: `request.args` and the filters of `list_query`."""
    found = {"cursor", "search", "sort", "nobody-reads-this"}
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _named(node.func) == "list_query":
                found |= {keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg != "sorts"}
            found |= set(_read_from(node, "args"))
    return tuple(sorted(found))


@cache
def fields() -> tuple[str, ...]:
    """The names of all fields of all forms, and what views read from posts besides."""
    found = {"nobody-reads-this"}
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found |= set(_read_from(node, "form"))
    waiting: list[type] = [Form]
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        found |= {name for name in dir(form) if hasattr(getattr(form, name, None), "field_class")}
    return tuple(sorted(found - {"csrf_token"}))


def encoded(pairs: list[tuple[str, str]]) -> str:
    """The body of a form whose values are encoded already."""
    return "&".join(f"{quote_plus(name)}={value}" for name, value in pairs)


def _read_from(node: ast.AST, where: str) -> Iterator[str]:
    """The literal in `request.args["x"]`, `request.args.get("x")` and `"x" in request.args`."""
    if isinstance(node, ast.Subscript) and _is_request(node.value, where):
        yield from _literals([node.slice])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_request(node.func.value, where):
        yield from _literals(node.args[:1])
    if isinstance(node, ast.Compare) and any(_is_request(one, where) for one in node.comparators):
        yield from _literals([node.left])


def _is_request(node: ast.AST, where: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == where and _named(node.value) == "request"


def _named(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _literals(nodes: list[ast.expr]) -> Iterator[str]:
    yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
