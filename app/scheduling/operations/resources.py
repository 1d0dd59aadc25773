"""Every write about what can be booked."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.foundation import tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
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
    return _add_resource("aircraft", name, detail, actor)


def add_simulator(name: str, detail: str, *, actor: Actor) -> Resource:
    """Put a simulator into service. Refuses a name that another one has."""
    return _add_resource("simulator", name, detail, actor)


def _add_resource(kind: str, name: str, detail: str, actor: Actor) -> Resource:
    if session.scalar(select(Resource.id).where(Resource.kind == kind, Resource.name == name)):
        raise NameTaken(_("There is “%(name)s” already. Choose another name.", name=name))
    resource = Resource(kind=kind, name=name, detail=detail)
    session.add(resource)
    session.flush()
    # A registration is no personal data: under "name" the trail would only say that it changed.
    audit(f"{kind}.added", actor=actor, subject=resource, after={"resource": name, "detail": detail})
    return resource
