"""Who may do what with courses."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from app.courses.models import Course
from app.foundation.actor import Actor
from app.foundation.permissions import Role, explains, grants, sees


class Can(StrEnum):
    SEE_DESK = "courses:see_desk"
    PUBLISH = "courses:publish"


grants({Can.SEE_DESK: {Role.AUTHOR, Role.ADMIN}, Can.PUBLISH: {Role.AUTHOR, Role.ADMIN}})
explains({Can.SEE_DESK: _l("See drafts and versions of courses"), Can.PUBLISH: _l("Publish a course")})


@sees(Course)
def course_is_seen(actor: Actor, course: Any) -> bool:
    """Everybody sees what is published, also after it left the catalog; drafts are for those at the desk."""
    return course.is_published or actor.may(Can.SEE_DESK)
