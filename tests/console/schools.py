"""Schools as operators see them, and what their tests ask of the trails."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry, PlatformEntry
from app.console.operations import suspend_school
from app.console.queries import find_school
from app.foundation import tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.identity.queries import find_user_by_email
from app.tenants.models import Tenant
from app.tenants.operations import create_school
from tests.cast import OPERATOR, Person, at_school
from tests.client import LintingClient

REASON = "The invoice of October is not paid"


def operator(app: Flask) -> LintingClient:
    """The demo's operator, signed in."""
    return LintingClient(app).sign_in(OPERATOR)


def operator_actor() -> Actor:
    user = find_user_by_email(OPERATOR.email)
    assert user
    return Actor(user_id=user.id, email=user.email, is_operator=True)


def tenant(slug: str) -> Tenant:
    """The row of a school as it is now."""
    session.expire_all()
    found = find_school(slug)
    assert found
    return found


def make_schools(*names: str) -> None:
    """Schools with nobody in them; the address is the name in small letters with dashes."""
    with tenancy.tenant_scope(None):
        for name in names:
            create_school(slug=name.lower().replace(" ", "-"), name=name, zone="Europe/Zurich", actor=SYSTEM)
        session.commit()


def suspend(slug: str) -> None:
    """As the operator's deed does it."""
    with tenancy.tenant_scope(None):
        suspend_school(tenant(slug), reason=REASON, actor=operator_actor())
        session.commit()
    tenancy.forget_tenants()


def entries(slug: str, *actions: str) -> list[AuditEntry]:
    """A school's own trail, oldest first."""
    with at_school(slug):
        found = select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.id)
        return list(session.scalars(found))


def platform_entries(*actions: str) -> list[PlatformEntry]:
    """The platform's trail, oldest first."""
    found = select(PlatformEntry).where(PlatformEntry.action.in_(actions)).order_by(PlatformEntry.id)
    return list(session.scalars(found))


def user_id(person: Person) -> int:
    user = find_user_by_email(person.email)
    assert user
    return user.id
