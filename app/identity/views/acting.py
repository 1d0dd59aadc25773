"""Acting as a person: admins from the person's page, operators of the platform from a page of their own."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import clock, csrf, tenancy
from app.foundation.actor import Actor
from app.foundation.db import after_commit
from app.foundation.permissions import access, operator, requires, signed_in
from app.foundation.refusals import Refusal
from app.foundation.replies import page, reply
from app.identity.forms.acting import ActingForm, OperatorActingForm
from app.identity.models import Membership
from app.identity.operations.acting import ACTING_LIFE, NeedsSecondFactor, begin_acting, end_acting, end_acting_of
from app.identity.policies import Can
from app.identity.queries import find_membership_of_user, find_user_by_email
from app.identity.views import bp, people_bp

ACTING = "acting"
"""The cookie's entry: the school's id, and until when at the latest, in seconds since 1970."""


@people_bp.get("/<int:member_id>/acting")
@requires(Can.ACT_AS)
def acting_new(member_id: int) -> Any:
    return page("identity/acting.html", member=access(Membership, member_id), form=ActingForm(formdata=None))


@people_bp.post("/<int:member_id>/acting")
@requires(Can.ACT_AS)
def acting_create(member_id: int) -> Any:
    member, form = access(Membership, member_id), ActingForm()
    if form.carry_out(lambda: begin_acting(member, reason=form.reason.data or "", actor=current_user)):
        remember_acting(tenancy.required().id)
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
    cookie.pop(ACTING, None)
    if member is None or current_user.real_membership_id is None:
        return reply(url_for("identity.schools_index"))
    said = _("You are yourself again.")
    return reply(url_for("people.show", member_id=member.id), said=said)


@bp.get("/acting")
@operator
def operator_acting_new() -> Any:
    """Whoever comes from a school's page finds the school, and often the person, filled in."""
    known = {name: request.args.get(name, "") for name in ("school", "email")}
    return page("identity/operator_acting.html", form=OperatorActingForm(formdata=None, data=known), lacks_factor=False)


@bp.post("/acting")
@operator
def operator_acting_create() -> Any:
    form = OperatorActingForm()
    member = form.carry_out(lambda: _begin_as_operator(form))
    if member:
        remember_acting(member.tenant_id)
        return reply(f"/{form.school.data}/")
    return page(
        "identity/operator_acting.html", form=form, status=form.status,
        lacks_factor=isinstance(form.refused, NeedsSecondFactor),
    )  # fmt: skip


# -- when it is over -----------------------------------------------------------------------------------------------


def remember_acting(school_id: int) -> None:
    """Have the cookie say where this browser acts and until when, so that a later request notices that it is over."""
    cookie[ACTING] = f"{school_id} {int((clock.now() + ACTING_LIFE).timestamp())}"


def notice_end_of_acting(actor: Actor) -> None:
    """End in the records, too, what is over by time or by what either of the two may be. Called while the actor is looked up.

    Where this request is rolled back nothing was noticed, and the next one does.
    """
    school_id, until = map(int, str(cookie[ACTING]).split())
    school = tenancy.current()
    is_here = school is not None and school.id == school_id
    if actor.is_acting or not (is_here or clock.now().timestamp() >= until):
        return
    end_acting_of(actor.session_id, "access")
    after_commit(lambda: cookie.pop(ACTING, None))
    g.acting_is_over = True


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
