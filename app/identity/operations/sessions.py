"""Signing in and out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from sqlalchemy import update

from app.audit.operations import audit, audit_on_platform
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.tenancy import TenantRef
from app.identity.models import User, UserSession
from app.identity.queries import find_user_by_email, list_schools_of_user
from app.identity.rules import hash_password, new_token, password_matches, token_hash

log = logging.getLogger(__name__)
SESSION_LIFE = timedelta(days=14)


@dataclass(frozen=True)
class SignedIn:
    """A session that was opened: whose, the token for their browser, and the schools they belong to, by name."""

    user: User
    token: str
    schools: tuple[TenantRef, ...]


def sign_in(email: str, password: str, *, cost: int, user_agent: str = "") -> SignedIn | None:
    """Check a password and open a session. None if e-mail and password do not belong together, whichever is wrong.

    Both outcomes are audited at each school of the person. An unknown e-mail takes as long as a known one.
    """
    user = find_user_by_email(email)
    hashed = user.password_hash if user and user.password_hash else _nobodys_hash(cost)
    fits = password_matches(password, hashed)
    if user is None or not user.password_hash or not fits:
        log.info("sign-in failed", extra={"user_id": user.id if user else None})
        if user is None or not _audit_at_schools("session.refused", user):
            audit_on_platform("session.refused", email=email, user_id=user.id if user else None)
        return None
    token = new_token()
    opened = UserSession(
        user_id=user.id,
        token_hash=token_hash(token),
        user_agent=user_agent[:300],
        expires_at=clock.now() + SESSION_LIFE,
    )
    session.add(opened)
    session.flush()
    return SignedIn(user, token, _audit_at_schools("session.opened", user))


def sign_out(actor: Actor) -> None:
    """End the session of this browser."""
    session.execute(update(UserSession).where(UserSession.id == actor.session_id).values(ended_at=clock.now()))


def _audit_at_schools(action: str, user: User) -> tuple[TenantRef, ...]:
    """Write the entry at each school the person belongs to: one for nearly everybody, so a statement each is few."""
    tenancy.enter(None, user_id=user.id)
    memberships = [
        (TenantRef(tenant.id, tenant.slug, tenant.name, tenant.zone), member)
        for tenant, member in list_schools_of_user(user.id)
    ]
    for school, member in memberships:
        with tenancy.tenant_scope(school):
            audit(action, actor=Actor(user_id=user.id, membership_id=member.id), subject=member)
            session.flush()
    return tuple(school for school, _member in memberships)


@lru_cache(maxsize=1)
def _nobodys_hash(cost: int) -> str:
    """What the password of an unknown e-mail is checked against, so that the answer takes as long."""
    return hash_password("nobody's password", cost=cost)
