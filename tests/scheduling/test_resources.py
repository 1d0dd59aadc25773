"""People are booked under the name they have; the trail says that a name changed and not what it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.audit.queries import list_entries_about
from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.jobs import drain_tenant
from app.identity.operations.profile import change_profile
from app.scheduling.models import Resource
from app.scheduling.operations.resources import add_aircraft, ensure_person_resource, rename_person_resource
from app.scheduling.queries.resources import list_instructors
from tests.cast import ADA, ANA, BEA, actor, at_school, member
from tests.scheduling.booking_makers import person


@pytest.fixture(autouse=True)
def skyline(app: Flask) -> Iterator[None]:
    with at_school("skyline"):
        yield


def work_off() -> None:
    session.commit()
    here = tenancy.required()
    with tenancy.tenant_scope(None):
        drain_tenant(here.id)


def renamings(resource: Resource) -> list[AuditEntry]:
    return [entry for entry in list_entries_about("Resource", resource.id) if entry.action == "resource.renamed"]


def test_whoever_changes_their_name_is_booked_under_the_new_one() -> None:
    before = person(BEA).name
    change_profile(member(BEA), {"name": "Beatrix Holm"}, actor=actor(BEA))
    work_off()
    names = [one.name for one in list_instructors()]
    assert "Beatrix Holm" in names
    assert before not in names


def test_the_trail_says_only_that_the_name_of_a_person_changed() -> None:
    own = person(BEA)
    member(BEA).name = "Beatrix Holm"
    assert rename_person_resource(member(BEA).id) is own
    assert rename_person_resource(member(BEA).id) is None
    session.flush()
    [entry] = renamings(own)
    assert entry.actor_id is None
    assert entry.before == entry.after == {"name": "changed"}


def test_a_change_of_the_phone_renames_nobody() -> None:
    own = person(BEA)
    change_profile(member(BEA), {"phone": "555 0100"}, actor=actor(BEA))
    work_off()
    assert renamings(own) == []


def test_whoever_is_never_booked_becomes_no_resource_by_a_new_name() -> None:
    before = session.scalar(select(func.count(Resource.id)))
    assert person(BEA) is ensure_person_resource(member(BEA))
    change_profile(member(ADA), {"name": "Ada Else"}, actor=actor(ANA))
    work_off()
    assert session.scalar(select(func.count(Resource.id))) == before


def test_the_registration_of_an_aircraft_is_no_personal_data() -> None:
    added = add_aircraft("N900XY", "Cessna 152", actor=actor(ANA))
    session.flush()
    [entry] = list_entries_about("Resource", added.id)
    assert entry.after == {"resource": "N900XY", "detail": "Cessna 152"}
