"""Does it stay as fast when there are many schools? The demo's own database and one of 200 schools, asked in turn."""

from __future__ import annotations

import re
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from app.demo.cast import PASSWORD
from bench.driver import Client, alternate

if TYPE_CHECKING:
    from bench.run import Effort
    from bench.stage import Side, Stage

TARGET = 1.3
"""How many times the demo's median the grown database's may be."""
GROWN = "wide"
"""The size, of `flask demo grow`, that the demo is compared with: 200 schools, 20,000 people."""
NAME, VALUE = re.compile(r'name="([^"]*)"'), re.compile(r'value="([^"]*)"')
COOKIE = re.compile(r"^set-cookie: (groundschool=[^;]+)", re.IGNORECASE | re.MULTILINE)
LEARNERS = 25
"""People who sign in in turn, so that nobody's sessions pile up."""


@dataclass(frozen=True)
class Compared:
    """One thing that people do, in milliseconds at one client, on each of the two databases."""

    name: str
    demo_p50_ms: float
    grown_p50_ms: float

    @property
    def ratio(self) -> float:
        return self.grown_p50_ms / self.demo_p50_ms

    @property
    def misses(self) -> bool:
        return round(self.ratio, 2) > TARGET


def compare(stage: Stage, effort: Effort) -> list[Compared]:
    """Time each on both databases in turn."""
    sides = stage.serve_both(GROWN)
    return [
        _compared("people", [_page(side, "people") for side in sides], effort),
        _compared("audit", [_page(side, "audit") for side in sides], effort),
        _compared("sign-in", [_signing_in(side) for side in sides], effort),
    ]


def _compared(name: str, asks: Sequence[Callable[[], float]], effort: Effort) -> Compared:
    demo, grown = (statistics.median(took) * 1000 for took in alternate(*asks, effort))
    return Compared(name, demo, grown)


def _page(side: Side, page: str) -> Callable[[], float]:
    """Ask for a page of the school as its admin, on one kept connection."""
    cookie = Visitor(side).sign_in(f"admin@{side.school}.example")
    return Client(side.web.target(f"/{side.school}/{page}", {"Cookie": cookie, "Accept-Encoding": "gzip"})).ask


def _signing_in(side: Side) -> Callable[[], float]:
    """Fetch the form and post it, each time as a browser that was never there, for one of several people after the other."""
    visitor, numbers = Visitor(side), count()

    def ask() -> float:
        began = time.perf_counter()
        visitor.sign_in(side.learner.format(number=next(numbers) % LEARNERS + 2))
        return time.perf_counter() - began

    return ask


class Visitor:
    """A person at the sign-in form of one side, on one kept connection."""

    def __init__(self, side: Side) -> None:
        self.socket = socket.create_connection(("127.0.0.1", side.web.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def sign_in(self, email: str) -> str:
        """Returns the cookie that a browser would keep."""
        status, head, page = self._ask("GET", "/login")
        cookie = COOKIE.search(head)
        if status != 200 or cookie is None:
            raise RuntimeError(f"/login answers {status}")
        fields = {**_hidden(page), "email": email, "password": PASSWORD}
        status, head, _page = self._ask("POST", "/login", cookie=cookie[1], body=urlencode(fields))
        signed_in = COOKIE.search(head)
        if status != 303 or signed_in is None:
            raise RuntimeError(f"{email} cannot sign in: {status}")
        return signed_in[1]

    def _ask(self, method: str, path: str, *, cookie: str = "", body: str = "") -> tuple[int, str, str]:
        """Status, head and body of one answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        if cookie:
            lines.append(f"Cookie: {cookie}")
        if body:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        self.socket.sendall(("\r\n".join([*lines, "", ""]) + body).encode())
        head = ""
        while (line := self.file.readline()) not in (b"\r\n", b""):
            head += line.decode("latin-1")
        if not head:
            raise RuntimeError(f"{path} broke off")
        length = re.search(r"^content-length: (\d+)", head, re.IGNORECASE | re.MULTILINE)
        content = self.file.read(int(length[1])) if length else b""
        return int(head.split(maxsplit=2)[1]), head, content.decode()


def _hidden(page: str) -> dict[str, str]:
    """The hidden fields of the page's first form, as a browser sends them back."""
    form = page[page.index('action="/login"') :].partition("</form>")[0]
    fields = {}
    for element in re.findall(r"<input[^>]*>", form):
        name, value = NAME.search(element), VALUE.search(element)
        if 'type="hidden"' in element and name:
            fields[unescape(name[1])] = unescape(value[1]) if value else ""
    return fields
