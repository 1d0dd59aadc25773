"""Which courses are assigned to whom, and how far those people are.

An assignment holds the department that was chosen; who is in it, or in one below it, is asked when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from app.courses.models import Course, Publication
from app.foundation import tenancy
from app.foundation.actor import Actor
from app.foundation.db import rows, session
from app.foundation.formats import sort_key
from app.foundation.pages import Choices, ListQuery, Page, paginate
from app.foundation.prepared import Prepared
from app.identity.models import Membership
from app.learning.models import Assignment, Enrollment
from app.learning.queries.taking import TAKEN, Taking, taking_of
from app.learning.rules import percent_of
from app.tenants.models import Department
from app.tenants.queries import DEPARTMENT_TREE, department_ids_below, lies_in

SORTS: Choices = {"due": _l("Due first"), "newest": _l("Newest first")}
STATES: Choices = {"overdue": _l("Overdue"), "done": _l("Completed by all"), "all": _l("All")}
"""Filters of assignments; without one, those are listed that somebody has still to complete."""
PEOPLE_STATES: Choices = {
    "open": _l("Not completed"), "not_begun": _l("Not begun"), "begun": _l("Under way"), "done": _l("Completed"),
}  # fmt: skip

ASSIGNED_TO_ME = """(a.membership_id = %(me)s or (a.membership_id is null and a.department_id is null)
  or a.department_id in (select top from department_tree where inside = %(department)s))"""
"""The condition on `assignment a` that it is a person's, after `with recursive` DEPARTMENT_TREE."""
IS_ASSIGNED = """(a.membership_id = m.id or (a.membership_id is null and (a.department_id is null
  or m.department_id in (select inside from department_tree where top = a.department_id))))"""
"""The condition on `assignment a` and `membership m` that it is theirs, likewise."""
EARLIEST = "order by a.due_on nulls last, a.id"
STANDING = Prepared(
    f"""
with recursive {DEPARTMENT_TREE}
select c.publication_id, c.archived_at is null, mine.id is not null, mine.due_on, mine.note, mine.name,
  {TAKEN}
from course c
left join enrollment e on e.tenant_id = c.tenant_id and e.course_id = c.id and e.membership_id = %(me)s
left join lateral (select a.id, a.due_on, a.note, by.name from assignment a
  left join membership by on by.id = a.assigned_by_id
  where a.course_id = c.id and {ASSIGNED_TO_ME} {EARLIEST} limit 1) mine on true
where c.tenant_id = %(tenant)s and c.id = %(course)s and c.publication_id is not null
""",  # noqa: S608 — put together from constants
    tenant="bigint", me="bigint", course="bigint", department="bigint",
)  # fmt: skip
MINE = f"""
with recursive {DEPARTMENT_TREE}
select distinct on (a.course_id) a.course_id, a.due_on, a.note, by.name
from assignment a join course c on c.id = a.course_id left join membership by on by.id = a.assigned_by_id
where {ASSIGNED_TO_ME} and c.archived_at is null
order by a.course_id, a.due_on nulls last, a.id
"""  # noqa: S608 — put together from constants
IS_MINE = f"""
with recursive {DEPARTMENT_TREE}
select exists (select from assignment a where a.course_id = %(course)s and {ASSIGNED_TO_ME})
"""  # noqa: S608 — put together from constants


