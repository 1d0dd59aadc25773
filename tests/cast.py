"""One cast of people in all tests: the demo's. Skyline's are used most; nobody there may see what is Harbour's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.demo.cast import PASSWORD
from app.foundation import tenancy
from app.foundation.actor import Actor
from app.foundation.tenancy import TenantRef
from app.identity.models import Membership
from app.identity.queries import find_membership_of_user, find_user_by_email
from app.tenants.queries import find_tenant_by_slug

__all__ = [
    "ADA", "ANA", "BEA", "BO", "CAST", "HAL", "IVY", "LEO", "LOU", "MAX", "OLGA", "OPERATOR", "PASSWORD",
    "Person", "actor", "at_school", "member", "school",
]  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One of the cast: how they sign in and where they belong."""

    email: str
    slug: str


ANA = Person("admin@skyline.example", "skyline")
BEA = Person("instructor@skyline.example", "skyline")
MAX = Person("manager@skyline.example", "skyline")
ADA = Person("author@skyline.example", "skyline")
LEO = Person("learner@skyline.example", "skyline")
OLGA = Person("owner@skyline.example", "skyline")
BO = Person("both@skyline.example", "skyline")
MIA = Person("learner01@skyline.example", "skyline")
HAL = Person("admin@harbour.example", "harbour")
IVY = Person("instructor@harbour.example", "harbour")
LOU = Person("learner@harbour.example", "harbour")
OPERATOR = Person("operator@groundschool.example", "")
"""Runs the platform, and belongs to no school."""
CAST = (ANA, BEA, MAX, ADA, LEO, OLGA, BO, HAL, IVY, LOU)


def school(slug: str) -> TenantRef:
    """The reference of a school of the cast."""
    found = find_tenant_by_slug(slug)
    assert found
    return found


@contextmanager
def at_school(slug: str) -> Iterator[TenantRef]:
    """Work as one school, as a job or a command does."""
    reference = school(slug)
    with tenancy.tenant_scope(reference):
        yield reference


def member(person: Person) -> Membership:
    """The membership of one of the cast; a school must be in force."""
    user = find_user_by_email(person.email)
    assert user
    found = find_membership_of_user(user.id)
    assert found
    return found


def actor(person: Person) -> Actor:
    """One of the cast as the actor of a deed; a school must be in force."""
    found = member(person)
    return Actor(
        user_id=found.user_id, membership_id=found.id, name=found.name, email=person.email, roles=frozenset(found.roles),
        zone=found.zone or tenancy.required().zone, department_id=found.department_id,
    )  # fmt: skip
