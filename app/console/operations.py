"""What operators do with schools: each deed is on the school's own trail and, with the operator's name, on the platform's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.audit.operations import audit, audit_on_platform
from app.console.queries import find_school, reference, was_opened_with
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import after_commit, session
from app.foundation.mail import can_send_mail
from app.foundation.models import OnceKey
from app.foundation.refusals import BadRequest, Refusal
from app.foundation.tenancy import TenantRef, forget_tenants, tenant_scope
from app.identity.models import Membership
from app.identity.operations.accounts import found_school
from app.identity.operations.acting import end_acting_at
from app.identity.operations.links import issue_link
from app.identity.operations.registration import invite_again
from app.identity.rules import Purpose
from app.tenants.models import Tenant

SHORTEST_KEY, LONGEST_KEY = 16, 64


class NotOpened(Refusal):
    """A school cannot be opened with what was typed: its address is taken or a path of ours."""

    status = 422


class NotInThatState(Refusal):
    """The school is suspended already, or is not: somebody else decided first."""


@dataclass(frozen=True)
class Invited:
    """The name of who was invited to run a school, and their link's token, which nobody can read again: None the second time."""

    school: TenantRef
    person: str
    token: str | None


def open_school(
    *, slug: str, name: str, zone: str, admin_name: str, admin_email: str, key: str, actor: Actor
) -> Invited:
    """Open a school and invite its first admin, by mail and by a link for the operator to hand over.

    `key` is the form's one-use key: sent again, it opens nothing and tells of the school that it opened. Refuses an address
    that is taken or is a path of ours (422).
    """
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise BadRequest(_("This form lacks its one-use key. Load the page again and resend it."))
    try:
        school, admin = found_school(
            slug=slug, name=name, zone=zone, admin_email=admin_email, admin_name=admin_name, actor=actor
        )
    except Refusal as refusal:
        known = find_school(slug)
        if known and was_opened_with(key, reference(known), user_id=actor.user_id):
            return Invited(reference(known), admin_name, None)
        raise NotOpened(refusal.sentence) from refusal
    with tenant_scope(school):
        session.add(OnceKey(key=key, user_id=actor.user_id))
        token = _token_to_hand_over(admin)
        session.flush()
    return Invited(school, admin.name, token)


def invite_admin_again(school: Tenant, member_id: int, *, actor: Actor) -> Invited | None:
    """Give an invited admin a new link, by mail and to hand over. None if the school knows no such person."""
    if school.suspended_at:
        raise NotInThatState(_("%(name)s is suspended: nobody could come in.", name=school.name))
    here = reference(school)
    with tenant_scope(here):
        member = session.get(Membership, member_id)
        if member is None or "admin" not in member.roles:
            return None
        invite_again(member, actor=actor)
        token = _token_to_hand_over(member)
        audit_on_platform("invitation.sent", user_id=actor.user_id, school_id=school.id)
        session.flush()
    return Invited(here, member.name, token)


def suspend_school(school: Tenant, *, reason: str, actor: Actor) -> Tenant:
    """Let nobody work in a school from their next request on. Its records stay, and what is under way there is finished."""
    _lock(school)
    if school.suspended_at:
        raise NotInThatState(_("%(name)s is suspended already.", name=school.name))
    school.suspended_at, school.suspended_reason = clock.now(), reason
    end_acting_at(reference(school))
    _record("school.suspended", school, actor, {"suspension_reason": reason})
    return school


def resume_school(school: Tenant, *, actor: Actor) -> Tenant:
    """Let people work in a suspended school again."""
    _lock(school)
    if not school.suspended_at:
        raise NotInThatState(_("%(name)s is not suspended any more.", name=school.name))
    school.suspended_at = school.suspended_reason = None
    _record("school.resumed", school, actor, None)
    return school


def _token_to_hand_over(admin: Membership) -> str:
    """A link's token besides the one that is mailed; where there is no mail, instead of it."""
    return issue_link(Purpose.INVITATION, user_id=admin.user_id, membership_id=admin.id, besides_mail=can_send_mail())


def _lock(school: Tenant) -> None:
    """Of two operators who decide at once the second finds what the first did."""
    session.refresh(school, with_for_update={"key_share": True})


def _record(action: str, school: Tenant, actor: Actor, after: dict[str, Any] | None) -> None:
    with tenant_scope(reference(school)):
        audit(action, actor=actor, subject=school, after=after)
        audit_on_platform(action, user_id=actor.user_id, school_id=school.id)
        session.flush()
    after_commit(forget_tenants)
