"""People of the platform and members of a school."""

from __future__ import annotations

from collections.abc import Iterable

from app.audit.operations import audit
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.permissions import Role
from app.identity.models import Membership, User
from app.identity.rules import hash_password
from app.tenants.models import Department


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
