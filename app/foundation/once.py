"""One-use keys: a form that creates something carries one; the same form again answers as the first time did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import make_response, redirect, request
from flask_login import current_user
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.models import OnceKey
from app.foundation.refusals import BadRequest

View = Callable[..., Any]
NEVER_TYPED = frozenset({"once", "csrf_token"})
CHUNK = 65_536


def once(view: View) -> View:
    """Mark a creating view, below `@requires`. A double click, or a second post of the same form, does the deed once.

    The same form is the same key with the same fields at the same address. Whoever goes back, changes what they typed and
    sends it means a second deed, and the browser sends the old key with it: that is a deed of its own. A rival with the
    same form waits for the first to commit and is then sent to where the first one led. An answer that created nothing
    (4xx) gives the key back, so that the form can be sent again.
    """

    @wraps(view)
    def answered_once(*args: Any, **kwargs: Any) -> Any:
        key = _key_of_what_was_sent()
        mine = session.execute(
            insert(OnceKey)
            .values(tenant_id=tenancy.required().id, user_id=current_user.user_id, key=key)
            .on_conflict_do_nothing(index_elements=["tenant_id", "user_id", "key"])
            .returning(OnceKey.id)
        ).scalar()
        if mine is None:
            return redirect(_first_answer(key), 303)
        try:
            response = make_response(view(*args, **kwargs))
        except HTTPException:
            # abort(redirect(…)) rolls nothing back, and did not do the deed either.
            session.execute(delete(OnceKey).where(OnceKey.id == mine))
            raise
        if response.status_code >= 400:
            session.execute(delete(OnceKey).where(OnceKey.id == mine))
        else:
            session.execute(
                update(OnceKey)
                .where(OnceKey.id == mine)
                .values(location=response.headers.get("Location", request.path))
            )
        return response

    return answered_once


def _key_of_what_was_sent() -> str:
    """The posted key together with all that was sent with it, as a SHA-256 in hexadecimal: what the row is found by."""
    key = request.form.get("once", "")
    if not 16 <= len(key) <= 64:
        raise BadRequest("This form lacks its one-use key. Load the page again and resend it.")
    typed = sorted((name, value) for name, value in request.form.items(multi=True) if name not in NEVER_TYPED)
    files = sorted((name, sent.filename or "", _digest(sent)) for name, sent in request.files.items(multi=True))
    return hashlib.sha256(json.dumps([key, request.path, typed, files]).encode()).hexdigest()


def _digest(sent: FileStorage) -> str:
    """The SHA-256 of an uploaded file, which is then read from its beginning again."""
    found = hashlib.sha256()
    while chunk := sent.stream.read(CHUNK):
        found.update(chunk)
    sent.stream.seek(0)
    return found.hexdigest()


def _first_answer(key: str) -> str:
    found = select(OnceKey.location).where(OnceKey.key == key, OnceKey.user_id == current_user.user_id)
    return session.execute(found).scalar() or request.path
