"""A post whose session had ended: what was typed is kept, and done after signing in if it is proven whose it was.

The proof is the form's CSRF token: we signed it, and the row of the ended session keeps the hash of its secret. A proven post
travels through the sign-in page signed, with whose it is, and is done at once after that person has signed in. An unproven
one travels only if it came from a page of ours, and is shown to be looked over first. What was typed while acting as another
person is not kept at all: whoever signs in again is themself.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, current_app, request
from flask import session as cookie
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.foundation import csrf, tenancy
from app.foundation.db import session
from app.foundation.logs import correlation_id
from app.identity.queries import find_session

TOKEN = "token"  # noqa: S105 — the name of the cookie's entry, not a secret
ENDED_TOKEN = "ended"  # noqa: S105
"""The token of a session that was signed out: it opens nothing, but proves whose a form of another tab is."""
KEPT_SECONDS = 24 * 3600
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
SECRETS = {"csrf_token", "current", "totp_code"}
NEVER_RESUMED = {"identity.session_destroy", "identity.sessions_end_all", "identity.sessions_end_others"}
"""Whoever signs in again does not want to be signed out by what was pressed before."""


@dataclass(frozen=True)
class KeptPost:
    """A post that waits for its person to sign in. `user_id` is whose it provably is, None if that is not proven."""

    path: str
    fields: tuple[tuple[str, str], ...]
    user_id: int | None = None


def keep_post() -> str:
    """What the sign-in form carries of the post that was cut off: "" where nothing may be kept."""
    path = own_path(request.full_path.rstrip("?"))
    if not path or request.endpoint in NEVER_RESUMED or request.mimetype not in FORMS or request.method != "POST":
        return ""
    posted = csrf.posted()
    if posted and posted.acted_as is not None:
        return ""
    fields = [(name, value) for name, value in request.form.items(multi=True) if not _is_secret(name)]
    user_id = _proven_user_id()
    if user_id is None and not _is_ours():
        return ""
    kept = {"path": path, "fields": fields}
    return json.dumps(kept) if user_id is None else _signed({**kept, "user": user_id})


def read_kept(text: str) -> KeptPost | None:
    """What the sign-in form carried; None if it cannot be read. Only what we signed is proven."""
    try:
        kept = _read(text)
        path = own_path(str(kept["path"]))
        fields = tuple((str(name), str(value)) for name, value in kept["fields"] if not _is_secret(str(name)))
        return KeptPost(path, fields, kept.get("user")) if path else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def do_again(kept: KeptPost) -> Response:
    """Do a proven post as the person who has just signed in, in a request of its own, and give its answer.

    The sign-in is committed first: the deed must find the session, and if it is refused the person stays signed in.
    """
    sent = _environ(kept)
    session.commit()
    session.remove()
    school = tenancy.current()
    with current_app.app_context():
        body, status, headers = run_wsgi_app(current_app.wsgi_app, sent, buffered=True)
    tenancy.enter(school)
    # The deed's answer brings the cookie on (with its flash); this request's own would overwrite it.
    if any(_names_session(value) for value in headers.getlist("Set-Cookie")):
        cookie.modified = False
    return Response(b"".join(body), status, headers)


def own_path(path: str | None) -> str:
    """The path if it leads to a page of ours, else nothing: no address of another site is ever followed."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(c) < 33 for c in path):
        return ""
    parts = urlsplit(path)
    return "" if parts.scheme or parts.netloc or "\\" in path else path


def _environ(kept: KeptPost) -> dict[str, Any]:
    """The request that the browser would make, with the new cookie and a new CSRF token."""
    fields = [*kept.fields, ("csrf_token", csrf.token())]
    interface: Any = current_app.session_interface
    value = interface.get_signing_serializer(current_app).dumps(dict(cookie))
    others = "; ".join(f"{k}={v}" for k, v in request.cookies.items() if k != _cookie_name())
    headers = {
        "Cookie": f"{_cookie_name()}={value}" + (f"; {others}" if others else ""),
        "User-Agent": request.user_agent.string,
        "Origin": request.host_url.rstrip("/"),
        "X-Request-ID": correlation_id(),
    }
    path, _mark, query = kept.path.partition("?")
    builder = EnvironBuilder(
        path=path, query_string=query, base_url=request.host_url, method="POST", headers=list(headers.items()),
        data=urlencode(fields), content_type="application/x-www-form-urlencoded",
        environ_base={"REMOTE_ADDR": request.remote_addr or ""},
    )  # fmt: skip
    return builder.get_environ()


def _proven_user_id() -> int | None:
    """Whose form was posted: the one of the session that this browser held last, if the form's token carries its secret."""
    token, posted = cookie.get(TOKEN) or cookie.get(ENDED_TOKEN), csrf.posted_hash()
    ended = find_session(token) if token and posted else None
    if ended is None or not ended.csrf_hash or not hmac.compare_digest(ended.csrf_hash, posted or ""):
        return None
    return ended.user_id


def _is_ours() -> bool:
    """Whether the post came from a page of ours: nobody else's fields are put before a person."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" or (site is None and origin is not None and origin.partition("://")[2] == request.host)


def _is_secret(name: str) -> bool:
    return name in SECRETS or "password" in name.lower()


def _read(text: str) -> Any:
    try:
        return _serializer().loads(text, max_age=KEPT_SECONDS)
    except BadSignature:
        kept = json.loads(text)
        return {"path": kept["path"], "fields": kept["fields"]}


def _signed(kept: dict[str, Any]) -> str:
    return str(_serializer().dumps(kept))


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="cut-off-post")


def _names_session(header: str) -> bool:
    return _cookie_name() in SimpleCookie(header)


def _cookie_name() -> str:
    return str(current_app.config["SESSION_COOKIE_NAME"])
