"""What admins decide about people: who is let in, who is suspended, who may do what.

A school always keeps an admin. Deeds that could take the last one wait for the school's turn, so that two admins who demote
each other at the same instant do it one after the other, and the second finds out that they are no admin any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from flask_babel import gettext as _
from sqlalchemy import select

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.meanwhile import ChangedMeanwhile, chosen_by
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.events import MemberApproved, MemberDeclined, MemberReinstated, MemberSuspended, RolesChanged
from app.identity.models import Membership, User
from app.identity.operations.credentials import end_sessions, hold_user
from app.identity.queries import counts_as_confirmed, is_confirmed, is_let_in_elsewhere, list_admin_ids
from app.identity.rules import SUSPENDED, standing_words
from app.tenants.queries import take_the_schools_turn


class LastAdmin(Refusal):
    """The school would be left without an admin."""


class NoAdminAnyMore(Refusal):
    """Somebody else took the actor's admin role a moment ago."""


class NotTheirStanding(Refusal):
    """The person does not stand where the deed begins: somebody else decided first, or it makes no sense."""


def approve_member(member: Membership, *, actor: Actor) -> Membership:
    """Let a person in who asked to join. Refuses who has not confirmed their e-mail: anybody could have typed it."""
    _expect(member, "pending")
    if not approve_members([member.id], actor=actor):
        raise _not_confirmed(member)
    return member


def approve_members(ids: Iterable[int], *, actor: Actor) -> list[Membership]:
    """Let in those of these people who wait with a confirmed e-mail. Returns who came in."""
    waiting = (
        select(Membership)
        .join(User, User.id == Membership.user_id)
        .where(Membership.id.in_(list(ids)), Membership.status == "pending", counts_as_confirmed())
        .order_by(Membership.id)
        .with_for_update(of=Membership, key_share=True)
        .execution_options(populate_existing=True)
    )
    members = list(session.scalars(waiting))
    for member in members:
        member.come_in(clock.now())
        _record("member.approved", member, "pending", actor=actor)
        announce(MemberApproved(member.id))
    return members


def decline_member(member: Membership, *, reason: str, actor: Actor) -> Membership:
    """Do not let a person in who asked to join. They read the reason."""
    hold_member(member)
    _expect(member, "pending")
    member.status, member.standing_reason = "declined", reason
    _record("member.declined", member, "pending", actor=actor, reason=reason)
    announce(MemberDeclined(member.id))
    return member


def suspend_member(member: Membership, *, reason: str, actor: Actor) -> Membership:
    """Keep a person out from their next request on. They read the reason; where nobody else lets them in they are signed out.
    Whose account the school was only ever told the address of is not.
    """
    if member.id == actor.membership_id:
        raise Refusal(_("You cannot suspend yourself. Another admin can."))
    keep_an_admin(without=member, actor=actor)
    user = hold_user(member.user_id)
    _expect(member, "active")
    member.status, member.standing_reason = "suspended", reason
    _record("member.suspended", member, "active", actor=actor, reason=reason)
    announce(MemberSuspended(member.id))
    if user and not (user.is_operator or member.link_awaited or is_let_in_elsewhere(user.id)):
        end_sessions(user.id, reason=SUSPENDED)
    return member


def reinstate_member(member: Membership, *, actor: Actor) -> Membership:
    """Let a person in again who was suspended or declined. Refuses who was declined and has not confirmed their e-mail either."""
    hold_member(member)
    _expect(member, "suspended", "declined")
    if member.status == "declined" and not is_confirmed(member):
        raise _not_confirmed(member)
    was = member.status
    member.come_in(clock.now())
    _record("member.reinstated", member, was, actor=actor)
    announce(MemberReinstated(member.id))
    return member


def change_roles(
    member: Membership, roles: Iterable[Role], *, actor: Actor, read: Collection[str] | None = None
) -> Membership:
    """Give a person other roles, or, over those that were `read`, give and take those that differ from them.

    Refuses to leave them with none, or the school without an admin.
    """
    take_the_schools_turn()
    session.refresh(member)
    chosen = sorted(chosen_by({role.value for role in roles}, read, member.roles))
    if not chosen:
        raise ChangedMeanwhile(["roles"]) if read else Refusal(_("A person has at least one role."))
    keep_an_admin(without=None if Role.ADMIN in chosen else member, actor=actor)
    _expect(member, "active", "invited", "pending", "suspended", "declined")
    before = sorted(member.roles)
    if chosen != before:
        member.roles = chosen
        audit("member.roles_changed", actor=actor, subject=member, before={"roles": before}, after={"roles": chosen})
        announce(RolesChanged(member.id))
    return member


def keep_an_admin(*, without: Membership | None, actor: Actor) -> None:
    """Take the school's turn; refuse if `without` is its last admin, or if the actor is no admin any more.

    Call it first in every deed that may take an admin away. `without` is read again.
    """
    take_the_schools_turn()
    admins = list_admin_ids()
    if without is not None:
        session.refresh(without)
        if without.id in admins and not list_admin_ids(who_came=True) - {without.id}:
            if admins == {without.id}:
                raise LastAdmin(_("A school needs an admin. Make somebody else an admin first."))
            raise LastAdmin(_("A school needs an admin. The others were added and have not come in by their link yet."))
    if actor.membership_id is not None and actor.membership_id not in admins:
        raise NoAdminAnyMore(_("Somebody changed your roles a moment ago: you are no admin any more."))


def hold_member(member: Membership) -> None:
    """Read a person again and hold them until the transaction ends: of two deeds the second finds what the first did."""
    session.flush()
    session.refresh(member, with_for_update={"key_share": True})


def _not_confirmed(member: Membership) -> Refusal:
    return Refusal(_("%(name)s has not confirmed their e-mail yet. They come in once they have.", name=member.name))


def _expect(member: Membership, *standings: str) -> None:
    if member.status not in standings:
        words = standing_words()
        raise NotTheirStanding(
            _(
                "%(name)s is “%(now)s” by now. Load the page again to see what can be done.",
                name=member.name,
                now=words.get(member.status, member.status),
            )
        )


def _record(action: str, member: Membership, was: str, *, actor: Actor, reason: str | None = None) -> None:
    more = {"reason": reason} if reason else {}
    audit(action, actor=actor, subject=member, before={"status": was}, after={"status": member.status, **more})
