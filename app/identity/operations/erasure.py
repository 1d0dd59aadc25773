"""Erasing a person: what they typed and who they are goes, what the school must be able to show keeps an id."""

from __future__ import annotations

import secrets

from flask_babel import gettext as _
from sqlalchemy import delete

from app.audit.operations import audit, audit_on_platform
from app.audit.queries import was_done_since
from app.foundation import clock, personal_data, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.models import OnceKey
from app.foundation.refusals import Refusal
from app.foundation.tenancy import TenantRef
from app.identity.events import ErasureRequested, MemberErased
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.accounts import prove_password
from app.identity.operations.credentials import drop_second_factor, end_sessions, hold_user
from app.identity.operations.people import hold_member, keep_an_admin
from app.identity.operations.profile import expect_proven
from app.identity.operations.second_factor import use_code, wrong_code
from app.identity.queries import count_schools_of_user, list_requests_of_strangers

ERASED = "Erased person"


class StillKnown(Refusal):
    """A school has a row of the person: what it keeps is its to erase, at their request."""


def ask_for_erasure(member: Membership, *, actor: Actor) -> None:
    """A person asks their school's admins to erase them. An admin decides, since records may have to be kept a while.

    Asking again on the same day changes nothing; on a later one the admins are told anew.
    """
    expect_proven(member)
    session.refresh(member, with_for_update={"key_share": True})
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    if member.erasure_asked_at and was_done_since("erasure.requested", "Membership", member.id, today):
        return
    member.erasure_asked_at = member.erasure_asked_at or clock.now()
    audit("erasure.requested", actor=actor, subject=member)
    announce(ErasureRequested(member.id, today.toordinal()))


def answer_erasure(member: Membership, *, actor: Actor) -> Membership:
    """An admin has told a person what has to be kept and why: they do not wait any more, and may ask again."""
    session.refresh(member, with_for_update={"key_share": True})
    if member.erasure_asked_at is None:
        raise Refusal(_("Nobody waits for this answer any more: it was given, or they are erased."))
    member.erasure_asked_at = None
    audit("erasure.answered", actor=actor, subject=member)
    return member


def delete_own_account(*, password: str, code: str, key: bytes, actor: Actor) -> None:
    """A person whom no school knows ends their account, by their password and, if they have one, a code of the second factor.

    Refuses where a school has a row of them, and an operator. Whoever makes a member holds the account first, so that nobody
    is invited meanwhile. No mail confirms it: the address is gone with the account.
    """
    hold_user(actor.user_id)
    user = prove_password(actor, password)
    if user.totp_confirmed_at and not use_code(user, code, key=key):
        raise wrong_code()
    if user.is_operator:
        raise Refusal(_("You are an operator of this Groundschool. Whoever runs it ends that first."))
    if count_schools_of_user(user.id):
        raise StillKnown(_("A school still knows you. Ask it to erase you first."))
    _erase_account(user, "account.deleted")


def erase_person(member: Membership, *, actor: Actor) -> Membership:
    """Blank a person of the school in force. Bookings, progress and the audit trail keep their id and nothing else of them.

    The account goes with the last school that knows the person. It stays, and this school forgets whose row this was, where
    others are left, and where it is not this school's to end: an operator's, or one that was only invited or asked to join.
    Refuses to erase the actor, the last admin, or somebody who is erased already.
    """
    if member.id == actor.membership_id:
        raise Refusal(_("You cannot erase yourself. Another admin can."))
    keep_an_admin(without=member, actor=actor)
    user = hold_user(member.user_id)
    hold_member(member)
    if member.erased_at:
        raise Refusal(_("This person is erased already."))
    session.execute(delete(OnceKey).where(OnceKey.user_id == member.user_id))
    if user and _goes_with(member, user):
        _erase_account(user, "account.erased")
    elif user:
        member.user_id = _nobody().id
    _erase_row(member, actor=actor)
    return member


def _erase_row(member: Membership, *, actor: Actor) -> None:
    """What the school in force keeps of somebody is blanked, whatever becomes of the account."""
    status = member.status
    personal_data.blank(member.id)
    session.execute(delete(OneUseToken).where(OneUseToken.membership_id == member.id))
    _blank(member)
    session.flush()
    audit("member.erased", actor=actor, subject=member, before={"status": status}, after={"status": "erased"})
    announce(MemberErased(member.id))


def _blank(member: Membership) -> None:
    member.name, member.name_key = ERASED, sort_key(ERASED)
    member.phone = member.emergency_contact = member.certificate_number = member.license_number = None
    member.known_as, member.awaits_own_yes = None, False
    member.zone = member.level = member.department_id = member.primary_instructor_id = member.standing_reason = None
    member.roles, member.tags, member.locale = ["learner"], [], "en"
    member.status, member.erased_at, member.erasure_asked_at = "erased", clock.now(), None


def _goes_with(member: Membership, user: User) -> bool:
    """Whether the account ends with this row. An invitation alone gives a school no hold on an account that somebody has, nor
    does adding them; one that nobody ever confirmed is nobody's. Where a stranger asked with its address it is not this
    school's at all."""
    if member.awaits_own_yes:
        return False
    is_theirs_alone = member.was_let_in or user.email_confirmed_at is None
    return is_theirs_alone and not user.is_operator and count_schools_of_user(user.id) == 1


def _nobody() -> User:
    """An account that nobody signs in to, for the row of somebody whose own account stays."""
    user = User(email=_no_address(), erased_at=clock.now())
    session.add(user)
    session.flush()
    return user


def _erase_account(user: User, action: str) -> None:
    """The account goes, and with it what strangers asked for in its name: its person could not have that erased any more."""
    _erase_requests_of_strangers(user)
    end_sessions(user.id, reason="erased")
    drop_second_factor(user)
    session.execute(delete(OneUseToken).where(OneUseToken.user_id == user.id))
    user.email, user.password_hash, user.email_confirmed_at = _no_address(), None, None
    user.erased_at = clock.now()
    audit_on_platform(action, user_id=user.id)


def _erase_requests_of_strangers(user: User) -> None:
    before = tenancy.current()
    tenancy.enter(None, user_id=user.id)
    for tenant, member in list_requests_of_strangers(user.id):
        with tenancy.tenant_scope(TenantRef(tenant.id, tenant.slug, tenant.name, tenant.zone)):
            hold_member(member)
            _erase_row(member, actor=SYSTEM)
            session.flush()
    tenancy.enter(before)


def _no_address() -> str:
    """An address that cannot exist (RFC 2606), and that nobody can have taken beforehand."""
    return f"{secrets.token_hex(16)}@erased.invalid"
