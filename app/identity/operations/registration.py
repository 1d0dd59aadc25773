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
from app.foundation.mail import can_send_mail
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.events import JoinRequested, MemberInvited, MemberJoined
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.credentials import (
    confirm_mailbox,
    hold_user,
    hold_user_by_email,
    needs_new_password,
    proves_mailbox,
    set_password,
)
from app.identity.operations.links import issue_link, mail_link, use_link
from app.identity.operations.people import hold_member
from app.identity.queries import find_standing_member, find_user, is_anybodys, is_known_elsewhere
from app.identity.rules import Purpose, address_problem, hash_password, new_token, plain_address
from app.tenants.models import Department


class KnownHere(Refusal):
    """The person belongs to the school already, or asked to."""


class NotByThisLink(Refusal):
    """A link that was handed over does not choose the first password of this account."""


def register(*, email: str, name: str, password: str, cost: int, actor: Actor) -> None:
    """Somebody without an account here asks to join the school in force. What follows is in the mail that is sent; where there
    is no mail, the request waits for an admin at once.

    A known e-mail takes the same hash, the same job and the same words, and its password stays as it is. Known at another school,
    it waits here as a new one does, since the admins read their list; its own person sees that only once they confirm it.
    """
    hashed = hash_password(password, cost=cost)
    known = hold_user_by_email(email)
    made = None if known else _new_user(email, hashed)
    user = made or known or hold_user_by_email(email)
    assert user
    if made is None:
        _work_as_for_somebody_new(name, hashed)
    member = find_standing_member(user.id)
    if member is None:
        member = _ask(user, name=name, email=email, awaits_own_yes=made is None, actor=actor)
        if not can_send_mail():
            announce(JoinRequested(member.id))
    else:
        audit("registration.repeated", actor=actor, subject=member)
    purpose = Purpose.INVITATION if member.status == "invited" else Purpose.CONFIRM_EMAIL
    mail_link(purpose, user_id=user.id, membership_id=member.id)


def join(*, name: str, actor: Actor) -> Membership:
    """A signed-in person of another school asks to join the school in force."""
    user = hold_user(actor.user_id)
    member = find_standing_member(user.id) if user else None
    if user is None or (member and not member.awaits_own_yes):
        raise KnownHere(_("You are known at this school already."))
    if member:
        _say_yes(member, name=name)
        audit("registration.repeated", actor=actor, subject=member)
    else:
        member = _ask(user, name=name, email=user.email, actor=actor)
    if user.email_confirmed_at or not can_send_mail():
        announce(JoinRequested(member.id))
    else:
        mail_link(Purpose.CONFIRM_EMAIL, user_id=user.id, membership_id=member.id)
    return member


def confirm_registration(token: str, *, name: str | None, actor: Actor) -> Membership | None:
    """The e-mail is theirs, and so is the request: it waits for an admin. None if the link does not work any more."""
    link = use_link(token, Purpose.CONFIRM_EMAIL)
    user = hold_user(link.user_id) if link else None
    if user is None:
        return None
    confirm_mailbox(user)
    member = find_standing_member(user.id)
    if member is None:
        member = _add(user, name=name or user.email, email=user.email, roles=[Role.LEARNER.value], status="pending")
    elif member.awaits_own_yes:
        _say_yes(member, name=name or member.name)
    audit("registration.confirmed", actor=_self(actor, user), subject=member)
    if member.status == "pending":
        announce(JoinRequested(member.id))
    return member


def invite(
    *, email: str, name: str, roles: Iterable[Role], department: Department | None = None, actor: Actor
) -> Membership:
    """Invite somebody to the school in force; a mail with a link follows. Who was invited before is sent a new link.

    A request that anybody may have typed becomes the invitation.
    """
    email = plain_address(email)
    if problem := address_problem(email):
        raise Refusal(problem)
    user = hold_user_by_email(email) or _new_user(email, None) or hold_user_by_email(email)
    assert user
    member = find_to_invite(user.id, email)
    if member is None or member.status != "invited":
        chosen = sorted({role.value for role in roles})
        department_id = department.id if department else None
        if member is None:
            member = _add(user, name=name, email=email, roles=chosen, status="invited")
        take_over(member, name=name, roles=chosen, department_id=department_id)
        audit("member.invited", actor=actor, subject=member, after={"roles": chosen, "department_id": department_id})
        announce(MemberInvited(member.id))
    member.known_as = email
    invite_again(member, actor=actor)
    return member


def find_to_invite(user_id: int, email: str) -> Membership | None:
    """What the school in force has of somebody whom it invites or adds by an address, held; None if nothing.

    Refuses who is known otherwise. Whom it knows by another address it is not told to be the same person.
    """
    member = find_standing_member(user_id)
    if member is None:
        return None
    hold_member(member)
    if member.known_as not in (None, email):
        raise KnownHere(_("%(email)s cannot be added here. Ask the person for another address.", email=email))
    if member.status == "invited" or is_anybodys(member):
        return member
    raise KnownHere(_("%(email)s is known here already, as %(name)s.", email=email, name=member.name))


def take_over(member: Membership, *, name: str, roles: list[str], department_id: int | None) -> None:
    """Somebody is invited as what the school says of them: what was asked in their name is void."""
    member.name, member.name_key, member.roles, member.department_id = name, sort_key(name), roles, department_id
    member.status, member.standing_reason, member.awaits_own_yes = "invited", None, False


def invite_again(member: Membership, *, actor: Actor) -> None:
    """Send a new link to a person who was invited, or added outright and has not come yet."""
    if not member.is_expected:
        raise Refusal(_("%(name)s is not waiting for an invitation.", name=member.name))
    member.invited_at = clock.now()
    mail_link(Purpose.INVITATION, user_id=member.user_id, membership_id=member.id)
    audit("invitation.sent", actor=actor, subject=member)


