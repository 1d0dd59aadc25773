"""How people get into a school: they ask to join, or are invited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.events import JoinRequested, MemberInvited, MemberJoined
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.links import mail_link, use_link
from app.identity.queries import find_standing_member, find_user, find_user_by_email
from app.identity.rules import Purpose, hash_password, new_token
from app.tenants.models import Department


class KnownHere(Refusal):
    """The person belongs to the school already, or asked to."""


def register(*, email: str, name: str, password: str, cost: int, actor: Actor) -> None:
    """Somebody without an account here asks to join the school in force. What follows is in the mail that is sent.

    A known e-mail takes the same hash, the same job and the same words; its password and name stay as they are.
    """
    hashed = hash_password(password, cost=cost)
    known = find_user_by_email(email)
    member = find_standing_member(known.id if known else 0)
    user = _new_user(email, hashed) if known is None else None
    if user:
        member = _add(user, name=name, roles=[Role.LEARNER.value], status="pending")
        audit("registration.begun", actor=actor, subject=member, after={"roles": member.roles})
    else:
        user = known or find_user_by_email(email)
        assert user
        _work_as_for_somebody_new(name, hashed)
        audit("registration.repeated", actor=actor, subject=member or user)
    purpose = Purpose.INVITATION if member and member.status == "invited" else Purpose.CONFIRM_EMAIL
    mail_link(purpose, user_id=user.id, membership_id=member.id if member else None)


def join(*, name: str, actor: Actor) -> Membership:
    """A signed-in person of another school asks to join the school in force."""
    if actor.user_id is None or find_standing_member(actor.user_id):
        raise KnownHere(_("You are known at this school already."))
    user = find_user(actor.user_id)
    assert user
    member = _add(user, name=name, roles=[Role.LEARNER.value], status="pending")
    audit("registration.begun", actor=actor, subject=member, after={"roles": member.roles})
    if user.email_confirmed_at:
        announce(JoinRequested(member.id))
    else:
        mail_link(Purpose.CONFIRM_EMAIL, user_id=user.id, membership_id=member.id)
    return member


def confirm_registration(token: str, *, name: str | None, actor: Actor) -> Membership | None:
    """The e-mail is theirs: from now on the request waits for an admin. None if the link does not work any more."""
    link = use_link(token, Purpose.CONFIRM_EMAIL)
    user = find_user(link.user_id) if link else None
    if user is None:
        return None
    user.email_confirmed_at = user.email_confirmed_at or clock.now()
    member = find_standing_member(user.id)
    if member is None:
        member = _add(user, name=name or user.email, roles=[Role.LEARNER.value], status="pending")
    audit("registration.confirmed", actor=_self(actor, user), subject=member)
    if member.status == "pending":
        announce(JoinRequested(member.id))
    return member


def invite(
    *, email: str, name: str, roles: Iterable[Role], department: Department | None = None, actor: Actor
) -> Membership:
    """Invite somebody to the school in force; a mail with a link follows. Who was invited before is sent a new link."""
    email = email.strip()
    user = find_user_by_email(email) or _new_user(email, None) or find_user_by_email(email)
    assert user
    member = find_standing_member(user.id)
    if member is None:
        chosen = sorted({role.value for role in roles})
        department_id = department.id if department else None
        member = _add(user, name=name, roles=chosen, status="invited", department_id=department_id)
        audit("member.invited", actor=actor, subject=member, after={"roles": chosen, "department_id": department_id})
        announce(MemberInvited(member.id))
    elif member.status != "invited":
        raise KnownHere(_("%(email)s is known here already, as %(name)s.", email=email, name=member.name))
    invite_again(member, actor=actor)
    return member


def invite_again(member: Membership, *, actor: Actor) -> None:
    """Send an invited person a new link; the one before is void."""
    if member.status != "invited":
        raise Refusal(_("%(name)s is not waiting for an invitation.", name=member.name))
    member.invited_at = clock.now()
    mail_link(Purpose.INVITATION, user_id=member.user_id, membership_id=member.id)
    audit("invitation.sent", actor=actor, subject=member)


def accept_invitation(token: str, *, password: str | None, cost: int, actor: Actor) -> Membership | None:
    """The invited person comes in; who has no password yet chooses one. None if the link does not work any more."""
    link = use_link(token, Purpose.INVITATION)
    user, member = invited_by(link) if link else (None, None)
    if user is None or member is None:
        return None
    if user.password_hash is None:
        assert password
        user.password_hash = hash_password(password, cost=cost)
    user.email_confirmed_at = user.email_confirmed_at or clock.now()
    member.status, member.approved_at = "active", clock.now()
    audit(
        "invitation.accepted", actor=_self(actor, user, member), subject=member,
        before={"status": "invited"}, after={"status": "active"},
    )  # fmt: skip
    announce(MemberJoined(member.id))
    return member


def invited_by(link: OneUseToken) -> tuple[User | None, Membership | None]:
    """Whom an invitation is for, as long as it stands."""
    member = session.get(Membership, link.membership_id) if link.membership_id else None
    if member is None or member.status != "invited" or member.user_id != link.user_id:
        return None, None
    return find_user(member.user_id), member


def _self(actor: Actor, user: User, member: Membership | None = None) -> Actor:
    """Whoever proved by a link that the account is theirs is who does the deed, signed in or not."""
    if actor.is_authenticated and actor.user_id == user.id:
        return actor
    return Actor(user_id=user.id, membership_id=member.id if member else None)


def _new_user(email: str, hashed: str | None) -> User | None:
    """A person of the platform; None if the e-mail is taken, also by a rival a moment ago."""
    row = insert(User).values(email=email.strip(), password_hash=hashed).on_conflict_do_nothing().returning(User.id)
    made = session.execute(row).scalar()
    return session.get(User, made) if made else None


def _work_as_for_somebody_new(name: str, hashed: str) -> None:
    """What somebody new costs, undone: the time of the answer does not say whether an e-mail is known."""
    with session.no_autoflush:
        undone = session.begin_nested()
        made = _new_user(f"{new_token()}@erased.invalid", hashed)
        assert made
        _add(made, name=name, roles=[Role.LEARNER.value], status="pending")
        undone.rollback()


def _add(user: User, *, name: str, roles: list[str], status: str, **more: Any) -> Membership:
    member = Membership(
        user_id=user.id, name=name, name_key=sort_key(name), roles=roles, status=status, tags=[], **more
    )  # fmt: skip
    session.add(member)
    session.flush()
    return member
