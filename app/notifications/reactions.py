"""Whom to tell when something happens to a booking: the learner, its instructor, the admins; never the one who did it.
Whoever was acted as is told, too, admins of who waits to be let in or asks to be erased, and everybody of what is assigned to
them.
What an admin decides about a person's access is mailed by identity: they may not see the app.

A new request needs no notification: the admins' queue shows it, and nobody's waiting is shortened by a mail about each.
"""

from __future__ import annotations

from typing import Any

from app.courses.queries import titles_of
from app.foundation import clock, tenancy
from app.foundation.events import reacts_to
from app.identity.events import (
    ActedAs,
    ErasureRequested,
    JoinRequested,
    MemberAdded,
    MemberApproved,
    MemberErased,
    MemberJoined,
    MemberReinstated,
    ProfileChanged,
)
from app.identity.queries import find_erasure_asker, find_waiting, list_admin_ids, list_members_with_role, list_office
from app.learning.events import AssignmentDue, AssignmentMoved, AssignmentRemoved, CourseAssigned
from app.learning.models import Assignment
from app.learning.queries import (
    find_assignment,
    list_assignments_from_above,
    list_open_assignments_of,
    list_people_to_tell,
)
from app.notifications.operations import (
    News,
    forget_other_days,
    forget_reasons,
    forget_what_is_not_theirs,
    notify,
    notify_all,
)
from app.notifications.queries import Concerned, find_concerned
from app.scheduling.events import (
    BookingApproved,
    BookingAssigned,
    BookingCancelled,
    BookingDeclined,
    BookingEscalated,
)
from app.tenants.events import DepartmentMoved
from app.tenants.queries import school_settings

FOR_APPROVAL = 1


@reacts_to(BookingApproved)
def on_booking_approved(event: BookingApproved) -> None:
    _tell_concerned("booking.approved", event.booking_id, event.actor_id)


@reacts_to(BookingAssigned)
def on_booking_assigned(event: BookingAssigned) -> None:
    booking = find_concerned(event.booking_id)
    if booking is None:
        return
    _tell("booking.assigned", event.booking_id, booking, _concerned(booking) - {event.actor_id})
    if event.replaced_id:
        _tell("booking.reassigned", event.booking_id, booking, {event.replaced_id} - {event.actor_id})


@reacts_to(BookingDeclined)
def on_booking_declined(event: BookingDeclined) -> None:
    _tell_concerned("booking.declined", event.booking_id, event.actor_id)


@reacts_to(BookingCancelled)
def on_booking_cancelled(event: BookingCancelled) -> None:
    _tell_concerned("booking.cancelled", event.booking_id, event.actor_id)


@reacts_to(BookingEscalated)
def on_booking_escalated(event: BookingEscalated) -> None:
    """Nobody acted in time: those whom the school named are told, else every active admin; once for each escalation."""
    booking = find_concerned(event.booking_id)
    if booking is None:
        return
    facts = {**_facts(booking), "waits_for": "approval" if event.number == FOR_APPROVAL else "assignment"}
    cause = f"booking.escalated:{event.booking_id}:{event.number}"
    for person in _told_of_escalations():
        notify(person, "booking.escalated", cause=cause, subject_id=event.booking_id, facts=facts)


@reacts_to(ActedAs)
def on_acted_as(event: ActedAs) -> None:
    """Nobody is acted as without knowing it."""
    cause = f"acted_as:{event.session_id}:{event.until}"
    facts = {"by_id": event.by_id, "until": event.until}
    notify(event.membership_id, "acted_as", cause=cause, subject_id=event.by_id, facts=facts)


@reacts_to(JoinRequested)
def on_join_requested(event: JoinRequested) -> None:
    """Somebody waits to be let in: every admin is told, once for each person, unless somebody decided meanwhile."""
    member = find_waiting(event.membership_id)
    if member is None:
        return
    for admin_id in list_admin_ids():
        notify(
            admin_id, "member.waiting", cause=f"member.waiting:{member.id}", subject_id=member.id,
            facts={"person_id": member.id},
        )  # fmt: skip


@reacts_to(ErasureRequested)
def on_erasure_requested(event: ErasureRequested) -> None:
    """Every other admin is told, once a day that the person asks, unless somebody answered meanwhile."""
    member = find_erasure_asker(event.membership_id)
    if member is None:
        return
    for admin_id in list_admin_ids() - {member.id}:
        notify(
            admin_id, "member.asks_erasure", cause=f"member.asks_erasure:{member.id}:{event.day}", subject_id=member.id,
            facts={"person_id": member.id},
        )  # fmt: skip


@reacts_to(CourseAssigned)
def on_course_assigned(event: CourseAssigned) -> None:
    assignment = find_assignment(event.assignment_id)
    if assignment:
        _tell_assigned("course.assigned", assignment, f"course.assigned:{assignment.id}", but=event.actor_id)


