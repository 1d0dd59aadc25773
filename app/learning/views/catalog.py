"""The catalog with a person's own state, the page of a course, and beginning one."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import abort, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.courses.models import Course
from app.courses.policies import Can as CourseCan
from app.courses.queries import CATALOG_SORTS, Reader, find_outline, list_catalog, list_catalog_levels
from app.foundation import clock, nav, tenancy
from app.foundation.once import once
from app.foundation.pages import list_query
from app.foundation.permissions import access, requires
from app.foundation.replies import page, reply
from app.learning.forms import BeginForm
from app.learning.operations import enroll
from app.learning.policies import Can
from app.learning.queries import courses_of, find_standing, find_taking, progress_by_course
from app.learning.views import bp
from app.learning.views.player import course_path, step_path

nav.add(nav.Entry(_l("Courses"), "learning.catalog_index", "book-open", 30, Can.TAKE_COURSES))


@bp.get("/courses")
@requires(Can.TAKE_COURSES)
def catalog_index() -> Any:
    own = courses_of(current_user)
    assigned, more = own.assigned, own.assigned.keys() | own.begun
    reader = Reader(current_user.department_id, current_user.may(CourseCan.SEE_EVERY_COURSE), more)
    levels = {level: level.replace("-", " ").capitalize() for level in list_catalog_levels(reader)}
    query = list_query(sorts=CATALOG_SORTS, level=levels, assigned={"yes": _("Assigned to you")})
    courses = list_catalog(query, reader=reader, only=assigned.keys() if query.get("assigned") else None)
    mine = progress_by_course(current_user.membership_id, [course.id for course in courses.rows])
    return page(
        "learning/catalog.html", query=query, courses=courses, mine=mine, assigned=assigned, today=school_day(),
        finds_all=reader.finds_all, once_key=lambda: uuid.uuid4().hex,
    )  # fmt: skip


@bp.get("/courses/<int:course_id>")
@requires(Can.TAKE_COURSES)
def course_show(course_id: int) -> Any:
    return course_page(course_id, BeginForm(formdata=None))


@bp.post("/courses/<int:course_id>/enrollment")
@requires(Can.TAKE_COURSES)
@once
def enrollment_create(course_id: int) -> Any:
    course = access(Course, course_id)
    form = BeginForm()
    begun = form.carry_out(lambda: enroll(course, actor=current_user))
    if begun is None:
        return course_page(course_id, form)
    taking = find_taking(current_user.membership_id, course_id)
    return reply(step_path(course_path(course_id), taking.here) if taking else course_path(course_id))


@bp.get("/courses/<int:course_id>/enrollment")
@requires(Can.TAKE_COURSES)
def enrollment_show(course_id: int) -> Any:
    return redirect(url_for("learning.course_show", course_id=access(Course, course_id).id), 303)


def course_page(course_id: int, form: BeginForm) -> Any:
    """The outline of the version a person is enrolled in, else of the newest. What they take, or is assigned to them, is theirs
    to see; any other course comes through the door."""
    standing = find_standing(current_user, course_id) or abort(404)
    if not (standing.taking or standing.assigned):
        access(Course, course_id)
    taking = standing.taking
    outline = taking.outline if taking else find_outline(standing.publication_id)
    return page(
        "learning/course.html", course_id=course_id, taking=taking, outline=outline, is_open=standing.is_in_catalog,
        assigned=standing.assigned, today=school_day(), form=form, status=form.status,
    )  # fmt: skip


def school_day() -> date:
    """Today, in the school's zone, in which the days of assignments are counted."""
    return clock.today(tenancy.required().zone)
