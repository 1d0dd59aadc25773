"""The second factor: a code from an authenticator app besides the password, and recovery codes for a lost phone."""

from __future__ import annotations

import logging

from flask_babel import gettext as _
from sqlalchemy import delete, or_, update

from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.crypto import Unreadable, decrypt, encrypt
from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.identity.models import RecoveryCode, User, UserSession
from app.identity.operations.accounts import audit_at_schools, expect_confirmed, prove_password
from app.identity.operations.credentials import drop_second_factor, end_sessions
from app.identity.queries import find_user
from app.identity.rules import fitting_step, new_recovery_codes, new_totp_secret, recovery_hash

log = logging.getLogger(__name__)


class WrongCode(Refusal):
    """The code is not the app's present one, or was used before."""


class AlreadyOn(Refusal):
    """The second factor is on: it is turned off first."""


class NotBegun(Refusal):
    """There is no secret to confirm."""


def begin_second_factor(*, password: str, key: bytes, actor: Actor) -> User:
    """Make a secret that counts once a code confirmed it; one made before is void. `key` encrypts it."""
    user = prove_password(actor, password)
    expect_confirmed(user)
    if user.totp_confirmed_at:
        raise AlreadyOn(_("Your second factor is on already."))
    user.totp_cipher = encrypt(new_totp_secret().encode(), key, bound_to=_bound_to(user))
    user.totp_last_step = None
    return user


def confirm_second_factor(code: str, *, key: bytes, actor: Actor) -> list[str]:
    """Turn the second factor on, by a code of the app. Ends all other sessions. Returns the recovery codes, kept hashed only."""
    user = find_user(actor.user_id)
    if user is None or user.totp_cipher is None:
        raise NotBegun(_("Begin again: there is no key to confirm."))
    expect_confirmed(user)
    if user.totp_confirmed_at:
        raise AlreadyOn(_("Your second factor is on already."))
    if not _use_app_code(user, code, key=key):
        raise wrong_code()
    user.totp_confirmed_at = clock.now()
    end_sessions(user.id, reason="second_factor", but=actor.session_id)
    _mark_sessions(user)
    audit_at_schools("second_factor.turned_on", user)
    return _make_recovery_codes(user)


def turn_off_second_factor(*, password: str, code: str, key: bytes, actor: Actor) -> User:
    """Do without from now on. Needs the password and a code."""
    user = prove_password(actor, password)
    if not use_code(user, code, key=key):
        raise wrong_code()
    drop_second_factor(user)
    audit_at_schools("second_factor.turned_off", user)
    return user


def renew_recovery_codes(code: str, *, key: bytes, actor: Actor) -> list[str]:
    """Ten new recovery codes; the ones before do nothing any more."""
    user = find_user(actor.user_id)
    if user is None or not use_code(user, code, key=key):
        raise wrong_code()
    audit_at_schools("recovery_codes.renewed", user)
    return _make_recovery_codes(user)


def use_code(user: User, code: str, *, key: bytes) -> bool:
    """Use up a code of the app or a recovery code: each works once, also for two who send it at the same instant."""
    if user.totp_confirmed_at is None:
        return False
    if _use_app_code(user, code, key=key):
        return True
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == recovery_hash(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    audit_at_schools("recovery_code.used" if used else "second_factor.refused", user)
    return used is not None


def show_secret(user: User, *, key: bytes) -> str | None:
    """The secret that waits for its confirmation; afterwards nobody sees it again."""
    if user.totp_cipher is None or user.totp_confirmed_at:
        return None
    return _secret(user, key)


def wrong_code() -> WrongCode:
    return WrongCode(_("This code does not fit, or was used before. Wait for the next one and type that."))


def _use_app_code(user: User, code: str, *, key: bytes) -> bool:
    secret = _secret(user, key)
    step = fitting_step(secret, code, at=clock.now()) if secret else None
    if step is None:
        return False
    newer = or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    taken = update(User).where(User.id == user.id, newer).values(totp_last_step=step).returning(User.id)
    return session.scalar(taken) is not None


def _secret(user: User, key: bytes) -> str | None:
    """None where it was encrypted under another platform's key: only a recovery code helps then."""
    try:
        return decrypt(user.totp_cipher or b"", key, bound_to=_bound_to(user)).decode()
    except Unreadable:
        log.warning("a second factor cannot be read: was SECRET_KEY changed?", extra={"user_id": user.id})
        return None


def _bound_to(user: User) -> str:
    return f"second factor of {user.id}"


def _make_recovery_codes(user: User) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = new_recovery_codes()
    session.add_all(RecoveryCode(user_id=user.id, code_hash=recovery_hash(code)) for code in codes)
    return codes


def _mark_sessions(user: User) -> None:
    """That the sessions that are open were opened with a second factor."""
    theirs = update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    session.execute(theirs.values(second_factor_at=clock.now()))
