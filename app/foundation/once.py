"""One-use keys: a form that creates something carries one; the same key again answers as the first time did."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import make_response, redirect, request
from flask_login import current_user
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from werkzeug.exceptions import HTTPException

from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.models import OnceKey
from app.foundation.refusals import BadRequest

View = Callable[..., Any]


def once(view: View) -> View:
    """Mark a creating view, below `@requires`. A double click, or a second post of the same form, does the deed once.

    A rival with the same key waits for the first to commit and is then sent to where the first one led. An answer that
    created nothing (4xx) gives the key back, so that the mended form can be sent.
    """

    @wraps(view)
    def answered_once(*args: Any, **kwargs: Any) -> Any:
        key = request.form.get("once", "")
        if not 16 <= len(key) <= 64:
            raise BadRequest("This form lacks its one-use key. Load the page again and resend it.")
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


def _first_answer(key: str) -> str:
    found = select(OnceKey.location).where(OnceKey.key == key, OnceKey.user_id == current_user.user_id)
    return session.execute(found).scalar() or request.path
