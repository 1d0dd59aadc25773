"""The signed cookie, whose signature is checked once a process: a browser sends the same one with every request."""

from __future__ import annotations

import time

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.foundation.cache import ByteCache

MOST_BYTES = 4_000_000


class KnownCookies(SecureCookieSessionInterface):
    """Flask's cookie, with its serializer made once and the cookies remembered that were found to be ours.

    A cookie is known by all of its text, signature included, and only until it is too old. One that holds more than texts
    and numbers is read anew each time, so that no request sees what another changed. One of these serves one application
    and its key.
    """

    def __init__(self) -> None:
        self._known = ByteCache(MOST_BYTES)
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Most answers change nothing in it: of those, caches are told that they depend on it, and that is all."""
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed and "Cookie" not in response.headers.get("Vary", ""):
            response.headers.add("Vary", "Cookie")

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        value = request.cookies.get(self.get_cookie_name(app))
        signer = self.get_signing_serializer(app)
        if not value or signer is None:
            return self.session_class() if signer else None
        most_seconds = int(app.permanent_session_lifetime.total_seconds())
        known = self._known.get(value)
        if known and known[1] + most_seconds > time.time():
            return self.session_class(known[0])
        try:
            said, signed_at = signer.loads(value, max_age=most_seconds, return_timestamp=True)
        except BadSignature:
            return self.session_class()
        if all(isinstance(part, str | int) for part in said.values()):
            self._known.put(value, (dict(said), signed_at.timestamp()), size=4 * len(value))
        return self.session_class(said)
