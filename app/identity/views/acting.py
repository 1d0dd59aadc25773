"""Acting as a person: admins from the person's page, operators of the platform from a page of their own."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import csrf, tenancy
from app.foundation.permissions import access, operator, requires, signed_in
from app.foundation.refusals import Refusal
from app.foundation.replies import page, reply
from app.identity.forms.acting import ActingForm, OperatorActingForm
from app.identity.models import Membership
from app.identity.operations.acting import begin_acting, end_acting
from app.identity.policies import Can
from app.identity.queries import find_membership_of_user, find_user_by_email
from app.identity.views import bp, people_bp


@people_bp.get("/<int:member_id>/acting")
@requires(Can.ACT_AS)
def acting_new(member_id: int) -> Any:
    return page("identity/acting.html", member=access(Membership, member_id), form=ActingForm(formdata=None))


@people_bp.post("/<int:member_id>/acting")
@requires(Can.ACT_AS)
def acting_create(member_id: int) -> Any:
    member, form = access(Membership, member_id), ActingForm()
    if form.carry_out(lambda: begin_acting(member, reason=form.reason.data or "", actor=current_user)):
        return reply(f"/{tenancy.required().slug}/")
    return page("identity/acting.html", member=member, form=form, status=form.status)


@bp.get("/<tenant>/acting/end")
@signed_in
def acting_end_shown() -> Any:
    """Stopping is posted; whoever opens its address is led home."""
    return redirect(f"/{tenancy.required().slug}/", 303)


@bp.post("/<tenant>/acting/end")
@signed_in
@csrf.for_anybody
def acting_end() -> Any:
    member = end_acting(actor=current_user)
    if member is None or current_user.real_membership_id is None:
        return reply(url_for("identity.schools_index"))
    said = _("You are yourself again.")
    return reply(url_for("people.show", member_id=member.id), said=said)


@bp.get("/acting")
@operator
def operator_acting_new() -> Any:
    """Whoever comes from a school's page finds the school, and often the person, filled in."""
    known = {name: request.args.get(name, "") for name in ("school", "email")}
    return page("identity/operator_acting.html", form=OperatorActingForm(formdata=None, data=known))


@bp.post("/acting")
@operator
def operator_acting_create() -> Any:
    form = OperatorActingForm()
    member = form.carry_out(lambda: _begin_as_operator(form))
    if member:
        return reply(f"/{form.school.data}/")
    return page("identity/operator_acting.html", form=form, status=form.status)


def _begin_as_operator(form: OperatorActingForm) -> Membership:
    """Find the person in the school that was named. An operator is no member there and acts in their own name only here."""
    school, user = tenancy.find_by_slug(form.school.data or ""), find_user_by_email(form.email.data or "")
    if school is None or user is None:
        raise _nobody()
    with tenancy.tenant_scope(school):
        member = find_membership_of_user(user.id)
        if member is None or user.id == current_user.user_id:
            raise _nobody()
        return begin_acting(member, reason=form.reason.data or "", actor=current_user)


def _nobody() -> Refusal:
    return Refusal(_("This school has no active person with this e-mail whom you could act as."))
