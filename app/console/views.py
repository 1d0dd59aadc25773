"""The operator's pages: the list of schools, a school, and a new one. To everybody else none of them is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from babel.dates import format_date
from flask import Blueprint, abort, redirect, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from app.audit.rules import action_words
from app.console.forms import PressOnlyForm, SchoolForm, SuspensionForm
from app.console.operations import Invited, invite_admin_again, open_school, resume_school, suspend_school
from app.console.queries import find_school, list_admins, list_entries, list_schools, reference, usage_of
from app.foundation.formats import DAY_WITH_YEAR
from app.foundation.forms import Form
from app.foundation.mail import absolute_url, can_send_mail
from app.foundation.pages import list_query
from app.foundation.permissions import operator
from app.foundation.replies import page, reply, wants_partial
from app.identity.rules import standing_words
from app.tenants.models import Tenant

bp = Blueprint("console", __name__, url_prefix="/operator")


@bp.get("")
@operator
def show() -> Any:
    return redirect(url_for("console.school_index"), 303)


@bp.get("/schools")
@operator
def school_index() -> Any:
    wanted = list_query(
        sorts={"name": _("Name"), "newest": _("Newest first")},
        state={"open": _("Open"), "suspended": _("Suspended")},
    )
    found = list_schools(
        search=wanted.search, state=wanted.get("state"), newest_first=wanted.sort == "newest", cursor=wanted.cursor
    )
    return _page("console/schools.html", wanted=wanted, found=found)


@bp.get("/schools/new")
@operator
def school_new() -> Any:
    return _page("console/new.html", form=SchoolForm(formdata=None), mails=can_send_mail())


@bp.post("/schools")
@operator
def school_create() -> Any:
    form = SchoolForm()
    opened = form.carry_out(
        lambda: open_school(
            slug=form.slug.data or "", name=form.name.data or "", zone=form.zone.data or "",
            admin_name=form.admin_name.data or "", admin_email=form.admin_email.data or "", key=form.once.data or "",
            actor=current_user,
        )
    )  # fmt: skip
    if opened is None:
        return _page("console/new.html", form=form, mails=can_send_mail(), status=form.status)
    if opened.token is None:
        said = _("%(name)s is open already: the form was sent twice.", name=opened.school.name)
        return reply(url_for("console.school_show", slug=opened.school.slug), said=said)
    return _link_page(opened, opened.token, status=201)


@bp.get("/schools/<slug>")
@operator
def school_show(slug: str) -> Any:
    return _school_page(_school(slug))


@bp.post("/schools/<slug>/suspension")
@operator
def suspension_create(slug: str) -> Any:
    school, form = _school(slug), SuspensionForm()
    if form.carry_out(lambda: suspend_school(school, reason=form.reason.data or "", actor=current_user)):
        return reply(
            url_for("console.school_show", slug=slug), said=_("%(name)s is suspended.", name=school.name)
        )  # fmt: skip
    return _school_page(school, form)


@bp.post("/schools/<slug>/resumption")
@operator
def resumption_create(slug: str) -> Any:
    school, form = _school(slug), PressOnlyForm()
    if form.carry_out(lambda: resume_school(school, actor=current_user)):
        return reply(
            url_for("console.school_show", slug=slug), said=_("%(name)s is open again.", name=school.name)
        )  # fmt: skip
    return _school_page(school, form)


@bp.post("/schools/<slug>/admins/<int:member_id>/invitation")
@operator
def invitation_create(slug: str, member_id: int) -> Any:
    school, form = _school(slug), PressOnlyForm()
    invited = form.carry_out(lambda: invite_admin_again(school, member_id, actor=current_user))
    if invited and invited.token:
        return _link_page(invited, invited.token)
    return abort(404) if form.status == 200 else _school_page(school, form)


@bp.get("/schools/<slug>/<any(suspension, resumption):deed>")
@bp.get("/schools/<slug>/admins/<int:member_id>/invitation")
@operator
def deed_show(slug: str, **_deed: Any) -> Any:
    """A deed is posted; whoever opens its address is led to the school."""
    return redirect(url_for("console.school_show", slug=_school(slug).slug), 303)


# -- what the pages are made of ------------------------------------------------------------------------------------


def _school(slug: str) -> Tenant:
    return find_school(slug) or abort(404)


def _page(template: str, **context: Any) -> Any:
    """A page in the console's frame, or the part of it that htmx asks for."""
    return page(template, frame="layout/partial.html" if wants_partial() else "console/frame.html", **context)


def _school_page(school: Tenant, failed: Form | None = None) -> Any:
    usage, months = usage_of(school)
    lived = [(_month_words(month.begins), month.usage if month.until > school.created_at else None) for month in months]
    return _page(
        "console/school.html",
        school=school,
        usage=usage,
        months=lived,
        admins=list_admins(reference(school)),
        standings=standing_words(),
        entries=[(action_words(entry.action), entry.by or _("Groundschool"), entry.at) for entry in list_entries(school.id)],
        moment=_moment_words,
        failed=failed,
        form=failed if isinstance(failed, SuspensionForm) else SuspensionForm(formdata=None),
        status=failed.status if failed else 200,
    )  # fmt: skip


def _link_page(invited: Invited, token: str, *, status: int = 200) -> Any:
    """The page that shows an invitation's link, once: it is kept nowhere, neither here nor in the browser."""
    link = absolute_url("identity.invitation_new", tenant=invited.school.slug, token=token)
    answer = _page(
        "console/invited.html", school=invited.school, person=invited.person, link=link, is_new=status == 201,
        mails=can_send_mail(), status=status,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _month_words(begins: datetime) -> str:
    """ "Nov 2026"."""
    return format_date(begins, "LLL y", locale=_language())


def _moment_words(instant: datetime) -> str:
    """ "Fri 20 Nov 2026, 19:19 UTC": an operator reads of years, and of schools in many zones."""
    at = instant.astimezone(UTC)
    return f"{format_date(at, DAY_WITH_YEAR, locale=_language())}, {at:%H:%M} UTC"


def _language() -> str:
    return str(get_locale() or "en")
