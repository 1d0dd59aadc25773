"""Pages of the schedule. Each module adds its routes to the one blueprint."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("scheduling", __name__, url_prefix="/<tenant>")

from app.scheduling.views import availability, bookings, queue, resources, week  # noqa: E402, F401
