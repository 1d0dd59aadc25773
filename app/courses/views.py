"""The author's desk: drafts, what became of them, and publishing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.courses.forms import AudienceForm, PublishForm
from app.courses.kinds import kind_of
from app.courses.models import Course
from app.courses.operations import AudienceChanged, choose_audience, publish_course
from app.courses.policies import Can
from app.courses.queries import (
    DESK_SORTS,
    DESK_STATES,
    WITH_AUDIENCE,
    WITH_PUBLICATION,
    draft_outline,
    list_audience_ids,
    list_drafts_for_desk,
    list_versions,
)
from app.foundation import nav
from app.foundation.once import once
from app.foundation.pages import list_query
from app.foundation.permissions import access, requires
from app.foundation.replies import page, reply
from app.identity.queries import count_people_by_department, names_of_members
from app.tenants.queries import list_departments
from app.tenants.rules import branches_of, tree_of

bp = Blueprint("courses", __name__, url_prefix="/<tenant>")
nav.add(nav.Entry(_l("Authoring"), "courses.desk_index", "pencil", 50, Can.SEE_DESK))


@bp.get("/desk")
@requires(Can.SEE_DESK)
def desk_index() -> Any:
    query = list_query(sorts=DESK_SORTS, status=DESK_STATES)
    return page("courses/desk/index.html", query=query, drafts=list_drafts_for_desk(query))


@bp.get("/desk/<int:course_id>")
@requires(Can.SEE_DESK)
def desk_show(course_id: int) -> Any:
    return desk_page(access(Course, course_id, WITH_PUBLICATION, WITH_AUDIENCE), PublishForm(formdata=None))


@bp.post("/courses/<int:course_id>/publication")
@requires(Can.PUBLISH)
@once
def publication_create(course_id: int) -> Any:
    course, form = access(Course, course_id), PublishForm()
    if made := form.carry_out(lambda: publish_course(course, actor=current_user)):
        location = url_for("courses.desk_show", course_id=course.id)
        return reply(location, said=_("Version %(version)s is published.", version=made.version))
    return desk_page(course, form)


@bp.get("/courses/<int:course_id>/publication")
@requires(Can.SEE_DESK)
def publication_show(course_id: int) -> Any:
    return redirect(url_for("courses.desk_show", course_id=access(Course, course_id).id), 303)


@bp.get("/desk/<int:course_id>/audience")
@requires(Can.CHOOSE_AUDIENCE)
def audience_edit(course_id: int) -> Any:
    course = access(Course, course_id)
    chosen = list_audience_ids(course.id)
    form = AudienceForm(formdata=None, departments=chosen)
    form.has_read(chosen)
    return audience_page(course, form)


@bp.post("/desk/<int:course_id>/audience")
@requires(Can.CHOOSE_AUDIENCE)
def audience_update(course_id: int) -> Any:
    course, form = access(Course, course_id), AudienceForm()
    names = {department.id: department.name for department in list_departments()}
    form.offer(names)
    chosen = form.departments.data or []
    if form.carry_out(lambda: [choose_audience(course, chosen, actor=current_user, read=form.read.data)]):
        said = _in_words([name for one, name in names.items() if one in chosen])
        return reply(url_for("courses.desk_show", course_id=course.id), said=said)
    if isinstance(form.refused, AudienceChanged):
        form.has_read(list_audience_ids(course.id))
    return audience_page(course, form)


def audience_page(course: Course, form: AudienceForm) -> Any:
    """The tree of departments with a box for each, and how many people are in them."""
    tree = tree_of(list_departments(), count_people_by_department(who_are_in=True))
    form.offer({branch.department.id: branch.department.name for branch in branches_of(tree)})
    return page("courses/desk/audience.html", course=course, form=form, tree=tree, status=form.status)


def _in_words(departments: list[str]) -> str:
    if not departments:
        return _("The course is for everybody now.")
    return _("The course is now for: %(departments)s.", departments=", ".join(departments))


def desk_page(course: Course, form: PublishForm) -> Any:
    """A draft with its outline and its versions. After a refusal the form says why."""
    versions = list_versions(course.id)
    return page(
        "courses/desk/show.html",
        status=form.status,
        course=course,
        form=form,
        modules=draft_outline(course.id),
        versions=versions,
        names=names_of_members({v.published_by_id for v in versions if v.published_by_id}),
        kind_of=kind_of,
    )
