"""People of the platform and members of a school: their accounts, passwords and e-mails; the first school of an instance."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from app.audit.operations import audit, audit_on_platform
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.jobs import schedule_job
from app.foundation.mail import can_send_mail
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.foundation.tenancy import TenantRef
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.credentials import (
    confirm_mailbox,
    drop_second_factor,
    end_sessions,
    hold_user,
    proves_mailbox,
    set_password,
    void_links,
)
from app.identity.operations.links import issue_link, mail_link, schedule_mail, use_link
from app.identity.operations.registration import invite
from app.identity.queries import find_user, find_user_by_email, is_without_school, list_schools_that_know
from app.identity.rules import Purpose, hash_password, password_matches, plain_address
from app.tenants.models import Department
from app.tenants.operations import create_school


class WrongPassword(Refusal):
    """The current password that was given is not theirs."""


class AlreadySetUp(Refusal):
    """There is a school already, so that the address of an empty instance does nothing any more."""


def add_user(email: str, *, password: str | None, cost: int) -> User:
    """Make a person of the platform, who belongs to no school yet."""
    user = User(email=plain_address(email), password_hash=hash_password(password, cost=cost) if password else None)
    session.add(user)
    session.flush()
    return user


def add_member(
    user: User,
    *,
    name: str,
    roles: Iterable[Role],
    actor: Actor,
    department: Department | None = None,
    zone: str | None = None,
) -> Membership:
    """Make a person a member of the school in force."""
    chosen = sorted({role.value for role in roles})
    member = Membership(
        user_id=user.id, name=name, name_key=sort_key(name), roles=chosen,
        department_id=department.id if department else None, zone=zone,
    )  # fmt: skip
    session.add(member)
    session.flush()
    audit("member.added", actor=actor, subject=member, after={"roles": chosen, "name": name})
    return member


# -- passwords -----------------------------------------------------------------------------------------------------


def ask_for_reset(email: str) -> OneUseToken:
    """Have a link mailed by which to choose a new password. An unknown e-mail costs the same: its job finds nobody."""
    user = find_user_by_email(email)
    audit_on_platform("password.reset_asked", email=email, user_id=user.id if user else None)
    return mail_link(Purpose.RESET_PASSWORD, user_id=user.id if user else None)


def reset_by_hand(user: User) -> str:
    """A link's token by which a person chooses a password, for whoever runs the platform to hand over."""
    audit_at_schools("password.reset_asked", user, by=SYSTEM)
    return issue_link(Purpose.RESET_PASSWORD, user_id=user.id)


def reset_password(token: str, password: str, *, cost: int) -> User | None:
    """Set a password by a link and end every session. None if the link does not work any more.

    Only one that was mailed proves the mailbox. By one that was printed the second factor stays, if there is one.
    """
    link = use_link(token, Purpose.RESET_PASSWORD)
    user = hold_user(link.user_id) if link else None
    if link is None or user is None:
        return None
    if proves_mailbox(link):
        confirm_mailbox(user)
    _set_password(user, password, cost=cost, action="password.reset")
    return user


def change_password(*, current: str, password: str, cost: int, actor: Actor) -> None:
    """Change one's own password and end all other sessions. Refuses a wrong current one."""
    user = prove_password(actor, current)
    _set_password(user, password, cost=cost, action="password.changed", but=actor.session_id)


def _set_password(user: User, password: str, *, cost: int, action: str, but: int | None = None) -> None:
    set_password(user, password, cost=cost, but=but)
    audit_at_schools(action, user)
    tell(user, "password_changed")


def prove_password(actor: Actor, password: str) -> User:
    """The person who asks, if this is their password; refuses otherwise."""
    user = find_user(actor.user_id)
    if user is None or not user.password_hash or not password_matches(password, user.password_hash):
        raise WrongPassword(_("This is not your current password."))
    return user


# -- e-mail --------------------------------------------------------------------------------------------------------


def ask_for_new_email(*, current: str, email: str, actor: Actor) -> None:
    """Have a link mailed to the new address, and a notice to the old one.

    The address of another person gets no mail; the job finds that out, so that asking costs the same for anybody's.
    """
    user = prove_password(actor, current)
    expect_confirmed(user)
    mail_link(Purpose.CHANGE_EMAIL, user_id=user.id, new_email=plain_address(email))
    audit_at_schools("email.change_asked", user)


def confirm_new_email(token: str) -> User | None:
    """The new address is theirs: sign in with it from now on. None if the link does not work any more."""
    link = use_link(token, Purpose.CHANGE_EMAIL)
    user = hold_user(link.user_id) if link else None
    if link is None or user is None or not link.new_email:
        return None
    _flush_email(user, link.new_email)
    void_links(user.id)
    audit_at_schools("email.changed", user)
    return user


def expect_confirmed(user: User) -> None:
    """Refuse who has not confirmed their e-mail: until then the account may be of somebody who typed another's address.

    Where there is no mail nobody can, so that nobody is asked to.
    """
    if user.email_confirmed_at is None and can_send_mail():
        raise Refusal(_("Confirm your e-mail first: open the link that was mailed to you."))


