"""Choosing whom a course is for."""

from __future__ import annotations

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import delete, insert

from app.audit.operations import audit
from app.courses.models import Course, CourseAudience
from app.courses.queries import list_audience_ids
from app.foundation import tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.tenants.queries import parents_of_departments, take_the_schools_turn


class AudienceChanged(Refusal):
    """Somebody else chose since the form was made."""


def choose_audience(
    course: Course, department_ids: Collection[int], *, actor: Actor, read: str | None = None
) -> list[int]:
    """Say which departments a course is for, each with those below it; none are everybody. It counts from now on.

    Whoever has begun the course keeps it. Returns the ids that were chosen before. `read` are those that somebody chose over, as
    "7,12". Refuses a department that is gone, and what somebody else chose meanwhile.
    """
    take_the_schools_turn()
    if not set(department_ids) <= parents_of_departments().keys():
        raise Refusal(_("A department that you chose is not there any more. Choose again."))
    session.refresh(course, with_for_update={"key_share": True})
    before, after = list_audience_ids(course.id), sorted(set(department_ids))
    if after == before:
        return before
    if read is not None and read != ",".join(map(str, before)):
        now = ", ".join(course.audience or [_("everybody")])
        raise AudienceChanged(
            _("Somebody else chose while you did: it is now for %(now)s. Save again for yours.", now=now)
        )
    gone, new = set(before) - set(after), sorted(set(after) - set(before))
    of_course = CourseAudience.course_id == course.id
    if gone:
        session.execute(delete(CourseAudience).where(of_course, CourseAudience.department_id.in_(gone)))
    if new:
        chosen = {"tenant_id": tenancy.required().id, "course_id": course.id}
        session.execute(insert(CourseAudience).values([{**chosen, "department_id": one} for one in new]))
    audit("course.audience_chosen", actor=actor, subject=course, before={"audience": before}, after={"audience": after})
    return before
