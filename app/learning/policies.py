"""Who may take courses (everybody, staff too), and who assigns them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from app.courses import policies as _courses_policies  # noqa: F401 — theirs are asked first
from app.courses.models import Course
from app.foundation.actor import Actor
from app.foundation.permissions import EVERYONE, Role, explains, grants, sees
from app.learning.models import Assignment, Enrollment
from app.learning.queries import is_theirs


class Can(StrEnum):
    TAKE_COURSES = "learning:take_courses"
    ASSIGN = "learning:assign"


grants({Can.TAKE_COURSES: EVERYONE, Can.ASSIGN: {Role.MANAGER, Role.ADMIN}})
explains(
    {
        Can.TAKE_COURSES: _l("Take courses"),
        Can.ASSIGN: _l("Assign courses, and see how far those are whom they are assigned to"),
    }
)


@sees(Enrollment)
def enrollment_is_seen(actor: Actor, enrollment: Enrollment) -> bool:
    """One's own only. Reports for staff have a permission of their own."""
    return enrollment.membership_id == actor.membership_id


@sees(Assignment)
def assignment_is_seen(actor: Actor, _assignment: Any) -> bool:
    """How far everybody is whom a course is assigned to; a person sees on their own pages what is assigned to them."""
    return actor.may(Can.ASSIGN)


@sees(Course)
def own_course_is_seen(actor: Actor, course: Any) -> bool:
    """Whomever a course is for: whoever has begun it keeps it, and whoever is asked to complete it finds it."""
    return course.is_published and is_theirs(actor, course.id)
