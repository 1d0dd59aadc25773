"""`flask demo …`: seed, reset and grow."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import create_engine, text

from app.demo import operations
from app.demo.grow import SIZES, AlreadyGrown
from app.demo.grow import grow as grow_schools
from app.foundation import tenancy
from app.foundation.settings import Settings

group = AppGroup("demo", help="The demo's schools, people and bookings.")


@group.command("seed")
def seed() -> None:
    """Write the parts of the demo that are not there yet; moves nothing that is."""
    _only_in_demo()
    ran = operations.seed()
    click.echo(f"{len(ran)} seed steps ran." if ran else "The demo is complete.")


@group.command("reset")
def reset() -> None:
    """Empty the demo's database and seed it again."""
    _only_in_demo()
    empty_database(current_app.config["SETTINGS"])
    click.echo(f"The demo was emptied; {len(operations.seed())} seed steps ran.")


@group.command("grow")
@click.option(
    "--size", type=click.Choice(list(SIZES)), default="S", show_default=True, help="See docs/operations/performance.md."
)
def grow(size: str) -> None:
    """Write many more schools, for measuring. Needs OWNER_DATABASE_URL, whose role alone may COPY."""
    _only_in_demo()
    try:
        written = grow_schools(size, current_app.config["SETTINGS"])
    except AlreadyGrown:
        raise click.ClickException("The database has grown before: `flask demo reset` empties it.") from None
    click.echo(", ".join(f"{count:,} {table}" for table, count in written.items()))


def empty_database(settings: Settings) -> None:
    """Delete every row of every table but the migration's version, as the owner: the web role may not empty the audit trail.

    Ids count on: a web process that is running has publications in its cache by their ids.
    """
    engine = create_engine(settings.owner_database_url or settings.database_url)
    with engine.begin() as connection:
        tables = connection.execute(
            text(
                "select string_agg(format('%I', relname), ', ') from pg_class where relkind in ('r', 'p')"
                " and relnamespace = 'public'::regnamespace and not relispartition and relname <> 'alembic_version'"
            )
        ).scalar_one()
        connection.execute(text("select set_config('app.audit_owner', 'yes', true)"))
        connection.execute(text(f"truncate {tables} cascade"))
    engine.dispose()
    tenancy.forget_tenants()


def _only_in_demo() -> None:
    if not current_app.config["SETTINGS"].demo:
        raise click.ClickException("This is not a demo: set DEMO=1 on a database that may be emptied.")
