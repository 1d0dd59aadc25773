"""`flask demo grow`: many schools full of people, courses, progress and bookings, for measuring."""

from __future__ import annotations

from app.demo.grow.planting import AlreadyGrown, grow
from app.demo.grow.sizes import SIZES, SLUG

__all__ = ["SIZES", "SLUG", "AlreadyGrown", "grow"]
