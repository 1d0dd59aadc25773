"""Every SELECT about what can be booked: people, aircraft, rooms, simulators."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select

from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership
from app.scheduling.models import Resource


def list_instructors() -> list[Resource]:
    """The resources of the school's active instructors, by name."""
    return list(session.scalars(_instructors().order_by(Membership.name_key, Resource.id)))


def list_aircraft() -> list[Resource]:
    """The aircraft in service, by name."""
    flying = select(Resource).where(Resource.kind == "aircraft", Resource.retired_at.is_(None))
    return list(session.scalars(flying.order_by(Resource.name, Resource.id)))


def list_things() -> list[Resource]:
    """Aircraft, rooms and simulators by kind and name, those in service before those retired."""
    things = select(Resource).where(Resource.kind != "person")
    return list(
        session.scalars(things.order_by(Resource.retired_at.is_not(None), Resource.kind, Resource.name, Resource.id))
    )


def list_shared_resources() -> list[Resource]:
    """What everybody at the school may see on the week: instructors by name, then aircraft, simulators and rooms."""
    shared = (
        select(Resource)
        .outerjoin(Membership, Membership.id == Resource.membership_id)
        .where(Resource.retired_at.is_(None), or_(Resource.kind != "person", _teaches()))
        .order_by(Resource.kind != "person", Membership.name_key, Resource.kind, Resource.name, Resource.id)
    )
    return list(session.scalars(shared))


def find_instructor(resource_id: int) -> Resource | None:
    """The resource of an active instructor."""
    return session.scalars(_instructors().where(Resource.id == resource_id)).first()


def person_resource_of(membership_id: int) -> Resource | None:
    """The resource that a member is."""
    return session.scalars(select(Resource).where(Resource.membership_id == membership_id)).first()


def _instructors() -> Select[Any]:
    return (
        select(Resource)
        .join(Membership, Membership.id == Resource.membership_id)
        .where(Resource.retired_at.is_(None), _teaches())
    )


def _teaches() -> Any:
    return Membership.roles.contains([Role.INSTRUCTOR.value]) & (Membership.status == "active")
