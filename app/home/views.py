"""A person's home: one page, with a section for each of their roles."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.foundation import nav
from app.foundation.permissions import signed_in
from app.foundation.replies import page

bp = Blueprint("home", __name__, url_prefix="/<tenant>")
nav.add(nav.Entry(_l("Home"), "home.show", "house", 10))


@bp.get("/")
@signed_in
def show() -> Any:
    return page("home/show.html", actor=current_user)
