"""Pages about people: signing in, accounts, the people of a school. Each module holds the pages of one noun."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_login import LoginManager

from app.foundation.actor import STRANGER

bp = Blueprint("identity", __name__)
people_bp = Blueprint("people", __name__, url_prefix="/<tenant>/people")


class SessionsOfOurs(LoginManager):
    """Flask-Login without its remember-me cookie: looking for that would mark every answer, static files too, as one's own.

    There is one way to be known, the session's token, so that is asked at once.
    """

    def _load_user(self) -> None:
        self._update_request_context_with_user(self._request_callback(request))

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


login = SessionsOfOurs()
login.anonymous_user = lambda: STRANGER
login.session_protection = None

from app.identity.views import (  # noqa: E402, F401
    accounts,
    acting,
    deletion,
    imports,
    people,
    profile,
    registration,
    second_factor,
    sessions,
    set_up,
)
