"""Erasing a person: what they typed and who they are goes, what the school must be able to show keeps an id."""

from __future__ import annotations

import secrets

from flask_babel import gettext as _
from sqlalchemy import delete

from app.audit.operations import audit, audit_on_platform
from app.foundation import clock, personal_data
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.jobs import schedule_job
from app.foundation.models import OnceKey
from app.foundation.refusals import Refusal
from app.identity.events import MemberErased
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.credentials import drop_second_factor, end_sessions, hold_user
from app.identity.operations.people import keep_an_admin
from app.identity.queries import count_schools_of_user

ERASED = "Erased person"


def ask_for_erasure(member: Membership, *, actor: Actor) -> None:
    """A person asks their school's admins to erase them. An admin decides, since records may have to be kept a while."""
    number = clock.now().date().toordinal()
    key = f"erasure-request:{member.id}:{number}"
    if schedule_job("identity.send_erasure_request", key=key, member_id=member.id, number=number):
        audit("erasure.requested", actor=actor, subject=member)


def erase_person(member: Membership, *, actor: Actor) -> Membership:
    """Blank a person of the school in force. Bookings, progress and the audit trail keep their id and nothing else of them.

    The account goes with the last school that knows the person. It stays, and this school forgets whose row this was, where
    others are left, and where it is not this school's to end: an operator's, or one that was only invited or asked to join.
    Refuses to erase the actor, the last admin, or somebody who is erased already.
    """
    if member.id == actor.membership_id:
        raise Refusal(_("You cannot erase yourself. Another admin can."))
    keep_an_admin(without=member, actor=actor)
    if member.erased_at:
        raise Refusal(_("This person is erased already."))
    user, status = hold_user(member.user_id), member.status
    assert user
    personal_data.blank(member.id)
    session.execute(delete(OnceKey).where(OnceKey.user_id == user.id))
    session.execute(delete(OneUseToken).where(OneUseToken.membership_id == member.id))
    if _goes_with(member, user):
        _erase_account(user)
    else:
        member.user_id = _nobody().id
    _blank(member)
    session.flush()
    audit("member.erased", actor=actor, subject=member, before={"status": status}, after={"status": "erased"})
    announce(MemberErased(member.id))
    return member


def _blank(member: Membership) -> None:
    member.name, member.name_key = ERASED, sort_key(ERASED)
    member.phone = member.emergency_contact = member.certificate_number = member.license_number = None
    member.zone = member.level = member.department_id = member.primary_instructor_id = member.standing_reason = None
    member.roles, member.tags, member.locale = ["learner"], [], "en"
    member.status, member.erased_at = "erased", clock.now()


def _goes_with(member: Membership, user: User) -> bool:
    """Whether the account ends with this row. An invitation alone gives a school no hold on an account that somebody has, nor
    does adding them; one that nobody ever confirmed is nobody's."""
    was_in = not member.link_awaited and (member.approved_at is not None or member.status in ("active", "suspended"))
    is_theirs_alone = was_in or user.email_confirmed_at is None
    return is_theirs_alone and not user.is_operator and count_schools_of_user(user.id) == 1


def _nobody() -> User:
    """An account that nobody signs in to, for the row of somebody whose own account stays."""
    user = User(email=_no_address(), erased_at=clock.now())
    session.add(user)
    session.flush()
    return user


def _erase_account(user: User) -> None:
    end_sessions(user.id, reason="erased")
    drop_second_factor(user)
    session.execute(delete(OneUseToken).where(OneUseToken.user_id == user.id))
    user.email, user.password_hash, user.email_confirmed_at = _no_address(), None, None
    user.erased_at = clock.now()
    audit_on_platform("account.erased", user_id=user.id)


def _no_address() -> str:
    """An address that cannot exist (RFC 2606), and that nobody can have taken beforehand."""
    return f"{secrets.token_hex(16)}@erased.invalid"