# -- a person's own ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assigned:
    """That a course is assigned to a person: the earliest day by which (the school's), and the note and name of who said so."""

    due_on: date | None
    note: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a published course is to a person: what they have begun, whether it is assigned to them, its newest publication."""

    taking: Taking | None
    assigned: Assigned | None
    publication_id: int
    is_in_catalog: bool


def find_standing(actor: Actor, course_id: int) -> Standing | None:
    """What a course is to a member, in one SELECT; None where there is no published course of that id."""
    row = STANDING.first({"tenant": tenancy.required().id, **_mine(actor), "course": course_id})
    if row is None:
        return None
    publication_id, is_in_catalog, is_assigned, *words = row[:6]
    return Standing(
        taking_of(row[6:]) if row[6] is not None else None, Assigned(*words) if is_assigned else None, publication_id,
        is_in_catalog,
    )  # fmt: skip


def assignments_of(actor: Actor) -> dict[int, Assigned]:
    """The courses that are assigned to a member, by course id; of several assignments, the one that is due first. One SELECT."""
    return {course_id: Assigned(*words) for course_id, *words in rows(MINE, _mine(actor))}


def is_assigned_to(actor: Actor, course_id: int) -> bool:
    """Whether a course is assigned to a member."""
    return bool(rows(IS_MINE, {**_mine(actor), "course": course_id})[0][0])


def _mine(actor: Actor) -> dict[str, Any]:
    return {"me": actor.membership_id, "department": actor.department_id}


# -- all of the school ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AssignmentLine:
    """An assignment with its course and whom it is for, in words, and how many of its `people` have completed or begun it."""

    assignment: Assignment
    course: str
    department: str | None
    person: str | None
    by: str | None
    people: int
    done: int
    begun: int

    @property
    def is_done(self) -> bool:
        """Whether nobody is left who has still to complete it."""
        return 0 < self.people == self.done

    @property
    def percent(self) -> int:
        """How many of its people have completed it, 0–100."""
        return percent_of(self.done, self.people)

    def is_overdue(self, today: date) -> bool:
        """Whether its day is over and somebody has not completed it."""
        due = self.assignment.due_on
        return due is not None and due < today and self.done < self.people


@dataclass(frozen=True, slots=True)
class AssignedPerson:
    """Somebody whom a course is assigned to, and how far they are: `percent` 0–100, None where they have not begun."""

    id: int
    name: str
    department: str | None
    percent: int | None
    last_seen_at: datetime | None
    completed_at: datetime | None


def list_assignments(query: ListQuery, *, today: date) -> Page[AssignmentLine]:
    """A page of the school's assignments. Sorts and states: see SORTS and STATES. The search reads titles of courses.

    `department` keeps those for it and for those below it, and those of one person there. `today` is the school's day.
    """
    counts = _counts()
    lines = _lines(counts).where(_in_state(query.get("state"), counts, today))
    if query.search:
        lines = lines.where(Course.title_key.contains(sort_key(query.search), autoescape=True))
    if department := query.get("department"):
        lines = lines.where(_is_in(int(department)))
    by = [Assignment.assigned_at, Assignment.id] if query.sort == "newest" else [Assignment.due_key, Assignment.id]
    found = paginate(lines.add_columns(*by), by, cursor=query.cursor, descending=query.sort == "newest", scalars=False)
    return Page([AssignmentLine(*row[:8]) for row in found.rows], found.before, found.after)


def find_assignment_line(assignment_id: int) -> AssignmentLine:
    """One assignment as the list has it; raises NoResultFound if there is none."""
    row = session.execute(_lines(_counts()).where(Assignment.id == assignment_id)).one()
    return AssignmentLine(*row)


def list_assigned_people(assignment: Assignment, query: ListQuery) -> Page[AssignedPerson]:
    """A page of those whom an assignment is for, by name, in one SELECT. State: of PEOPLE_STATES. Search: names.

    `department` keeps the people in it and in those below it.
    """
    people: Any = (
        select(
            Membership.id, Membership.name, Department.name.label("department"), Enrollment.steps_done,
            Publication.step_count, Enrollment.last_seen_at, Enrollment.completed_at, Membership.name_key,
        )
        .select_from(Membership)
        .join(Assignment, Assignment.id == assignment.id)
        .outerjoin(Department, Department.id == Membership.department_id)
        .outerjoin(Enrollment, _takes_it())
        .outerjoin(Publication, Publication.id == Enrollment.publication_id)
        .where(Membership.status == "active", _is_theirs())
    )  # fmt: skip
    if query.search:
        people = people.where(Membership.name_key.contains(sort_key(query.search), autoescape=True))
    if department := query.get("department"):
        people = people.where(Membership.department_id.in_(department_ids_below(int(department))))
    if state := query.get("state"):
        people = people.where(_stands_at(state))
    found = paginate(people, [Membership.name_key, Membership.id], cursor=query.cursor, scalars=False)
    return Page([_person(row) for row in found.rows], found.before, found.after)


def list_people_to_tell(assignment_id: int) -> list[int]:
    """Whom an assignment is for and who have not completed its course: active members, by id."""
    people = (
        select(Membership.id)
        .join(Assignment, Assignment.id == assignment_id)
        .outerjoin(Enrollment, _takes_it())
        .where(Membership.status == "active", _is_theirs(), Enrollment.completed_at.is_(None))
    )
    return list(session.scalars(people.order_by(Membership.id)))


# -- parts of the above --------------------------------------------------------------------------------------------


def _lines(counts: LateralFromClause) -> Select[Any]:
    person, by = aliased(Membership), aliased(Membership)
    return (
        select(
            Assignment, Publication.title, Department.name, person.name, by.name, counts.c.people, counts.c.done,
            counts.c.begun,
        )
        .join(Course, Course.id == Assignment.course_id)
        .join(Publication, Publication.id == Course.publication_id)
        .outerjoin(Department, Department.id == Assignment.department_id)
        .outerjoin(person, person.id == Assignment.membership_id)
        .outerjoin(by, by.id == Assignment.assigned_by_id)
        .join(counts, true())
    )  # fmt: skip


def _counts() -> LateralFromClause:
    """How many people each assignment is for, how many of them have completed its course, and how many have begun it."""
    return (
        select(
            func.count().label("people"),
            func.count(Enrollment.completed_at).label("done"),
            func.count(Enrollment.id).label("begun"),
        )
        .select_from(Membership)
        .outerjoin(Enrollment, _takes_it())
        .where(Membership.status == "active", _is_theirs())
        .correlate(Assignment)
        .lateral("counts")
    )


def _takes_it() -> ColumnElement[bool]:
    return and_(Enrollment.membership_id == Membership.id, Enrollment.course_id == Assignment.course_id)


def _is_theirs() -> ColumnElement[bool]:
    """The condition on an Assignment and a Membership that it is theirs."""
    everybody = Assignment.department_id.is_(None)
    of_many = and_(
        Assignment.membership_id.is_(None),
        or_(everybody, lies_in(Membership.department_id, Assignment.department_id)),
    )
    return or_(Assignment.membership_id == Membership.id, of_many)


def _in_state(state: str | None, counts: LateralFromClause, today: date) -> ColumnElement[bool]:
    all_done = and_(counts.c.people > 0, counts.c.done == counts.c.people)
    if state == "all":
        return true()
    if state == "done":
        return all_done
    if state == "overdue":
        return and_(Assignment.due_on < today, counts.c.done < counts.c.people)
    return ~all_done


def _is_in(department_id: int) -> ColumnElement[bool]:
    """The condition that an assignment is for a department or one below it, or for somebody there."""
    people = select(Membership.id).where(Membership.department_id.in_(department_ids_below(department_id)))
    return or_(Assignment.department_id.in_(department_ids_below(department_id)), Assignment.membership_id.in_(people))


def _stands_at(state: str) -> ColumnElement[bool]:
    return {
        "open": Enrollment.completed_at.is_(None),
        "not_begun": Enrollment.id.is_(None),
        "begun": and_(Enrollment.id.is_not(None), Enrollment.completed_at.is_(None)),
        "done": Enrollment.completed_at.is_not(None),
    }[state]


def _person(row: Any) -> AssignedPerson:
    percent = None if row.steps_done is None else percent_of(row.steps_done, row.step_count)
    return AssignedPerson(row.id, row.name, row.department, percent, row.last_seen_at, row.completed_at)
