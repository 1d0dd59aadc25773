"""Pages about people: signing in, accounts, the people of a school. Each module holds the pages of one noun."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("identity", __name__)

from app.identity.views import sessions  # noqa: E402

login = sessions.login

__all__ = ["bp", "login", "sessions"]
