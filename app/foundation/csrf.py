"""Cross-site request forgery: every form carries a hidden token that lives as long as the session.

The check runs inside the permission guards, after the sign-in check, so that a post whose session has ended is asked to
sign in (401, nothing lost) and is not told that its token is wrong (400).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from flask import Flask, current_app, g, request
from flask import session as cookie
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf, validate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer
from wtforms import ValidationError

SLOT = "\ue000csrf token\ue000"
"""Stands for the token in a part of a page that is kept for many requests; no text of a person holds it by chance."""
SALT = "wtf-csrf-token"
"""What Flask-WTF signs its tokens with, besides the secret key."""

_protect = CSRFProtect()
_left_open: ContextVar[bool] = ContextVar("csrf_left_open", default=False)


def init_csrf(app: Flask) -> None:
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    _protect.init_app(app)
    app.jinja_env.globals["csrf_token"] = _token_or_slot


def check() -> None:
    """Refuse (400) a post whose token is missing or not this session's."""
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(str(error)) from error
    g.csrf_valid = True


def token() -> str:
    """The token of this request, made once."""
    made = g.get("csrf_token")
    if made is None and (secret := cookie.get("csrf_token")):
        made = g.csrf_token = _signed(str(secret), str(current_app.secret_key))
    return str(made or generate_csrf())


@contextmanager
def left_open() -> Iterator[None]:
    """Meanwhile templates write the slot where the token goes."""
    before = _left_open.set(True)
    try:
        yield
    finally:
        _left_open.reset(before)


@lru_cache(maxsize=4096)
def _signed(secret: str, key: str) -> str:
    """What generate_csrf makes of a session's secret. It carries the second it was made in, which nobody asks about."""
    return str(URLSafeTimedSerializer(key, salt=SALT).dumps(secret))


def _token_or_slot() -> str:
    return SLOT if _left_open.get() else token()


def begin() -> str:
    """Begin the secret anew, together with the cookie that holds it. Returns its SHA-256, to be kept with the session."""
    secret = cookie["csrf_token"] = secrets.token_hex(32)
    renew()
    return _hash(secret)


def refuse_token(pieces: list[str]) -> None:
    """Raise if this session's token is written into a part that will be shown to others. It is asked for by `csrf_token()`."""
    token = g.get("csrf_token")
    if token and any(token in piece for piece in pieces):
        raise RuntimeError("a kept part holds the token of one session")


def renew() -> None:
    """Forget the token made for this request, after the cookie that holds its secret was begun anew."""
    g.pop("csrf_token", None)


def posted_hash() -> str | None:
    """The SHA-256 of the secret in the posted token, whichever session's it is; None if we never signed that token."""
    signed = request.form.get("csrf_token") or request.headers.get("X-CSRFToken") or ""
    try:
        secret = URLSafeTimedSerializer(current_app.secret_key or "", salt=SALT).loads(signed)
    except BadData:
        return None
    return _hash(str(secret))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
