"""The author's desk: drafts, what became of them, and publishing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.courses.forms import PublishForm
from app.courses.kinds import kind_of
from app.courses.models import Course
from app.courses.operations import publish_course
from app.courses.policies import Can
from app.courses.queries import (
    DESK_SORTS,
    DESK_STATES,
    WITH_PUBLICATION,
    draft_outline,
    list_drafts_for_desk,
    list_versions,
)
from app.foundation import nav
from app.foundation.once import once
from app.foundation.pages import list_query
from app.foundation.permissions import access, requires
from app.foundation.replies import page, reply
from app.identity.queries import names_of_members

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
    return desk_page(access(Course, course_id, WITH_PUBLICATION), PublishForm(formdata=None))


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
