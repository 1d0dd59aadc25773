"""The people of a school: the list, each person's page, and what admins decide there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user

from app.audit.models import AuditEntry
from app.audit.policies import Can as AuditCan
from app.audit.queries import list_entries_about, people_in
from app.audit.rules import action_words
from app.foundation import nav, tenancy
from app.foundation.forms import Form
from app.foundation.mail import absolute_url, can_send_mail
from app.foundation.meanwhile import ChangedMeanwhile, chosen_by
from app.foundation.pages import list_query
from app.foundation.permissions import Role, access, requires
from app.foundation.refusals import Refusal
from app.foundation.replies import page, reply
from app.identity.forms.people import ApprovalsForm, ReasonForm, RolesForm
from app.identity.forms.registration import PressOnlyForm
from app.identity.models import Membership
from app.identity.operations.accounts import send_test_mail
from app.identity.operations.people import (
    approve_member,
    approve_members,
    change_roles,
    decline_member,
    reinstate_member,
    suspend_member,
)
from app.identity.operations.registration import invite_again, link_to_hand_over
from app.identity.policies import Can
from app.identity.queries import (
    ASKS_ERASURE,
    NOT_COME_YET,
    count_unconfirmed,
    count_waiting,
    find_facts,
    list_admin_ids,
    list_people,
    names_of_members,
)
from app.identity.rules import role_words, standing_words
from app.identity.views import bp as identity_bp
from app.identity.views import people_bp as bp
from app.tenants.policies import Can as SchoolCan
from app.tenants.queries import list_departments
from app.tenants.rules import places_in, tree_of

nav.add(nav.Entry(_l("People"), "people.index", "users", 35, Can.SEE_PEOPLE))
HISTORY = 30


@bp.get("")
@requires(Can.SEE_PEOPLE)
def index() -> Any:
    return _list_page()


@bp.post("/approvals")
@requires(Can.DECIDE_STANDING)
def approvals_create() -> Any:
    form = ApprovalsForm()
    approved = form.carry_out(lambda: approve_members(form.member.data or (), actor=current_user))
    if approved is None:
        return _list_page(form)
    waiting = _not_confirmed_in_words(count_unconfirmed(form.member.data or ()))
    if approved:
        said = ngettext("%(num)d person is in.", "%(num)d people are in.", len(approved))
        return reply(_list_left(), said=f"{said} {waiting}".strip())
    form.refusal, form.status = waiting or _("Nobody of those waits any more: somebody else decided first."), 409
    return _list_page(form)


@bp.get("/<int:member_id>")
@requires(Can.SEE_PEOPLE)
def show(member_id: int) -> Any:
    return _person_page(access(Membership, member_id))


@bp.post("/<int:member_id>/approval")
@requires(Can.DECIDE_STANDING)
def approval_create(member_id: int) -> Any:
    member = access(Membership, member_id)
    return _decide(member, PressOnlyForm(), lambda: approve_member(member, actor=current_user), _("%(name)s is in."))


@bp.post("/<int:member_id>/refusal")
@requires(Can.DECIDE_STANDING)
def refusal_create(member_id: int) -> Any:
    member, form = access(Membership, member_id), ReasonForm()
    deed = lambda: decline_member(member, reason=form.reason.data or "", actor=current_user)  # noqa: E731
    return _decide(member, form, deed, _("%(name)s is declined."))


@bp.post("/<int:member_id>/suspension")
@requires(Can.DECIDE_STANDING)
def suspension_create(member_id: int) -> Any:
    member, form = access(Membership, member_id), ReasonForm()
    deed = lambda: suspend_member(member, reason=form.reason.data or "", actor=current_user)  # noqa: E731
    return _decide(member, form, deed, _("%(name)s is suspended."))


@bp.post("/<int:member_id>/reinstatement")
@requires(Can.DECIDE_STANDING)
def reinstatement_create(member_id: int) -> Any:
    member = access(Membership, member_id)
    deed = lambda: reinstate_member(member, actor=current_user)  # noqa: E731
    return _decide(member, PressOnlyForm(), deed, _("%(name)s is in again."))


@bp.post("/<int:member_id>/roles")
@requires(Can.CHANGE_ROLES)
def roles_update(member_id: int) -> Any:
    member, form = access(Membership, member_id), RolesForm()
    deed = lambda: change_roles(  # noqa: E731
        member, form.chosen, read=form.roles_read, actor=current_user
    )
    if not (form.validate_on_submit() and _gives_up_admin(member, form)):
        return _decide(member, form, deed, _("The roles of %(name)s are saved."))
    kept = chosen_by(form.chosen, form.roles_read, member.roles)
    left = ", ".join(word for role, word in role_words().items() if role in kept)
    if not form.sure.data:
        return page("people/demotion.html", member=member, form=form, left=left)
    return _decide(member, form, deed, _("You are no longer an admin here. You are now: %(roles)s.", roles=left))


@bp.post("/<int:member_id>/invitation")
@requires(Can.ADD_PEOPLE)
def invitation_create(member_id: int) -> Any:
    member = access(Membership, member_id)

    def deed() -> Membership:
        invite_again(member, actor=current_user)
        return member

    form = PressOnlyForm()
    if can_send_mail():
        is_in = member.is_active
        said = _("A link is on its way to %(name)s.") if is_in else _("An invitation is on its way to %(name)s.")
        return _decide(member, form, deed, said)
    return link_page(member) if form.carry_out(deed) else _person_page(member, form)


@identity_bp.get("/<tenant>/settings/test-mail")
@requires(SchoolCan.CHANGE_SETTINGS)
def test_mail_show() -> Any:
    """A deed is posted; whoever opens its address is led to the settings."""
    return redirect(url_for("tenants.settings_edit"), 303)


@identity_bp.post("/<tenant>/settings/test-mail")
@requires(SchoolCan.CHANGE_SETTINGS)
def test_mail_create() -> Any:
    if not can_send_mail():
        raise Refusal(_("This Groundschool has no mail server. Whoever runs it sets SMTP_URL."))
    send_test_mail(actor=current_user)
    return reply(
        url_for("tenants.settings_edit"), said=_("A test mail is on its way to %(email)s.", email=current_user.email)
    )


@bp.get("/<int:member_id>/<any(approval, refusal, suspension, reinstatement, roles, invitation):deed>")
@requires(Can.SEE_PEOPLE)
def deed_show(member_id: int, deed: str) -> Any:
    """A deed is posted; whoever opens its address is led to the person's page."""
    return redirect(url_for("people.show", member_id=access(Membership, member_id).id), 303)


