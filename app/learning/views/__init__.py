"""The learner's pages. Each module adds its routes to the one blueprint."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("learning", __name__, url_prefix="/<tenant>")

from app.learning.views import assignments, catalog, player, quiz  # noqa: E402, F401
