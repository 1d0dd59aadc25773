"""Every write about what can be booked."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership
from app.scheduling.models import Resource
from app.scheduling.queries.resources import person_resource_of


class NameTaken(Refusal):
    """Another resource of the kind has this name."""


def ensure_person_resource(member: Membership) -> Resource:
    """The resource that a member is, made now if they are none yet. Two that ask at once get the same one."""
    session.execute(
        insert(Resource)
        .values(tenant_id=tenancy.required().id, kind="person", name=member.name, membership_id=member.id)
        .on_conflict_do_nothing()
    )
    found = person_resource_of(member.id)
    assert found, "written above, or by the rival whose commit the insert waited for"
    return found


def make_instructor_bookable(membership_id: int) -> Resource | None:
    """Put somebody who teaches here among those who can be booked, before they have said when. None of whoever does not."""
    member = session.get(Membership, membership_id)
    if member is None or not member.is_active or Role.INSTRUCTOR not in member.roles:
        return None
    return ensure_person_resource(member)


def rename_person_resource(membership_id: int) -> Resource | None:
    """Give the resource that a member is the name they have now. None if they are no resource, or have that name already."""
    found = person_resource_of(membership_id)
    member = session.get(Membership, membership_id)
    if found is None or member is None or found.name == member.name:
        return None
    before = {"name": found.name}
    found.name = member.name
    session.flush()
    audit("resource.renamed", actor=SYSTEM, subject=found, before=before, after={"name": found.name})
    return found


def add_aircraft(name: str, detail: str, *, actor: Actor) -> Resource:
    """Put an aircraft into service under its registration. Refuses a name that another one has."""
    return add_resource("aircraft", name, detail, actor=actor)


def add_simulator(name: str, detail: str, *, actor: Actor) -> Resource:
    """Put a simulator into service. Refuses a name that another one has."""
    return add_resource("simulator", name, detail, actor=actor)


def change_resource(resource: Resource, *, name: str, detail: str, actor: Actor) -> Resource:
    """Give what is no person another name or another detail; its bookings go with it. Refuses a name that another one has."""
    before = {"resource": resource.name, "detail": resource.detail}
    after = {"resource": name, "detail": detail}
    if before == after:
        return resource
    _refuse_taken(resource.kind, name, but=resource.id)
    resource.name, resource.detail = name, detail
    session.flush()
    audit("resource.changed", actor=actor, subject=resource, before=before, after=after)
    return resource


def retire_resource(resource: Resource, *, actor: Actor) -> Resource:
    """Take it out of service: nobody can book it any more. Bookings that have it keep it, until somebody changes them."""
    return _serve(resource, actor, retired_at=clock.now(), action="resource.retired")


def return_resource(resource: Resource, *, actor: Actor) -> Resource:
    """Put what was retired into service again."""
    return _serve(resource, actor, retired_at=None, action="resource.returned")


def _serve(resource: Resource, actor: Actor, *, retired_at: datetime | None, action: str) -> Resource:
    """Twice is as once: what is so already is not done or told again."""
    session.refresh(resource, with_for_update={"key_share": True})
    if (resource.retired_at is None) == (retired_at is None):
        return resource
    resource.retired_at = retired_at
    session.flush()
    audit(action, actor=actor, subject=resource, after={"resource": resource.name})
    return resource


def add_resource(kind: str, name: str, detail: str, *, actor: Actor) -> Resource:
    """Put an aircraft, a simulator or a room into service. Refuses a name that another of its kind has."""
    _refuse_taken(kind, name)
    resource = Resource(kind=kind, name=name, detail=detail)
    session.add(resource)
    session.flush()
    # A registration is no personal data: under "name" the trail would only say that it changed.
    audit(f"{kind}.added", actor=actor, subject=resource, after={"resource": name, "detail": detail})
    return resource


def _refuse_taken(kind: str, name: str, *, but: int | None = None) -> None:
    taken_by = session.scalar(select(Resource.id).where(Resource.kind == kind, Resource.name == name))
    if taken_by is not None and taken_by != but:
        raise NameTaken(_("There is “%(name)s” already. Choose another name.", name=name))