def _flush_email(user: User, email: str) -> None:
    """Two people may confirm one address at the same instant: the index has the last word."""
    try:
        with session.begin_nested():
            user.email, user.email_confirmed_at = email, clock.now()
            session.flush()
    except IntegrityError as error:
        raise Refusal(_("Somebody signs in with this address already. Choose another.")) from error


# -- telling and recording -----------------------------------------------------------------------------------------


def tell(user: User, notice: str) -> None:
    """Have a notice mailed: one of the NOTICES of the mails."""
    number = int(clock.now().timestamp())
    schedule_mail(
        "identity.send_notice_mail", key=f"notice:{notice}:{user.id}:{number}", user_id=user.id,
        notice=notice, about_user_id=user.id, number=number,
    )  # fmt: skip


def send_test_mail(*, actor: Actor) -> None:
    """Have a mail sent to an admin by which they see that mail arrives."""
    number = int(clock.now().timestamp())
    schedule_job(
        "identity.send_test_mail", key=f"test-mail:{actor.user_id}:{number}",
        about_user_id=actor.user_id or 0, number=number,
    )  # fmt: skip


def record_refusal(action: str, *, actor: Actor) -> None:
    """Record that somebody who is signed in gave a wrong password ("password.refused") or code ("second_factor.refused").

    The refused deed is rolled back with all it wrote, so this is called after it.
    """
    user = find_user(actor.user_id)
    if user:
        audit_at_schools(action, user)


def audit_at_schools(action: str, user: User, *, by: Actor | None = None) -> tuple[TenantRef, ...]:
    """Record what happened to an account at each school that knows its person, else on the platform.

    `by` is who did it, if not the person. Returns the schools they may enter: not those where they wait or are suspended.
    """
    before = tenancy.current()
    tenancy.enter(None, user_id=user.id)
    open_ones: list[TenantRef] = []
    rows = list_schools_that_know(user.id)
    for tenant, member in rows:
        school = TenantRef(tenant.id, tenant.slug, tenant.name, tenant.zone)
        if member.is_active and not tenant.suspended_at:
            open_ones.append(school)
        with tenancy.tenant_scope(school):
            audit(action, actor=by or Actor(user_id=user.id, membership_id=member.id), subject=member)
            session.flush()
    if not rows:
        audit_on_platform(action, user_id=user.id)
    tenancy.enter(before)
    return tuple(open_ones)


def end_second_factor(user: User) -> bool:
    """Take the second factor from somebody who lost it, for whoever runs the platform; every session ends, and they are told.
    False if there is none."""
    if user.totp_confirmed_at is None:
        return False
    drop_second_factor(user)
    end_sessions(user.id, reason="second_factor")
    audit_at_schools("second_factor.removed", user, by=SYSTEM)
    tell(user, "second_factor_removed")
    return True


# -- operators -----------------------------------------------------------------------------------------------------


def name_operator(user: User) -> bool:
    """Make a person an operator of the platform. False if they are one."""
    return _set_operator(user, True, "operator.named")


def dismiss_operator(user: User) -> bool:
    """From their next request on a person is no operator any more. False if they were none."""
    return _set_operator(user, False, "operator.dismissed")


def _set_operator(user: User, is_operator: bool, action: str) -> bool:
    if user.is_operator == is_operator:
        return False
    user.is_operator = is_operator
    audit_on_platform(action, user_id=user.id)
    return True


# -- the first school ----------------------------------------------------------------------------------------------


def set_up(
    token: str, *, slug: str, school: str, zone: str, name: str, email: str, password: str, cost: int
) -> TenantRef | None:
    """Make the first school of an empty instance and its first admin. None if the address does not work any more."""
    if use_link(token, Purpose.SET_UP) is None:
        return None
    if not is_without_school():
        raise AlreadySetUp(_("There is a school here already. Sign in to it."))
    reference = create_school(slug=slug, name=school, zone=zone, actor=SYSTEM)
    user = find_user_by_email(email) or add_user(email, password=None, cost=cost)
    user.password_hash = user.password_hash or hash_password(password, cost=cost)
    user.email_confirmed_at = clock.now()
    with tenancy.tenant_scope(reference):
        add_member(user, name=name, roles=[Role.ADMIN], actor=SYSTEM)
        session.flush()
    return reference


def set_up_token() -> str | None:
    """A new token for the set-up page; the one before is void. None if there is a school already."""
    return issue_link(Purpose.SET_UP) if is_without_school() else None


def found_school(
    *, slug: str, name: str, zone: str, admin_email: str, admin_name: str = "", actor: Actor
) -> tuple[TenantRef, Membership]:
    """Make a school and invite its first admin, by mail."""
    reference = create_school(slug=slug, name=name, zone=zone, actor=actor)
    with tenancy.tenant_scope(reference):
        named = admin_name or admin_email.partition("@")[0]
        admin = invite(email=admin_email, name=named, roles=[Role.ADMIN], actor=actor)
        session.flush()
    return reference, admin
