"""`flask demo …`: seed and reset."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import create_engine, text

from app.demo import operations
from app.foundation import tenancy
from app.foundation.settings import Settings

group = AppGroup("demo", help="The demo's schools, people and bookings.")


@group.command("seed")
def seed() -> None:
    """Write the parts of the demo that are not there yet; moves nothing that is."""
    _only_in_demo()
    ran = operations.seed()
    click.echo(f"{len(ran)} seed steps ran: {', '.join(ran)}" if ran else "The demo is complete.")


@group.command("reset")
def reset() -> None:
    """Empty the demo's database and seed it again."""
    _only_in_demo()
    empty_database(current_app.config["SETTINGS"])
    click.echo(f"The demo was emptied; {len(operations.seed())} seed steps ran.")


def empty_database(settings: Settings) -> None:
    """Delete every row of every table but the migration's version, as the owner: the web role may not empty the audit trail."""
    engine = create_engine(settings.owner_database_url or settings.database_url)
    with engine.begin() as connection:
        tables = connection.execute(
            text(
                "select string_agg(format('%I', relname), ', ') from pg_class where relkind in ('r', 'p')"
                " and relnamespace = 'public'::regnamespace and not relispartition and relname <> 'alembic_version'"
            )
        ).scalar_one()
        connection.execute(text("select set_config('app.audit_owner', 'yes', true)"))
        connection.execute(text(f"truncate {tables} restart identity cascade"))
    engine.dispose()
    tenancy.forget_tenants()


def _only_in_demo() -> None:
    if not current_app.config["SETTINGS"].demo:
        raise click.ClickException("This is not a demo: set DEMO=1 on a database that may be emptied.")
