"""Cross-site request forgery: every form carries a hidden token that lives as long as the session.

The check runs inside the permission guards, after the sign-in check, so that a post whose session has ended is asked to
sign in (401, nothing lost) and is not told that its token is wrong (400).
"""

from __future__ import annotations

import hashlib
import secrets

from flask import Flask, current_app, g, request
from flask import session as cookie
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf, validate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer
from wtforms import ValidationError

SALT = "wtf-csrf-token"
"""What Flask-WTF signs its tokens with, besides the secret key."""

_protect = CSRFProtect()


def init_csrf(app: Flask) -> None:
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    _protect.init_app(app)


def check() -> None:
    """Refuse (400) a post whose token is missing or not this session's."""
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(str(error)) from error
    g.csrf_valid = True


token = generate_csrf


def begin() -> str:
    """Begin the secret anew, together with the cookie that holds it. Returns its SHA-256, to be kept with the session."""
    secret = cookie["csrf_token"] = secrets.token_hex(32)
    renew()
    return _hash(secret)


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
