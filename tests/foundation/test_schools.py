"""Making a school: its address must be free and no path of ours, its zone must exist."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.tenants.operations import RESERVED_SLUGS, SlugNotFree, create_school
from app.tenants.queries import find_tenant_by_id, school_settings
from tests.cast import school
from tests.client import LintingClient


def make(slug: str, zone: str = "Europe/Oslo") -> tenancy.TenantRef:
    with tenancy.tenant_scope(None):
        return create_school(slug=slug, name="Fjord Flyers", zone=zone, actor=SYSTEM)


def test_a_school_is_found_with_its_settings_and_on_record(app: Flask) -> None:
    made = make("fjord")
    assert tenancy.find_by_slug("fjord") == find_tenant_by_id(made.id) == made
    with tenancy.tenant_scope(made):
        assert school_settings().escalate_after_hours == 4
        assert session.scalars(select(AuditEntry.action)).all() == ["school.created"]


@pytest.mark.parametrize("slug", ["", "a", "Ab", "-ab", "ab-", "a b", "x" * 41, "ä-b", *sorted(RESERVED_SLUGS)])
def test_an_address_that_cannot_be(app: Flask, slug: str) -> None:
    with pytest.raises(SlugNotFree):
        make(slug)


def test_an_address_that_is_taken(app: Flask) -> None:
    with pytest.raises(SlugNotFree, match="skyline"):
        make("skyline")


def test_a_zone_that_is_none(app: Flask) -> None:
    with pytest.raises(Refusal, match="Mars/Olympus"):
        make("fjord", "Mars/Olympus")


def test_every_global_path_is_reserved(the_app: Flask) -> None:
    """No school's address may hide a page of ours."""
    ours = {rule.rule.split("/")[1] for rule in the_app.url_map.iter_rules()} - {"", "<tenant>"}
    assert ours <= RESERVED_SLUGS


def test_a_suspended_school_is_not_found_by_strangers(app: Flask) -> None:
    from app.foundation import clock
    from app.tenants.models import Tenant

    with tenancy.tenant_scope(None):
        session.get_one(Tenant, school("harbour").id).suspended_at = clock.now()
        session.commit()
    tenancy.forget_tenants()
    assert LintingClient(app).get("/harbour/register").status == 404
    assert LintingClient(app).get("/skyline/register").status == 200
