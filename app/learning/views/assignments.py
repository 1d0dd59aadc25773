"""Assigning courses: whom each is assigned to, by when, and how far those people are."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user

from app.courses.models import Course
from app.courses.queries import list_courses_to_choose
from app.foundation import nav
from app.foundation.once import once
from app.foundation.pages import list_query
from app.foundation.permissions import access, requires
from app.foundation.refusals import Refusal
from app.foundation.replies import page, reply
from app.identity.models import Membership
from app.identity.queries import find_facts
from app.learning.forms import ONE_PERSON, AssignmentForm, NewAssignmentForm
from app.learning.models import Assignment
from app.learning.operations import Everybody, IsTakenBack, assign_course, change_assignment, remove_assignment
from app.learning.policies import Can
from app.learning.queries import (
    PEOPLE_STATES,
    SORTS,
    STATES,
    find_assignment_line,
    list_assigned_people,
    list_assignments,
    list_records_of,
)
from app.learning.views import bp
from app.learning.views.catalog import school_day
from app.tenants.models import Department
from app.tenants.policies import Can as SchoolCan
from app.tenants.queries import find_department, list_departments, list_places
from app.tenants.rules import branches_of, places_in, tree_of

nav.add(
    nav.Entry(
        _l("Assignments"), "learning.assignment_index", "clipboard-check", 32, Can.ASSIGN, unless=SchoolCan.SEE_SCHOOL
    )
)
nav.add_card(
    nav.Card(
        _l("Assignments"), _l("Who is to complete which course, by when, and how far they are."),
        "learning.assignment_index", "clipboard-check", 40, Can.ASSIGN,
    )
)  # fmt: skip
nav.add_person_link(nav.PersonLink(_l("Their courses"), "learning.person_show", "member_id", "book-open", Can.ASSIGN))
nav.add_person_link(
    nav.PersonLink(_l("Assign a course"), "learning.assignment_new", "person", "clipboard-check", Can.ASSIGN)
)


@bp.get("/assignments")
@requires(Can.ASSIGN)
def assignment_index() -> Any:
    query = list_query(sorts=SORTS, state=STATES, department=list_places())
    found = list_assignments(query, today=school_day())
    return page("learning/assignments.html", query=query, found=found, today=school_day())


@bp.get("/assignments/new")
@requires(Can.ASSIGN)
def assignment_new() -> Any:
    return _new_page(NewAssignmentForm(formdata=None, **_asked_for()))


@bp.post("/assignments")
@requires(Can.ASSIGN)
@once
def assignment_create() -> Any:
    form = NewAssignmentForm()
    _offer(form)
    if made := form.carry_out(lambda: _assign(form)):
        line = find_assignment_line(made.id)
        said = ngettext(
            "“%(course)s” is assigned to %(num)d person.", "“%(course)s” is assigned to %(num)d people.", line.people,
            course=line.course,
        )  # fmt: skip
        return reply(url_for("learning.assignment_show", assignment_id=made.id), said=said)
    return _new_page(form)


@bp.get("/assignments/<int:assignment_id>")
@requires(Can.ASSIGN)
def assignment_show(assignment_id: int) -> Any:
    assignment = access(Assignment, assignment_id)
    return _assignment_page(assignment, AssignmentForm(formdata=None, obj=assignment))


@bp.post("/assignments/<int:assignment_id>")
@requires(Can.ASSIGN)
def assignment_update(assignment_id: int) -> Any:
    assignment = access(Assignment, assignment_id)
    form = AssignmentForm(obj=assignment)
    deed = lambda: change_assignment(  # noqa: E731
        assignment, due_on=form.due_on.data, note=form.note.data or "", version=form.version.data or "",
        actor=current_user,
    )  # fmt: skip
    if form.carry_out(deed):
        said = _("The assignment is saved.")
        return reply(url_for("learning.assignment_show", assignment_id=assignment.id), said=said)
    if isinstance(form.refused, IsTakenBack):
        raise form.refused
    form.version.data = str(assignment.version)
    return _assignment_page(assignment, form)


@bp.post("/assignments/<int:assignment_id>/removal")
@requires(Can.ASSIGN)
def assignment_removal_create(assignment_id: int) -> Any:
    remove_assignment(access(Assignment, assignment_id), actor=current_user)
    return reply(url_for("learning.assignment_index"), said=_("The assignment is taken back."))


@bp.get("/assignments/<int:assignment_id>/removal")
@requires(Can.ASSIGN)
def assignment_removal_show(assignment_id: int) -> Any:
    """A deed is posted; whoever opens its address is led to the assignment."""
    assignment = access(Assignment, assignment_id)
    return redirect(url_for("learning.assignment_show", assignment_id=assignment.id), 303)


@bp.get("/people/<int:member_id>/courses")
@requires(Can.ASSIGN)
def person_show(member_id: int) -> Any:
    member, query = access(Membership, member_id), list_query(sorts={"title": ""})
    records = list_records_of(member, cursor=query.cursor)
    return page("learning/person.html", member=member, records=records, today=school_day())


# -- what the pages are made of ------------------------------------------------------------------------------------


def _assign(form: NewAssignmentForm) -> Assignment:
    course = access(Course, int(form.course.data))
    return assign_course(course, to=_whom(form), due_on=form.due_on.data, note=form.note.data or "", actor=current_user)


def _whom(form: NewAssignmentForm) -> Department | Membership | Everybody:
    if form.member:
        return form.member
    if form.department_id is None:
        return Everybody()
    department = find_department(form.department_id)
    if department is None:
        raise Refusal(_("That department is not there any more. Choose another one."))
    return department


def _asked_for() -> dict[str, str]:
    """What a link to the form chose before: a course, or a person."""
    chosen = {"course": request.args.get("course", "")}
    if member_id := request.args.get("person", 0, type=int):
        email, _is_theirs, _department = find_facts(access(Membership, member_id))
        chosen |= {"whom": ONE_PERSON, "person": email}
    return chosen


def _new_page(form: NewAssignmentForm) -> Any:
    _offer(form)
    return page("learning/assignment_new.html", form=form, status=form.status)


def _offer(form: NewAssignmentForm) -> None:
    form.offer(list_courses_to_choose(), list(list_places().items()))


def _assignment_page(assignment: Assignment, form: AssignmentForm) -> Any:
    is_of_many = assignment.membership_id is None
    query = list_query(sorts={"name": ""}, state=PEOPLE_STATES, department=_places_of(assignment))
    line = find_assignment_line(assignment.id)
    people = list_assigned_people(assignment, query)
    return page(
        "learning/assignment.html", form=form, line=line, people=people, query=query, is_of_many=is_of_many,
        today=school_day(), status=form.status,
    )  # fmt: skip


def _places_of(assignment: Assignment) -> dict[str, str]:
    """The departments that an assignment is for, as choices."""
    tree = tree_of(list_departments(), {})
    whole = [branch for branch in branches_of(tree) if branch.department.id == assignment.department_id]
    return dict(places_in(whole or tree))
