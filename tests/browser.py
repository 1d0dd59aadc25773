"""A signed-in person who talks HTTP to a server in another process: no lint, no redirects followed, every answer timed."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.cast import PASSWORD, Person

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
ONCE = re.compile(r'name="once"[^>]*value="([^"]+)"')


@dataclass
class Answer:
    """What came back: status, where it leads, its text, and how long it took in seconds."""

    status: int
    location: str
    text: str
    seconds: float


@dataclass
class Browser:
    """One signed-in person. Every request is a connection of its own."""

    host: str
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def ask(self, method: str, path: str, data: dict[str, object] | None = None) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        connection.request(method, path, urlencode(data) if data is not None else None, headers)
        response = connection.getresponse()
        text = response.read().decode()
        seconds = time.perf_counter() - began
        for header in response.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        connection.close()
        return Answer(response.status, response.headers.get("Location", ""), text, seconds)

    def sign_in(self, who: Person) -> Browser:
        token = TOKEN.search(self.ask("GET", "/login").text)
        assert token
        fields = {"email": who.email, "password": PASSWORD, "tenant": who.slug, "csrf_token": token.group(1)}
        answer = self.ask("POST", "/login", fields)
        assert answer.status == 303, (answer.status, answer.seconds, answer.text[-600:])
        found = TOKEN.search(self.ask("GET", "/schools?stay=1").text)
        assert found
        self.token = found.group(1)
        return self

    def post(self, path: str, **fields: object) -> Answer:
        return self.ask("POST", path, {"csrf_token": self.token, **fields})
