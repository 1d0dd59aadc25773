"""`flask analytics …`: count days anew."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.analytics.operations import count_days
from app.analytics.rules import last_days
from app.foundation import clock, tenancy
from app.foundation.db import unit_of_work
from app.tenants.queries import find_tenant_by_slug, list_schools

group = AppGroup("analytics", help="The daily numbers of the schools.")


@group.command("recount")
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True, help="How many days up to today.")
@click.option("--tenant", "slug", help="One school's slug; all schools if it is left out.")
def recount(days: int, slug: str | None) -> None:
    """Count the last days anew, a school at a time."""
    for school in _schools(slug):
        with tenancy.tenant_scope(school), unit_of_work():
            counted = count_days(last_days(clock.today(school.zone), days))
        click.echo(f"{school.slug}: {counted} days counted")


def _schools(slug: str | None) -> list[tenancy.TenantRef]:
    with tenancy.tenant_scope(None), unit_of_work():
        if slug is None:
            return list_schools()
        school = find_tenant_by_slug(slug)
    if school is None:
        raise click.ClickException(f"There is no school at {slug!r}.")
    return [school]
