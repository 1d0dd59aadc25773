"""How one person stands in their courses, for those who assign them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, literal, or_, select, true
from sqlalchemy.orm import aliased

from app.courses.models import Course, Publication
from app.foundation.pages import Page, paginate
from app.identity.models import Membership
from app.learning.models import Assignment, Enrollment
from app.learning.queries.assignments import FOR_EVERYBODY
from app.learning.rules import percent_of
from app.tenants.queries import lies_in


@dataclass(frozen=True, slots=True)
class CourseRecord:
    """A course that a person has begun or is asked to complete. `percent` is 0–100, None where they have not begun; `due_on` the
    earliest day by which it is assigned to them."""

    course_id: int
    title: str
    percent: int | None
    last_seen_at: datetime | None
    completed_at: datetime | None
    is_assigned: bool
    due_on: date | None


def list_records_of(member: Membership, *, cursor: str = "") -> Page[CourseRecord]:
    """A page of a member's courses, by title, in one SELECT."""
    taken, assigned = aliased(Publication), _assigned_to(member)
    records: Any = (
        select(
            Course.id, func.coalesce(taken.title, Publication.title).label("title"), Enrollment.steps_done,
            taken.step_count, Enrollment.last_seen_at, Enrollment.completed_at, assigned.c.times, assigned.c.due_on,
            Course.title_key,
        )
        .select_from(Course)
        .join(Publication, Publication.id == Course.publication_id)
        .outerjoin(Enrollment, and_(Enrollment.course_id == Course.id, Enrollment.membership_id == member.id))
        .outerjoin(taken, taken.id == Enrollment.publication_id)
        .join(assigned, true())
        .where(or_(Enrollment.id.is_not(None), assigned.c.times > 0))
    )  # fmt: skip
    found = paginate(records, [Course.title_key, Course.id], cursor=cursor, scalars=False)
    return Page([_record(row) for row in found.rows], found.before, found.after)


def _assigned_to(member: Membership) -> Any:
    """How often a course is assigned to a member, and by when at the earliest: never one that takes no learners any more, nor to
    somebody who is not in."""
    came = (member.approved_at or member.created_at).date()
    in_time = or_(Assignment.due_on.is_(None), Assignment.due_on >= came)
    theirs = or_(
        Assignment.membership_id == member.id,
        and_(in_time, or_(FOR_EVERYBODY, lies_in(literal(member.department_id or 0), Assignment.department_id))),
    )
    counted = select(func.count().label("times"), func.min(Assignment.due_on).label("due_on"))
    is_asked = and_(Assignment.course_id == Course.id, Course.archived_at.is_(None), literal(member.is_active))
    return counted.where(is_asked, theirs).correlate(Course).lateral("assigned")


def _record(row: Any) -> CourseRecord:
    percent = None if row.steps_done is None else percent_of(row.steps_done, row.step_count)
    return CourseRecord(row.id, row.title, percent, row.last_seen_at, row.completed_at, row.times > 0, row.due_on)
