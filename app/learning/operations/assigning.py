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
from app.learning.events import AssignmentDue, AssignmentMoved, CourseAssigned
from app.learning.models import Assignment
from app.learning.operations.taking import CourseIsClosed
from app.tenants.models import Department
from app.tenants.queries import parents_of_departments, take_the_schools_turn

REMINDED_BEFORE = timedelta(days=3)
REMINDED_AT = time(8)
"""In the school's zone: so long before the last day, and on the day after it."""


class IsAssigned(Refusal):
    """The course is assigned to the same people already."""


def assign_course(
    course: Course, *, department: Department | None = None, member: Membership | None = None, due_on: date | None,
    note: str = "", actor: Actor,
) -> Assignment:  # fmt: skip
    """Ask a department (with those below it), one person, or with neither everybody at the school to complete a course.

    They are told, and reminded before its day and after it. Refuses a course that takes no learners, a department that is gone,
    a person who is not in, and the same again.
    """
    if not course.is_in_catalog:
        raise CourseIsClosed(_("“%(title)s” takes no new learners now.", title=course.title))
    _check_audience(department, member)
    new = (
        insert(Assignment)
        .values(
            tenant_id=tenancy.required().id, course_id=course.id, department_id=department and department.id,
            membership_id=member and member.id, due_on=due_on, note=note, assigned_by_id=actor.membership_id,
            assigned_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "course_id", "department_id", "membership_id"])
        .returning(Assignment)
    )  # fmt: skip
    assignment = session.scalars(new).first()
    if assignment is None:
        raise IsAssigned(_("That course is assigned to them already. Change its day there."))
    audit("assignment.created", actor=actor, subject=assignment, after=_facts(assignment))
    announce(CourseAssigned(assignment.id, actor.membership_id))
    _schedule_reminders(assignment)
    return assignment


def change_assignment(assignment: Assignment, *, due_on: date | None, note: str, actor: Actor) -> Assignment:
    """Set another day, or other words. Whoever has not completed the course is told of another day."""
    session.refresh(assignment, with_for_update=True)
    before = _facts(assignment)
    is_moved = assignment.due_on != due_on
    if not is_moved and assignment.note == note:
        return assignment
    assignment.due_on, assignment.note = due_on, note
    audit("assignment.changed", actor=actor, subject=assignment, before=before, after=_facts(assignment))
    if is_moved:
        announce(AssignmentMoved(assignment.id, _plain(due_on), actor.membership_id))
        _schedule_reminders(assignment)
    return assignment


def remove_assignment(assignment: Assignment, *, actor: Actor) -> Assignment:
    """Take an assignment back. What people did in the course stays; nobody is told."""
    audit("assignment.removed", actor=actor, subject=assignment, before=_facts(assignment))
    session.delete(assignment)
    session.flush()
    return assignment


def remind(assignment_id: int, *, due_on: str) -> bool:
    """Announce that an assignment is due soon, or is overdue. False where it was taken back or has another day by now."""
    assignment = session.get(Assignment, assignment_id)
    if assignment is None or _plain(assignment.due_on) != due_on:
        return False
    is_over = date.fromisoformat(due_on) < clock.today(tenancy.required().zone)
    announce(AssignmentDue(assignment_id, due_on, int(is_over)))
    return True


def _check_audience(department: Department | None, member: Membership | None) -> None:
    if member and not member.is_active:
        raise Refusal(_("%(name)s is not in, so nothing can be assigned to them.", name=member.name))
    if department:
        take_the_schools_turn()
        if department.id not in parents_of_departments():
            raise Refusal(_("That department is not there any more. Choose another one."))


def _schedule_reminders(assignment: Assignment) -> None:
    """A row of work for each reminder that still lies ahead."""
    due_on = assignment.due_on
    if due_on is None:
        return
    for day in (due_on - REMINDED_BEFORE, due_on + timedelta(days=1)):
        at = datetime.combine(day, REMINDED_AT, ZoneInfo(tenancy.required().zone))
        if at > clock.now():
            key = f"assignment:{assignment.id}:{_plain(due_on)}:{day}"
            schedule_job(
                "learning.remind_of_assignment", key=key, run_at=at, assignment_id=assignment.id, due_on=_plain(due_on)
            )


def _facts(assignment: Assignment) -> dict[str, object]:
    return {
        "course_id": assignment.course_id,
        "department_id": assignment.department_id,
        "membership_id": assignment.membership_id,
        "due_on": _plain(assignment.due_on) or None,
        "note": assignment.note,
    }


def _plain(day: date | None) -> str:
    return day.isoformat() if day else ""
