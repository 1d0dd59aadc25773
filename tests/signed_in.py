"""A signed-in browser's cookie without the form, which is tried where it is the point."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from flask import Flask

from app.foundation.cookies import KnownCookies
from app.identity.operations.sessions import open_session
from app.identity.queries import find_user_by_email
from app.identity.views.cut_off import TOKEN

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def cookie_of(email: str, *, app: Flask, user_agent: str = BROWSER) -> str:
    """Open a session of this person's on the database session in force, which the caller commits; returns the cookie's value."""
    secret = secrets.token_hex(32)
    user = find_user_by_email(email)
    assert user, f"nobody is {email}"
    csrf_hash = hashlib.sha256(secret.encode()).hexdigest()
    opened = open_session(user, life=timedelta(days=1), csrf_hash=csrf_hash, user_agent=user_agent)
    signer = KnownCookies().get_signing_serializer(app)
    assert signer
    return str(signer.dumps({TOKEN: opened.token, "csrf_token": secret}))