@reacts_to(AssignmentMoved)
def on_assignment_moved(event: AssignmentMoved) -> None:
    """Its day as it is by now is told, and of several changes in a row the last one, once. Notices of days that it had, and that
    nobody has read, go."""
    assignment = find_assignment(event.assignment_id)
    if assignment:
        cause = f"course.moved:{assignment.id}:{assignment.version}"
        forget_other_days(assignment.id, kind="course.moved", but=cause)
        _tell_assigned("course.moved", assignment, cause, but=event.actor_id)


@reacts_to(AssignmentDue)
def on_assignment_due(event: AssignmentDue) -> None:
    """Whoever has the same course to complete by the same day twice is reminded once."""
    assignment = find_assignment(event.assignment_id)
    if assignment and _day_of(assignment) == event.due_on:
        kind = "course.overdue" if event.is_over else "course.due"
        _tell_assigned(kind, assignment, f"{kind}:{assignment.course_id}:{event.due_on}")


@reacts_to(AssignmentRemoved)
def on_assignment_removed(event: AssignmentRemoved) -> None:
    forget_what_is_not_theirs(assignment_id=event.assignment_id)


@reacts_to(ProfileChanged)
def on_profile_changed(event: ProfileChanged) -> None:
    """Who is in another department has other courses to complete."""
    if "department_id" in event.fields.split(","):
        forget_what_is_not_theirs(membership_id=event.membership_id)
        on_member_placed(event)


def on_member_placed(event: Any) -> None:
    """Who comes to the school is told what is assigned there, and was not told them before."""
    today = clock.today(tenancy.required().zone)
    _tell_new([(event.membership_id, one) for one in list_open_assignments_of(event.membership_id, today=today)])


for kind in (MemberAdded, MemberApproved, MemberJoined, MemberReinstated):
    reacts_to(kind)(on_member_placed)


@reacts_to(DepartmentMoved)
def on_department_moved(event: DepartmentMoved) -> None:
    """Its people, and those below it, are now of other departments above."""
    forget_what_is_not_theirs(department_id=event.department_id)
    _tell_new(list_assignments_from_above(event.department_id, today=clock.today(tenancy.required().zone)))


@reacts_to(MemberErased)
def on_member_erased(event: MemberErased) -> None:
    """What an erased learner wrote stands in the notifications of others too."""
    forget_reasons(event.membership_id)


def _tell_new(theirs: list[tuple[int, Assignment]]) -> None:
    """Tell members what is assigned to them, if they were not told before."""
    titles = titles_of({assignment.course_id for _member, assignment in theirs})
    notify_all(
        [
            News(
                member, "course.assigned", f"course.assigned:{assignment.id}", assignment.course_id,
                _facts_of(assignment, titles[assignment.course_id]),
            )
            for member, assignment in theirs
        ]
    )  # fmt: skip


def _tell_assigned(kind: str, assignment: Assignment, cause: str, *, but: int | None = None) -> None:
    """Whoever has its course still to complete."""
    facts = _facts_of(assignment, titles_of({assignment.course_id})[assignment.course_id])
    people = [person for person in list_people_to_tell(assignment) if person != but]
    notify_all([News(person, kind, cause, assignment.course_id, facts) for person in people])


def _facts_of(assignment: Assignment, title: str) -> dict[str, Any]:
    """An assignment as its notifications tell of it; `due_on` is "" for no day."""
    return {
        "assignment_id": assignment.id,
        "course": title,
        "due_on": _day_of(assignment),
        "note": assignment.note,
        "by_id": assignment.assigned_by_id,
    }


def _day_of(assignment: Assignment) -> str:
    return assignment.due_on.isoformat() if assignment.due_on else ""


def _told_of_escalations() -> list[int]:
    """Whom the school named, as far as they still run it; where nobody is left of them, the admins: somebody must hear of it."""
    office = list_office()
    named = [person for person in school_settings().escalate_to_ids if person in office]
    return named or [admin.id for admin in list_members_with_role("admin")]


def _tell_concerned(kind: str, booking_id: int, actor_id: int | None) -> None:
    booking = find_concerned(booking_id)
    if booking:
        _tell(kind, booking_id, booking, _concerned(booking) - {actor_id})


def _tell(kind: str, booking_id: int, booking: Concerned, people: set[int]) -> None:
    for person in people:
        notify(person, kind, cause=f"{kind}:{booking_id}", subject_id=booking_id, facts=_facts(booking))


def _concerned(booking: Concerned) -> set[int]:
    """The learner, and the instructor once the booking was theirs to keep: a mere wish for them was never their news."""
    told = {booking.learner_id}
    if booking.was_approved and booking.instructor_id:
        told.add(booking.instructor_id)
    return told


def _facts(booking: Concerned) -> dict[str, Any]:
    return {
        "learner_id": booking.learner_id,
        "instructor_id": booking.instructor_id,
        "aircraft": booking.aircraft,
        "starts_at": booking.starts_at.isoformat(),
        "ends_at": booking.ends_at.isoformat(),
        "reason": booking.reason,
    }
