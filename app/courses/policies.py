"""Who may do what with courses."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from app.courses.models import Course
from app.courses.queries import is_for
from app.foundation.actor import Actor
from app.foundation.permissions import Role, explains, grants, sees


class Can(StrEnum):
    SEE_DESK = "courses:see_desk"
    PUBLISH = "courses:publish"
    CHOOSE_AUDIENCE = "courses:choose_audience"
    SEE_EVERY_COURSE = "courses:see_every_course"


AT_THE_DESK = {Role.AUTHOR, Role.ADMIN}
grants(
    {
        Can.SEE_DESK: AT_THE_DESK,
        Can.PUBLISH: AT_THE_DESK,
        Can.CHOOSE_AUDIENCE: AT_THE_DESK,
        Can.SEE_EVERY_COURSE: {Role.INSTRUCTOR, Role.AUTHOR, Role.MANAGER, Role.ADMIN},
    }
)
explains(
    {
        Can.SEE_DESK: _l("See drafts and versions of courses"),
        Can.PUBLISH: _l("Publish a course"),
        Can.CHOOSE_AUDIENCE: _l("Choose which departments a course is for"),
        Can.SEE_EVERY_COURSE: _l("Find every published course, whomever it is for"),
    }
)


@sees(Course)
def course_is_seen(actor: Actor, course: Any) -> bool:
    """What is published is seen by those it is for, also after it left the catalog, and by staff; drafts by those at the desk."""
    if not course.is_published:
        return actor.may(Can.SEE_DESK)
    return actor.may(Can.SEE_EVERY_COURSE) or is_for(course.id, actor.department_id)
