"""Alembic's environment: runs as the owner's role; autogenerate writes the wall of each new table itself."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool, text

from app.foundation import walls
from app.foundation.models import Base
from app.foundation.partitions import make_months_ahead

config = context.config


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Partitions are made by a function, month by month: no migration speaks of them."""
    return not (kind == "table" and name in partitions)


settings = current_app.config["SETTINGS"]
engine = create_engine(settings.owner_database_url or settings.database_url, poolclass=pool.NullPool)

with engine.connect() as looking:
    partitions = {row[0] for row in looking.execute(text("select relname from pg_class where relispartition"))}

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=False,
        include_name=include_name,
        compare_server_default=False,
        process_revision_directives=walls.writer,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()

with engine.begin() as after:
    # Whoever updates after months finds this month's partitions made before anything is written.
    if after.execute(text("select to_regproc('make_month_partition') is not null")).scalar():
        make_months_ahead(after)
