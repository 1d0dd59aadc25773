"""Every write about people: joining a school, signing in and out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache

from flask_babel import gettext as _
from sqlalchemy import update

from app.audit.operations import audit
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership, User, UserSession
from app.identity.queries import find_membership_of_user, find_user_by_email
from app.identity.rules import hash_password, new_token, password_matches, token_hash
from app.tenants.models import Department

log = logging.getLogger(__name__)
SESSION_LIFE = timedelta(days=14)


class NotSignedIn(Refusal):
    """E-mail and password do not belong together. One sentence for both, so that no stranger learns who has an account."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("This e-mail and password do not belong together. Check both and try again."))


def sign_in(email: str, password: str, *, cost: int, user_agent: str = "") -> tuple[User, str]:
    """Check a password and open a session. Returns the person and the token for their browser; raises NotSignedIn."""
    user = find_user_by_email(email)
    hashed = user.password_hash if user and user.password_hash else _nobodys_hash(cost)
    if not password_matches(password, hashed) or user is None or not user.password_hash:
        log.info("sign-in failed", extra={"user_id": user.id if user else None})
        _audit_sign_in("session.refused", user)
        raise NotSignedIn
    token = new_token()
    opened = UserSession(
        user_id=user.id,
        token_hash=token_hash(token),
        user_agent=user_agent[:300],
        expires_at=clock.now() + SESSION_LIFE,
    )
    session.add(opened)
    session.flush()
    _audit_sign_in("session.opened", user)
    return user, token


def sign_out(actor: Actor) -> None:
    """End the session of this browser."""
    session.execute(update(UserSession).where(UserSession.id == actor.session_id).values(ended_at=clock.now()))


def add_user(email: str, *, password: str | None, cost: int) -> User:
    """Make a person of the platform, who belongs to no school yet."""
    user = User(email=email.strip(), password_hash=hash_password(password, cost=cost) if password else None)
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


def _audit_sign_in(action: str, user: User | None) -> None:
    """Signing in is audited at the school it was for; a try without one leaves a line in the log."""
    if user is None or tenancy.current() is None:
        return
    member = find_membership_of_user(user.id)
    if member:
        audit(action, actor=Actor(user_id=user.id, membership_id=member.id), subject=member)


@lru_cache(maxsize=1)
def _nobodys_hash(cost: int) -> str:
    """What the password of an unknown e-mail is checked against, so that the answer takes as long."""
    return hash_password("nobody's password", cost=cost)
