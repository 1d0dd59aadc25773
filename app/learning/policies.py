"""Who may take courses: everybody, staff too."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from app.foundation.actor import Actor
from app.foundation.permissions import EVERYONE, explains, grants, sees
from app.learning.models import Enrollment


class Can(StrEnum):
    TAKE_COURSES = "learning:take_courses"


grants({Can.TAKE_COURSES: EVERYONE})
explains({Can.TAKE_COURSES: _l("Take courses")})


@sees(Enrollment)
def enrollment_is_seen(actor: Actor, enrollment: Enrollment) -> bool:
    """One's own only. Reports for staff have a permission of their own."""
    return enrollment.membership_id == actor.membership_id
