"""The pages that bin/bench measures. A new main page joins here, with one line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SCHOOL = "field-001"


class Floor(Enum):
    """What a page is held against.

    KEYS: as many primary-key SELECTs as the page has statements. ROWS: the page's own SELECTs, and one loop over their rows.
    """

    KEYS = "keys"
    ROWS = "rows"


@dataclass(frozen=True)
class PageToMeasure:
    """A page, who asks for it (the local part of their address, None = nobody), and how often its floor it may cost.

    `path` may name facts of the school in braces: see inside.Inside.
    """

    name: str
    path: str
    person: str | None
    floor: Floor
    target: float = 3.0


CLOSE = 1.6
"""The target of the pages people are on all day."""

PAGES = (
    PageToMeasure("sign-in", "/login", None, Floor.KEYS),
    PageToMeasure("schools", "/schools?stay=1", "learner", Floor.ROWS),
    PageToMeasure("home-learner", "/{school}/", "learner", Floor.ROWS, CLOSE),
    PageToMeasure("home-instructor", "/{school}/", "instructor", Floor.ROWS, CLOSE),
    PageToMeasure("home-manager", "/{school}/", "manager", Floor.ROWS, CLOSE),
    PageToMeasure("home-author", "/{school}/", "author", Floor.ROWS, CLOSE),
    PageToMeasure("home-admin", "/{school}/", "admin", Floor.ROWS, CLOSE),
    PageToMeasure("catalog", "/{school}/courses", "learner", Floor.ROWS),
    PageToMeasure("course", "/{school}/courses/{course}", "learner", Floor.KEYS),
    PageToMeasure("step", "{step}", "learner", Floor.KEYS, CLOSE),
    PageToMeasure("question", "{question}", "learner", Floor.KEYS),
    PageToMeasure("assignments", "/{school}/assignments", "manager", Floor.ROWS),
    PageToMeasure("assignment", "/{school}/assignments/{assignment}", "manager", Floor.ROWS),
    PageToMeasure("bookings", "/{school}/bookings", "admin", Floor.ROWS),
    PageToMeasure("requests", "/{school}/requests", "admin", Floor.ROWS),
    PageToMeasure("week", "/{school}/week", "admin", Floor.ROWS),
    PageToMeasure("availability", "/{school}/availability", "instructor", Floor.ROWS),
    PageToMeasure("notifications", "/{school}/notifications", "admin", Floor.ROWS),
    PageToMeasure("desk", "/{school}/desk", "author", Floor.ROWS),
    PageToMeasure("people", "/{school}/people", "admin", Floor.ROWS),
    PageToMeasure("audit", "/{school}/audit", "admin", Floor.ROWS),
    PageToMeasure("profile", "/{school}/profile", "learner", Floor.KEYS),
    PageToMeasure("sessions", "/account/sessions", "learner", Floor.ROWS),
)
