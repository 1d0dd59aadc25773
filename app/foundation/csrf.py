"""Cross-site request forgery: every form carries a hidden token that lives as long as the session.

The token also says for whom the form was shown: for whoever is signed in, or for the person they acted as. A form that is
sent when that is over, or before it began, would be done under another name than the one it was read under; it is refused.

The check runs inside the permission guards, after the sign-in check, so that a post whose session has ended is asked to
sign in (401, nothing lost) and is not told that its token is wrong (400).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer

from app.foundation import tenancy
from app.foundation.refusals import Refusal

View = TypeVar("View", bound=Callable[..., Any])

SLOT = "\ue000csrf token\ue000"
"""Stands for the token in a part of a page that is kept for many requests; no text of a person holds it by chance."""
SALT = "wtf-csrf-token"
"""What Flask-WTF signs its tokens with, besides the secret key."""

_protect = CSRFProtect()
_left_open: ContextVar[bool] = ContextVar("csrf_left_open", default=False)


class ShownForAnother(Refusal):
    """The form was shown while the one who sends it acted as somebody else than now."""


@dataclass(frozen=True)
class Posted:
    """What a token of ours says: the session's secret, and the membership that was acted as when the form was shown."""

    secret: str
    acted_as: int | None


def init_csrf(app: Flask) -> None:
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    _protect.init_app(app)
    app.jinja_env.globals["csrf_token"] = _token_or_slot
    app.context_processor(lambda: {"csrf_token": _token_or_slot})  # Flask-WTF's own would come before the global.


def check(*, for_anybody: bool = False) -> None:
    """Refuse a post whose token is missing or not this session's (400), or whose form was shown for another person (409).

    Nobody acts as another outside of a school, so that a form sent to the platform's own pages (signing out) is always one's
    own. `for_anybody` is for what may be sent whoever one is by now: stopping to act.
    """
    found = posted()
    if found is None or not hmac.compare_digest(found.secret, str(cookie.get("csrf_token", ""))):
        raise CSRFError("The CSRF token is missing or not of this session.")
    if not for_anybody and tenancy.current() is not None and found.acted_as != _acted_as():
        refused = ShownForAnother(
            _(
                "This form was shown to you as another person than you are here now. It was not sent. Open the page again."
            )
        )
        refused.back = request.path
        raise refused
    g.csrf_valid = True


def for_anybody(view: View) -> View:
    """Mark a view, below its guard, whose form is answered whoever it was shown for."""
    view.csrf_for_anybody = True  # type: ignore[attr-defined]
    return view


def token() -> str:
    """The token of this request, made once."""
    made = g.get("form_token")
    if made is None:
        secret = cookie.get("csrf_token")
        if not secret:
            secret = cookie["csrf_token"] = secrets.token_hex(32)
        made = g.form_token = _signed(str(secret), _acted_as(), str(current_app.secret_key))
    return str(made)


@contextmanager
def left_open() -> Iterator[None]:
    """Meanwhile templates write the slot where the token goes."""
    before = _left_open.set(True)
    try:
        yield
    finally:
        _left_open.reset(before)


@lru_cache(maxsize=4096)
def _signed(secret: str, acted_as: int | None, key: str) -> str:
    """The token of a session's forms. It carries the second it was made in, which nobody asks about."""
    said = secret if acted_as is None else f"{secret} {acted_as}"
    return str(URLSafeTimedSerializer(key, salt=SALT).dumps(said))


def _acted_as() -> int | None:
    """The membership that whoever asks acts as here; None for oneself."""
    person = current_user._get_current_object()
    return person.membership_id if person.is_acting else None


def _token_or_slot() -> str:
    return SLOT if _left_open.get() else token()


def begin() -> str:
    """Begin the secret anew, together with the cookie that holds it. Returns its SHA-256, to be kept with the session."""
    secret = cookie["csrf_token"] = secrets.token_hex(32)
    renew()
    return _hash(secret)


def refuse_token(pieces: list[str]) -> None:
    """Raise if this session's token is written into a part that will be shown to others. It is asked for by `csrf_token()`."""
    made = [made for name in ("form_token", "csrf_token") if (made := g.get(name))]
    if any(token in piece for token in made for piece in pieces):
        raise RuntimeError("a kept part holds the token of one session")


def renew() -> None:
    """Forget the token made for this request, after the cookie that holds its secret was begun anew."""
    g.pop("form_token", None)
    g.pop("csrf_token", None)


def posted() -> Posted | None:
    """What the posted token says, whichever session's it is; None if we never signed it."""
    signed = request.form.get("csrf_token") or request.headers.get("X-CSRFToken") or ""
    try:
        said = URLSafeTimedSerializer(str(current_app.secret_key), salt=SALT).loads(signed)
    except BadData:
        return None
    secret, _space, acted_as = str(said).partition(" ")
    return Posted(secret, int(acted_as) if acted_as else None)


def posted_hash() -> str | None:
    """The SHA-256 of the secret in the posted token, whichever session's it is; None if we never signed that token."""
    found = posted()
    return _hash(found.secret) if found else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
