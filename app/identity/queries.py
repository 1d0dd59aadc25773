"""Every SELECT about people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.foundation import clock, tenancy
from app.foundation.actor import STRANGER, Actor
from app.foundation.db import session
from app.foundation.prepared import Prepared
from app.identity.models import Membership, User
from app.identity.rules import token_hash
from app.tenants.models import Tenant

SIGNED_IN = Prepared(
    """
select s.id, s.seen_at, u.id, u.email, m.id, m.name, m.roles, m.zone, m.locale, m.department_id
from user_session s join user_account u on u.id = s.user_id
left join membership m on m.user_id = u.id and m.tenant_id = %(tenant)s and m.status = 'active'
where s.token_hash = %(token)s and s.ended_at is null and s.expires_at > %(now)s
""",
    tenant="bigint", token="text", now="timestamptz",  # noqa: S106 — a type, not a secret
)  # fmt: skip
SIGNED_IN_NOWHERE = Prepared(
    """
select s.id, s.seen_at, u.id, u.email, null, null, null, null, null, null
from user_session s join user_account u on u.id = s.user_id
where s.token_hash = %(token)s and s.ended_at is null and s.expires_at > %(now)s
""",
    token="text", now="timestamptz",  # noqa: S106
)  # fmt: skip


def find_actor(token: str) -> Actor:
    """Who holds a session token, and what they are in the school in force: one SELECT, on every request."""
    tenant = tenancy.current()
    values: dict[str, Any] = {"token": token_hash(token), "now": clock.now()}
    if tenant:
        values["tenant"] = tenant.id
    with tenancy.all_tenants():
        row = (SIGNED_IN if tenant else SIGNED_IN_NOWHERE).run(values).first()
    return _actor(tuple(row), tenant) if row else STRANGER


def _actor(row: tuple[Any, ...], tenant: tenancy.TenantRef | None) -> Actor:
    session_id, _seen_at, user_id, email, membership_id, name, roles, zone, locale, department_id = row
    return Actor(
        user_id=user_id,
        session_id=session_id,
        email=email,
        membership_id=membership_id,
        name=name or email,
        roles=frozenset(roles or ()),
        zone=zone or (tenant.zone if tenant else "UTC"),
        locale=locale or "en",
        department_id=department_id,
    )


def find_user_by_email(email: str) -> User | None:
    """The person of an e-mail address, whatever its case."""
    return session.scalars(select(User).where(func.lower(User.email) == email.strip().lower())).first()


def list_schools_of_user(user_id: int) -> list[tuple[Tenant, Membership]]:
    """The schools a person belongs to, by name. Needs the person's stamp in force, not a school's."""
    rows = (
        select(Tenant, Membership)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id, Membership.status == "active", Tenant.suspended_at.is_(None))
        .order_by(Tenant.name)
    )
    return [(tenant, membership) for tenant, membership in session.execute(rows)]


def find_membership_of_user(user_id: int) -> Membership | None:
    """What a person is in the school in force."""
    return session.scalars(
        select(Membership).where(Membership.user_id == user_id, Membership.status == "active")
    ).first()


def list_members_with_role(role: str) -> list[Membership]:
    """The active people of a role in the school in force, by name."""
    members = select(Membership).where(Membership.roles.contains([role]), Membership.status == "active")
    return list(session.scalars(members.order_by(Membership.name_key, Membership.id)))


def email_of_member(membership_id: int) -> str | None:
    """Where to write to a member of the school in force."""
    mail = select(User.email).join(Membership, Membership.user_id == User.id).where(Membership.id == membership_id)
    return session.scalars(mail).first()


def names_of_members(ids: set[int]) -> dict[int, str]:
    """The names behind membership ids, in one SELECT."""
    if not ids:
        return {}
    return {
        row.id: row.name
        for row in session.execute(select(Membership.id, Membership.name).where(Membership.id.in_(ids)))
    }
