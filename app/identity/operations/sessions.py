"""Signing in and out, and ending sessions."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import func, update

from app.audit.operations import audit_on_platform
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.housekeeping import delete_batch
from app.foundation.tenancy import TenantRef
from app.identity.models import User, UserSession
from app.identity.operations.accounts import audit_at_schools
from app.identity.operations.acting import end_acting_of
from app.identity.operations.credentials import end_sessions
from app.identity.queries import find_user, find_user_by_email
from app.identity.rules import cost_of, hash_password, new_token, password_matches, token_hash

log = logging.getLogger(__name__)
KEPT_AFTER_END = timedelta(days=90)
"""An ended session's row proves whose a form was that is sent after the end. A tab may stay open for long."""


@dataclass(frozen=True)
class SignedIn:
    """A session that was opened: whose, the token for their browser, and the schools they belong to, by name."""

    user: User
    token: str
    schools: tuple[TenantRef, ...]


def check_password(email: str, password: str, *, cost: int) -> User | None:
    """Whose e-mail and password these are. None if they do not belong together, whichever is wrong.

    A refusal is audited at each school of the person. An unknown e-mail takes as long as a known one.
    """
    user = find_user_by_email(email)
    hashed = user.password_hash if user and user.password_hash else _nobodys_hash(cost)
    fits = password_matches(password, hashed)
    if user is not None and user.password_hash and fits:
        _hash_at_cost(user, password, cost=cost)
        return user
    log.info("sign-in failed", extra={"user_id": user.id if user else None})
    if user is None:
        audit_on_platform("session.refused", email=email)
    else:
        audit_at_schools("session.refused", user)
    return None


def open_session(
    user: User,
    *,
    life: timedelta,
    csrf_hash: str,
    user_agent: str = "",
    is_remembered: bool = False,
    second_factor_at: datetime | None = None,
    instead_of: str | None = None,
) -> SignedIn:
    """Open a session with a token of its own, audited at each school of the person.

    `csrf_hash` is the SHA-256 of the secret that the browser's forms carry; `instead_of` is the token that this browser held
    before, whose session ends.
    """
    if instead_of:
        before = UserSession.token_hash == token_hash(instead_of)
        session.execute(
            update(UserSession)
            .where(before, UserSession.ended_at.is_(None))
            .values(ended_at=clock.now(), ended_reason="replaced")
        )
    token, now = new_token(), clock.now()
    opened = UserSession(
        user_id=user.id,
        token_hash=token_hash(token),
        csrf_hash=csrf_hash,
        user_agent=user_agent[:300],
        created_at=now,
        seen_at=now,
        expires_at=now + life,
        is_remembered=is_remembered,
        second_factor_at=second_factor_at,
    )
    session.add(opened)
    session.flush()
    return SignedIn(user, token, audit_at_schools("session.opened", user))


def sign_out(actor: Actor) -> None:
    """End the session of this browser, and whatever it acted as."""
    end_acting_of(actor.session_id, "signed_out")
    ending = update(UserSession).where(UserSession.id == actor.session_id)
    session.execute(ending.values(ended_at=clock.now(), ended_reason="signed_out"))
    _audit(actor, "session.ended")


def end_session(opened: UserSession, *, actor: Actor) -> UserSession:
    """End one of one's own sessions, from wherever; ending it again changes nothing."""
    if opened.ended_at is None:
        end_acting_of(opened.id, "signed_out")
        opened.ended_at, opened.ended_reason = clock.now(), "ended"
        _audit(actor, "session.ended")
    return opened


def end_own_sessions(*, actor: Actor, but_this: bool) -> None:
    """End all of one's own sessions, or all but the one that asks."""
    end_sessions(actor.user_id or 0, reason="ended", but=actor.session_id if but_this else None)
    _audit(actor, "sessions.ended")


def forget_ended_sessions() -> bool:
    """Delete a batch of the sessions that ended, or could have been used last, three months ago. Whether there may be more."""
    over = func.coalesce(UserSession.ended_at, UserSession.expires_at) < clock.now() - KEPT_AFTER_END
    return delete_batch(UserSession, over)


def _hash_at_cost(user: User, password: str, *, cost: int) -> None:
    """Hash a right password anew if its hash was made at another cost. One that was chosen meanwhile stays."""
    if user.password_hash is None or cost_of(user.password_hash) == cost:
        return
    same = update(User).where(User.id == user.id, User.password_hash == user.password_hash)
    session.execute(same.values(password_hash=hash_password(password, cost=cost)))


def _audit(actor: Actor, action: str) -> None:
    user = find_user(actor.user_id)
    if user:
        audit_at_schools(action, user)


@lru_cache(maxsize=1)
def _nobodys_hash(cost: int) -> str:
    """What the password of an unknown e-mail is checked against, so that the answer takes as long."""
    return hash_password("nobody's password", cost=cost)
