"""Which courses are assigned to whom, and how far those people are.

An assignment holds the department that was chosen; who is in it, or in one below it, is asked when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    SQLColumnExpression,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
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
from app.tenants.queries import DEPARTMENT_TREE, TREE, department_ids_below, lies_in

SORTS: Choices = {"due": _l("Due first"), "newest": _l("Newest first")}
STATES: Choices = {"overdue": _l("Overdue"), "done": _l("Completed by all"), "all": _l("All")}
"""Filters of assignments; without one, those are listed that are not completed by all of their people, or have none yet."""
PEOPLE_STATES: Choices = {
    "open": _l("Not completed"), "not_begun": _l("Not begun"), "begun": _l("Under way"), "done": _l("Completed"),
}  # fmt: skip

FOR_EVERYBODY = and_(Assignment.membership_id.is_(None), Assignment.department_id.is_(None))
"""The condition that an assignment names neither a department nor a person."""
CAME_IN_TIME = "coalesce(m.approved_at, m.created_at)::date <= a.due_on"
ASSIGNED_TO_ME = """(a.membership_id = %(me)s or (a.membership_id is null
  and (a.department_id is null or a.department_id in (select top from department_tree where inside = %(department)s))
  and (a.due_on is null or a.due_on >= (
    select coalesce(m.approved_at, m.created_at)::date from membership m where m.id = %(me)s))))"""
"""The condition on `assignment a` that it is a person's, after `with recursive` DEPARTMENT_TREE."""
HAS_TO = """m.status = 'active' and not exists (
  select from enrollment e where e.membership_id = m.id and e.course_id = a.course_id and e.completed_at is not null)"""
COUNT_OVERDUE = f"""
with recursive {DEPARTMENT_TREE}
select count(*) from assignment a join course c on c.id = a.course_id and c.archived_at is null
where a.due_on < %(school_day)s and (
  exists (select from membership m where m.id = a.membership_id and {HAS_TO})
  or exists (select from department_tree t join membership m on m.department_id = t.inside
    where t.top = a.department_id and {CAME_IN_TIME} and {HAS_TO})
  or (a.membership_id is null and a.department_id is null
    and exists (select from membership m where {CAME_IN_TIME} and {HAS_TO})))
"""  # noqa: S608 — put together from constants
"""How many assignments are overdue: each kind of audience is looked for by its own index, and the first person found is enough."""
STANDING = Prepared(
    f"""
with recursive {DEPARTMENT_TREE}
select c.publication_id, c.archived_at is null, mine.id is not null, mine.due_on, mine.note, mine.name,
  {TAKEN}
from course c
left join enrollment e on e.tenant_id = c.tenant_id and e.course_id = c.id and e.membership_id = %(me)s
left join lateral (select a.id, a.due_on, a.note, by.name from assignment a
  left join membership by on by.id = a.assigned_by_id
  where a.course_id = c.id and {ASSIGNED_TO_ME} order by a.due_on nulls last, a.id limit 1) mine on true
where c.tenant_id = %(tenant)s and c.id = %(course)s and c.publication_id is not null
""",  # noqa: S608 — put together from constants
    tenant="bigint", me="bigint", course="bigint", department="bigint",
)  # fmt: skip
MINE = f"""
with recursive {DEPARTMENT_TREE}
(select distinct on (a.course_id) a.course_id, true, a.due_on, a.note, by.name
  from assignment a join course c on c.id = a.course_id left join membership by on by.id = a.assigned_by_id
  where {ASSIGNED_TO_ME} and c.archived_at is null
  order by a.course_id, a.due_on nulls last, a.id)
union all
select e.course_id, false, null, null, null from enrollment e where e.membership_id = %(me)s
"""  # noqa: S608 — put together from constants
IS_MINE = f"""
with recursive {DEPARTMENT_TREE}
select exists (select from assignment a where a.course_id = %(course)s and {ASSIGNED_TO_ME})
  or exists (select from enrollment e where e.course_id = %(course)s and e.membership_id = %(me)s)
"""  # noqa: S608 — put together from constants


