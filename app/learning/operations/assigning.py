"""Assigning a course: to a department, to one person, or to everybody; changing that, and taking it back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.courses.models import Course
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.jobs import schedule_job
from app.foundation.refusals import Refusal
from app.identity.models import Membership
from app.learning.events import AssignmentDue, AssignmentMoved, AssignmentRemoved, CourseAssigned
from app.learning.models import Assignment
from app.learning.operations.taking import CourseIsClosed
from app.learning.queries import find_assignment, hold_assignment
from app.tenants.models import Department
from app.tenants.queries import parents_of_departments, take_the_schools_turn

REMINDED_BEFORE = timedelta(days=3)
REMINDED_AT = time(8)
"""In the school's zone: so long before the last day, and on the day after it."""
DAY = timedelta(days=1)


class Everybody:
    """All who are at the school, now or later, as those whom a course is assigned to."""


class IsAssigned(Refusal):
    """The course is assigned to the same people already."""


class IsTakenBack(Refusal):
    """The assignment is not there any more."""


class AssignmentChanged(Refusal):
    """Somebody else changed the assignment since it was read."""


def assign_course(
    course: Course, *, to: Department | Membership | Everybody, due_on: date | None, note: str = "", actor: Actor
) -> Assignment:
    """Ask a department (with those below it), one person or everybody to complete a course.

    They are told, and reminded before its day and after it. Refuses a course that takes no learners, a department that is gone,
    a person who is not in, and the same again.
    """
    if not course.is_in_catalog:
        raise CourseIsClosed(_("“%(title)s” takes no new learners now.", title=course.title))
    new = (
        insert(Assignment)
        .values(
            tenant_id=tenancy.required().id, course_id=course.id, **_audience(to), due_on=due_on, note=note,
            assigned_by_id=actor.membership_id, assigned_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "course_id", "department_id", "membership_id"])
        .returning(Assignment)
    )  # fmt: skip
    assignment = session.scalars(new).first()
    if assignment is None:
        raise IsAssigned(_("That course is assigned to them already. Find it under Assignments, and change its day."))
    audit("assignment.created", actor=actor, subject=assignment, after=_facts(assignment))
    announce(CourseAssigned(assignment.id, actor.membership_id))
    _schedule_reminders(assignment)
    return assignment


def change_assignment(
    assignment: Assignment, *, due_on: date | None, note: str, version: str, actor: Actor
) -> Assignment:
    """Set another day, or other words, over the `version` that was read. Whoever has not completed the course is told of another
    day. Refuses what was taken back, and what somebody changed meanwhile."""
    assignment = _hold(assignment)
    before = _facts(assignment)
    is_moved = assignment.due_on != due_on
    if not is_moved and assignment.note == note:
        return assignment
    if version != str(assignment.version):
        raise AssignmentChanged(_("Somebody else changed this assignment while you did. Compare, then save again."))
    assignment.due_on, assignment.note, assignment.version = due_on, note, assignment.version + 1
    audit("assignment.changed", actor=actor, subject=assignment, before=before, after=_facts(assignment))
    if is_moved:
        announce(AssignmentMoved(assignment.id, actor.membership_id))
        _schedule_reminders(assignment)
    return assignment


def remove_assignment(assignment: Assignment, *, actor: Actor) -> Assignment:
    """Take an assignment back. What people did in the course stays; what they were told and have not read is taken back, too."""
    assignment = _hold(assignment)
    audit("assignment.removed", actor=actor, subject=assignment, before=_facts(assignment))
    announce(AssignmentRemoved(assignment.id))
    session.delete(assignment)
    session.flush()
    return assignment


def remind(assignment_id: int, *, due_on: str, is_over: bool) -> datetime | None:
    """Announce that an assignment is due soon, or that it is over. Nothing where it was taken back or has another day by now, nor
    soon once it is over. Returns when to ask again where its day is not over yet: the school may have moved to another zone."""
    assignment = find_assignment(assignment_id)
    if assignment is None or assignment.due_on is None or assignment.due_on.isoformat() != due_on:
        return None
    is_over_now = assignment.due_on < clock.today(tenancy.required().zone)
    if is_over and not is_over_now:
        return _reminded_on(assignment.due_on + DAY)
    if is_over == is_over_now:
        announce(AssignmentDue(assignment_id, due_on, int(is_over)))
    return None


def _audience(to: Department | Membership | Everybody) -> dict[str, int]:
    """The columns that name those people. Both are held: whoever removes or erases them meanwhile comes before or after."""
    if isinstance(to, Membership):
        session.refresh(to, with_for_update={"key_share": True})
        if not to.is_active:
            raise Refusal(_("%(name)s is not in, so nothing can be assigned to them.", name=to.name))
        return {"membership_id": to.id}
    if isinstance(to, Department):
        take_the_schools_turn()
        if to.id not in parents_of_departments():
            raise Refusal(_("That department is not there any more. Choose another one."))
        return {"department_id": to.id}
    return {}


def _hold(assignment: Assignment) -> Assignment:
    held = hold_assignment(assignment.id)
    if held is None:
        raise IsTakenBack(_("Somebody has taken this assignment back meanwhile."))
    return held


def _schedule_reminders(assignment: Assignment) -> None:
    """A row of work for each reminder that still lies ahead."""
    due_on = assignment.due_on
    if due_on is None:
        return
    for is_over, at in enumerate((_reminded_on(due_on - REMINDED_BEFORE), _reminded_on(due_on + DAY))):
        if at > clock.now():
            schedule_job(
                "learning.remind_of_assignment", key=f"assignment:{assignment.id}:{due_on}:{is_over}", run_at=at,
                assignment_id=assignment.id, due_on=due_on.isoformat(), is_over=is_over,
            )  # fmt: skip


def _reminded_on(day: date) -> datetime:
    return datetime.combine(day, REMINDED_AT, ZoneInfo(tenancy.required().zone))


def _facts(assignment: Assignment) -> dict[str, object]:
    return {
        "course_id": assignment.course_id,
        "department_id": assignment.department_id,
        "membership_id": assignment.membership_id,
        "due_on": assignment.due_on.isoformat() if assignment.due_on else None,
        "note": assignment.note,
    }
