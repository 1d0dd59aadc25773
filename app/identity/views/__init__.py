"""Pages about people: signing in, accounts, the people of a school. Each module holds the pages of one noun."""

from __future__ import annotations

from flask import Blueprint
from flask_login import LoginManager

from app.foundation.actor import STRANGER

bp = Blueprint("identity", __name__)
people_bp = Blueprint("people", __name__, url_prefix="/<tenant>/people")
login = LoginManager()
login.anonymous_user = lambda: STRANGER
login.session_protection = None

from app.identity.views import accounts, acting, imports, people, profile, registration, second_factor, sessions, set_up  # noqa: E402, F401