# -- a person's own ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assigned:
    """That a course is assigned to a person: the earliest day by which (the school's), and the note and name of who said so."""

    due_on: date | None
    note: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Mine:
    """A person's courses, by id: those that are assigned to them, and those that they have begun."""

    assigned: dict[int, Assigned]
    begun: frozenset[int]


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


def courses_of(actor: Actor) -> Mine:
    """What is assigned to a member (of several assignments of a course the one that is due first), and what they have begun.
    One SELECT."""
    assigned, begun = {}, set()
    for course_id, is_assigned, *words in rows(MINE, _mine(actor)):
        if is_assigned:
            assigned[course_id] = Assigned(*words)
        else:
            begun.add(course_id)
    return Mine(assigned, frozenset(begun))


def is_theirs(actor: Actor, course_id: int) -> bool:
    """Whether a course is assigned to a member, or they have begun it."""
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
    def percent(self) -> int:
        """How many of its people have completed it, 0–100."""
        return percent_of(self.done, self.people)


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

    `department` keeps those that are for people there or in those below it. `today` is the school's day.
    """
    counts = _counts()
    lines = _lines(counts).where(_in_state(query.get("state"), counts, today))
    if query.search:
        lines = lines.where(Course.title_key.contains(sort_key(query.search), autoescape=True))
    if department := query.get("department"):
        lines = lines.where(_concerns(int(department)))
    by = [Assignment.assigned_at, Assignment.id] if query.sort == "newest" else [Assignment.due_key, Assignment.id]
    found = paginate(lines.add_columns(*by), by, cursor=query.cursor, descending=query.sort == "newest", scalars=False)
    return Page([AssignmentLine(*row[:8]) for row in found.rows], found.before, found.after)


def find_assignment(assignment_id: int) -> Assignment | None:
    """An assignment; None if it was taken back."""
    return session.get(Assignment, assignment_id)


def hold_assignment(assignment_id: int) -> Assignment | None:
    """An assignment as it is now, locked until the transaction ends; None if it was taken back."""
    found = select(Assignment).where(Assignment.id == assignment_id).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).first()


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
        .outerjoin(Department, Department.id == Membership.department_id)
        .outerjoin(Enrollment, _takes(assignment.course_id))
        .outerjoin(Publication, Publication.id == Enrollment.publication_id)
        .where(*_people_of(assignment))
    )  # fmt: skip
    if query.search:
        people = people.where(Membership.name_key.contains(sort_key(query.search), autoescape=True))
    if department := query.get("department"):
        people = people.where(lies_in(Membership.department_id, literal(int(department))))
    if state := query.get("state"):
        people = people.where(_stands_at(state))
    found = paginate(people, [Membership.name_key, Membership.id], cursor=query.cursor, scalars=False)
    return Page([_person(row) for row in found.rows], found.before, found.after)


def list_people_to_tell(assignment: Assignment) -> list[int]:
    """Whom an assignment is for and who have not completed its course: active members, by id. Nobody once it takes no learners."""
    people = (
        select(Membership.id)
        .join(Course, Course.id == assignment.course_id)
        .outerjoin(Enrollment, _takes(assignment.course_id))
        .where(*_people_of(assignment), Enrollment.completed_at.is_(None), Course.archived_at.is_(None))
    )
    return list(session.scalars(people.order_by(Membership.id)))


def list_open_assignments_of(membership_id: int, *, today: date) -> list[Assignment]:
    """What an active member has to complete and is not over yet, in one SELECT. `today` is the school's day."""
    reaches = or_(
        Assignment.membership_id == Membership.id,
        FOR_EVERYBODY,
        lies_in(Membership.department_id, Assignment.department_id),
    )
    theirs = select(Assignment).join(Membership, Membership.id == membership_id).where(reaches, *_still_open(today))
    found = theirs.join(Course, Course.id == Assignment.course_id).outerjoin(Enrollment, _of_both())
    return list(session.scalars(found.order_by(Assignment.id)))