@bp.get("/approvals")
@requires(Can.SEE_PEOPLE)
def approvals_show() -> Any:
    return redirect(_list_left(), 303)


# -- what the pages are made of ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deed:
    """One line of a person's history."""

    what: str
    who: str
    at: datetime


def _list_left() -> str:
    """The list on which people were chosen: of those who wait, or of everybody."""
    return url_for("people.index", status="pending" if request.args.get("status") == "pending" else None)


def link_page(member: Membership) -> Any:
    """Where there is no mail: the page that shows once the link of who was invited or added.

    It is kept nowhere, nor in the browser.
    """
    link = absolute_url("identity.invitation_new", tenant=tenancy.required().slug, token=link_to_hand_over(member))
    answer = page("people/invited.html", member=member, link=link)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _decide(member: Membership, form: Form, deed: Callable[[], Membership], said: str) -> Any:
    if form.carry_out(deed):
        home = url_for("people.show", member_id=member.id)
        # A person who demoted themself may not see the page any more.
        if member.id == current_user.membership_id and not {"admin", "manager"} & set(member.roles):
            home = f"/{tenancy.required().slug}/"
        return reply(home, said=said % {"name": member.name})
    return _person_page(member, form)


def _gives_up_admin(member: Membership, form: RolesForm) -> bool:
    """Whether admins take the role from themselves. The last one is not asked: they are refused."""
    is_theirs = member.id == current_user.membership_id and Role.ADMIN in member.roles
    return is_theirs and Role.ADMIN not in form.chosen and list_admin_ids() != {member.id}


def _not_confirmed_in_words(count: int) -> str:
    """Why some were not let in; empty if there are none."""
    if not count:
        return ""
    return ngettext(
        "%(num)d person has not confirmed their e-mail yet, and comes in once they have.",
        "%(num)d people have not confirmed their e-mail yet, and come in once they have.",
        count,
    )


def _list_page(form: ApprovalsForm | None = None) -> Any:
    departments = list_departments()
    wanted = list_query(
        sorts={"name": _("Name"), "newest": _("Newest first")},
        status={
            **{value: word for value, word in standing_words().items() if value != "erased"},
            NOT_COME_YET: _("Has not come in yet"),
            ASKS_ERASURE: _("Asks to be erased"),
        },
        role=role_words(),
        department=dict(places_in(tree_of(departments, {}))),
    )
    department = wanted.get("department")
    found = list_people(
        search=wanted.search, status=wanted.get("status"), role=wanted.get("role"),
        department_id=int(department) if department else None, newest_first=wanted.sort == "newest",
        cursor=wanted.cursor,
    )  # fmt: skip
    waiting, unconfirmed = count_waiting()
    problem = form.refusal or next(iter(form.member.errors), "") if form else ""
    return page(
        "people/index.html", found=found, wanted=wanted, problem=problem, waiting=waiting,
        unconfirmed=unconfirmed, departments={department.id: department.name for department in departments},
        may=current_user.may, can=Can, roles=role_words(), status=form.status if form else 200,
    )  # fmt: skip


def _person_page(member: Membership, failed: Form | None = None) -> Any:
    email, is_theirs, department = find_facts(member)
    entries = list_entries_about("Membership", member.id, limit=HISTORY)
    ids = people_in(entries) | ({member.primary_instructor_id} if member.primary_instructor_id else set())
    names = names_of_members(ids)
    if isinstance(failed, RolesForm) and isinstance(failed.refused, ChangedMeanwhile):
        failed.read.data = ",".join(member.roles)
    return page(
        "people/show.html",
        member=member,
        email=email,
        email_confirmed=is_theirs,
        department=department,
        instructor=names.get(member.primary_instructor_id or 0),
        history=[_deed(entry, names) for entry in entries],
        reads_trail=current_user.may(AuditCan.READ),
        mails=can_send_mail(),
        failed=failed,
        reason=failed if isinstance(failed, ReasonForm) else ReasonForm(formdata=None),
        roles_form=failed
        if isinstance(failed, RolesForm)
        else RolesForm(formdata=None, roles=list(member.roles), read=",".join(member.roles)),
        roles=role_words(),
        may=current_user.may,
        can=Can,
        is_self=member.id == current_user.membership_id,
        links=nav.person_links_for(current_user) if member.is_active else [],
        status=failed.status if failed else 200,
    )


def _deed(entry: AuditEntry, names: dict[int, str]) -> Deed:
    nobody = _("An operator of Groundschool") if entry.operator_id else _("Groundschool")
    return Deed(action_words(entry.action), names.get(entry.actor_id or 0) or nobody, entry.at)