def link_to_hand_over(member: Membership) -> str | None:
    """The token of an invited person's link, for whoever invites to hand over where there is no mail; else None.

    The one before is void.
    """
    if can_send_mail():
        return None
    return issue_link(Purpose.INVITATION, user_id=member.user_id, membership_id=member.id)


def accept_invitation(token: str, *, password: str | None, cost: int, actor: Actor) -> Membership | None:
    """The person who was invited, or added outright, comes in. None if the link does not work any more.

    Who has no password chooses one, and so does who never confirmed the e-mail: until then a stranger may have registered with
    it, and be signed in. Whatever opened the account before does not any more. A link that was handed over proves no mailbox.
    None as well if the password is chosen already by whoever was quicker: it may be somebody else.
    Refuses by one a first password that whoever handed it over may not choose.
    """
    link = use_link(token, Purpose.INVITATION)
    user, member = invited_by(link, lock=True) if link else (None, None)
    if link is None or user is None or member is None:
        return None
    if needs_new_password(user, link):
        if not may_choose_password(user, member, link):
            raise NotByThisLink(_("The password of this account cannot be chosen by this link."))
        assert password
        set_password(user, password, cost=cost)
    elif password:
        return None
    if proves_mailbox(link):
        confirm_mailbox(user)
    was = member.status
    member.has_come()
    member.come_in(clock.now())
    audit(
        "invitation.accepted" if was == "invited" else "member.came", actor=_self(actor, user, member), subject=member,
        before={"status": was}, after={"status": "active"},
    )  # fmt: skip
    if was == "invited":
        announce(MemberJoined(member.id))
    return member


def come_in_by_account(*, actor: Actor) -> Membership:
    """A signed-in person whom the school in force added outright comes in without the link, by an account that is known to be
    theirs. Where there is no mail none is: there the link asks for the password.
    """
    user = hold_user(actor.user_id)
    member = find_standing_member(user.id) if user else None
    if user is None or member is None:
        raise Refusal(_("The school does not let you in at the moment."))
    hold_member(member)
    if not may_come_in_by_account(member, user):
        raise Refusal(_("Open the link that the school sent or gave you to come in."))
    member.has_come()
    audit("member.came", actor=Actor(user_id=user.id, membership_id=member.id), subject=member)
    return member


def may_come_in_by_account(member: Membership, user: User) -> bool:
    """Whether somebody who was added has an account that is known to be theirs, and may use it to come in."""
    is_awaited = member.is_active and member.link_awaited
    return is_awaited and user.email_confirmed_at is not None and can_send_mail()


def may_choose_password(user: User, member: Membership, link: OneUseToken) -> bool:
    """Whether an invitation may choose a password where one has to be chosen.

    Whoever hands a link over holds it first, and could come in as the person. So by such a link nobody chooses the first password
    of an operator, nor of somebody whom another school knew before or has let in.
    """
    return proves_mailbox(link) or not (user.is_operator or is_known_elsewhere(member))


def invited_by(link: OneUseToken, *, lock: bool = False) -> tuple[User | None, Membership | None]:
    """Whom an invitation, or the link of who was added, is for, as long as it stands.

    `lock` holds both until the transaction ends, the account first.
    """
    user = hold_user(link.user_id) if lock else find_user(link.user_id)
    held = {"key_share": True} if lock else None
    member = session.get(Membership, link.membership_id or 0, with_for_update=held, populate_existing=lock)
    if member is None or not member.is_expected or member.user_id != link.user_id:
        return None, None
    return user, member


def _self(actor: Actor, user: User, member: Membership | None = None) -> Actor:
    """Whoever proved by a link that the account is theirs is who does the deed, signed in or not."""
    if actor.is_authenticated and actor.user_id == user.id:
        return actor
    return Actor(user_id=user.id, membership_id=member.id if member else None)


def _new_user(email: str, hashed: str | None) -> User | None:
    """A person of the platform; None if the e-mail is taken, also by a rival a moment ago."""
    row = (
        insert(User)
        .values(email=plain_address(email), password_hash=hashed)
        .on_conflict_do_nothing()
        .returning(User.id)
    )
    made = session.execute(row).scalar()
    return session.get(User, made) if made else None


def _ask(user: User, *, name: str, email: str, actor: Actor, awaits_own_yes: bool = False) -> Membership:
    member = _add(
        user, name=name, email=email, roles=[Role.LEARNER.value], status="pending", awaits_own_yes=awaits_own_yes
    )
    audit("registration.begun", actor=actor, subject=member, after={"roles": member.roles})
    return member


def _say_yes(member: Membership, *, name: str) -> None:
    """The person asks themself for what somebody asked for with their address, whatever that one was told."""
    member.awaits_own_yes, member.name, member.name_key = False, name, sort_key(name)
    member.status, member.standing_reason = "pending", None


def _work_as_for_somebody_new(name: str, hashed: str) -> None:
    """What somebody new costs, undone: the time of the answer does not say whether an e-mail is known."""
    with session.no_autoflush:
        undone = session.begin_nested()
        made = _new_user(f"{new_token()}@erased.invalid", hashed)
        assert made
        _add(made, name=name, email=made.email, roles=[Role.LEARNER.value], status="pending")
        undone.rollback()


def _add(user: User, *, name: str, email: str, roles: list[str], status: str, **more: Any) -> Membership:
    member = Membership(
        user_id=user.id, name=name, name_key=sort_key(name), known_as=plain_address(email), roles=roles, status=status,
        tags=[], **more,
    )  # fmt: skip
    session.add(member)
    session.flush()
    return member