def list_assignments_from_above(department_id: int, *, today: date) -> list[tuple[int, Assignment]]:
    """What people in a department and below it have to complete because of the departments above it, and is not over yet:
    membership and assignment, in one SELECT."""
    parent = select(Department.parent_id).where(Department.id == department_id).scalar_subquery()
    is_above = lies_in(parent, Assignment.department_id)
    people = Membership.department_id.in_(department_ids_below(department_id))
    theirs = select(Membership.id, Assignment).join(Assignment, is_above).where(people, *_still_open(today))
    found = theirs.join(Course, Course.id == Assignment.course_id).outerjoin(Enrollment, _of_both())
    return [
        (member, assignment) for member, assignment in session.execute(found.order_by(Membership.id, Assignment.id))
    ]


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
    """How many people each assignment is for, how many of them have completed its course, and how many have begun it.

    Each kind of audience is a branch of its own, which an index answers.
    """
    branches = (
        _progress().where(Membership.id == Assignment.membership_id),
        _progress().join(TREE, Membership.department_id == TREE.c.inside).where(
            TREE.c.top == Assignment.department_id, _came_by(Assignment.due_on)
        ),
        _progress().where(FOR_EVERYBODY, _came_by(Assignment.due_on)),
    )  # fmt: skip
    each = union_all(*(branch.correlate(Assignment) for branch in branches)).subquery("each")
    counted = select(
        func.count().label("people"),
        func.count(each.c.completed_at).label("done"),
        func.count(each.c.id).label("begun"),
    )
    return counted.lateral("counts")


def _progress() -> Any:
    """The enrollment of each active member in the course of an Assignment, if they have one."""
    progress: Any = select(Enrollment.id, Enrollment.completed_at).select_from(Membership)
    return progress.outerjoin(Enrollment, _of_both()).where(Membership.status == "active")


def _still_open(today: date) -> tuple[ColumnElement[bool], ...]:
    """The conditions on an Assignment, its Course, a Membership and their Enrollment that it is to be completed, and in time."""
    in_time = or_(Assignment.due_on.is_(None), Assignment.due_on >= today)
    return Membership.status == "active", Course.archived_at.is_(None), Enrollment.completed_at.is_(None), in_time


def _of_both() -> ColumnElement[bool]:
    return and_(Enrollment.membership_id == Membership.id, _of_its_course())


def _of_its_course() -> ColumnElement[bool]:
    return Enrollment.course_id == Assignment.course_id


def _takes(course_id: int) -> ColumnElement[bool]:
    return and_(Enrollment.membership_id == Membership.id, Enrollment.course_id == course_id)


def _people_of(assignment: Assignment) -> tuple[ColumnElement[bool], ...]:
    """The conditions on a Membership that an assignment is for them."""
    is_in = Membership.status == "active"
    if assignment.membership_id is not None:
        return is_in, Membership.id == assignment.membership_id
    came = _came_by(literal(assignment.due_on, Date))
    if assignment.department_id is None:
        return is_in, came
    return is_in, came, Membership.department_id.in_(department_ids_below(assignment.department_id))


def _came_by(day: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """The condition that somebody was at the school before a last day was over, or that there is none."""
    return or_(day.is_(None), cast(func.coalesce(Membership.approved_at, Membership.created_at), Date) <= day)


def _in_state(state: str | None, counts: LateralFromClause, today: date) -> ColumnElement[bool]:
    all_done = and_(counts.c.people > 0, counts.c.done == counts.c.people)
    if state == "all":
        return true()
    if state == "done":
        return all_done
    if state == "overdue":
        return and_(Assignment.due_on < today, counts.c.done < counts.c.people, Course.archived_at.is_(None))
    return and_(~all_done, Course.archived_at.is_(None))


def _concerns(department_id: int) -> ColumnElement[bool]:
    """The condition that an assignment is for people of a department or one below it: for it, for one below or above it, for
    somebody there, or for everybody."""
    chosen = literal(department_id)
    people = select(Membership.id).where(lies_in(Membership.department_id, chosen))
    return or_(
        lies_in(Assignment.department_id, chosen),
        lies_in(chosen, Assignment.department_id),
        Assignment.membership_id.in_(people),
        FOR_EVERYBODY,
    )


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
