"""Cross-site request forgery: every form carries a hidden token that lives as long as the session.

The check runs inside the permission guards, after the sign-in check, so that a post whose session has ended is asked to
sign in (401, nothing lost) and is not told that its token is wrong (400).
"""

from __future__ import annotations

from flask import Flask, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf, validate_csrf
from wtforms import ValidationError

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


def renew() -> None:
    """Forget the token made for this request, after the cookie that holds its secret was begun anew."""
    g.pop("csrf_token", None)
