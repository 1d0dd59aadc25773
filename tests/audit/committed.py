"""Work that is really committed, on a database of its own: what several connections or the owner's role are to see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import Flask
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from app.foundation import db, tenancy
from app.foundation.settings import Settings
from tests.cast import school
from tests.servers import TEMPLATE, clone_database, drop_database, settings_for, url_of


class Committed:
    """A cloned database with the cast in it, and the application working on it."""

    def __init__(self, app: Flask, name: str, template: str) -> None:
        self.app, self.name = app, clone_database(name, template)
        self.settings: Settings = replace(app.config["SETTINGS"], database_url=settings_for(name).database_url)
        self.settings = replace(self.settings, owner_database_url=settings_for(name).owner_database_url)
        self.owner: Engine = create_engine(url_of("groundschool_owner", name), poolclass=NullPool)
        self.web: Engine = create_engine(url_of("groundschool_web", name), poolclass=NullPool)

    @contextmanager
    def at(self, slug: str) -> Iterator[None]:
        """Work as one school in one transaction, which is committed."""
        with tenancy.tenant_scope(school(slug)), db.unit_of_work():
            yield

    def tamper(self, *statements: str) -> None:
        """What somebody with the owner's password can do: switch the triggers off and write."""
        with self.owner.begin() as connection:
            for table in ("audit_entry", "audit_link", "audit_head"):
                connection.exec_driver_sql(f"alter table {table} disable trigger user")
            for statement in statements:
                connection.exec_driver_sql(statement)
            for table in ("audit_entry", "audit_link", "audit_head"):
                connection.exec_driver_sql(f"alter table {table} enable trigger user")

    def ask(self, sql: str) -> Any:
        """The one value of a statement, as the owner sees it."""
        with self.owner.connect() as connection:
            return connection.exec_driver_sql(sql).scalar()

    def run(self, *words: str) -> Any:
        """`flask …` with the settings of this database."""
        return self.app.test_cli_runner().invoke(args=list(words))


@contextmanager
def committed(app: Flask, name: str, *, threads: int = 4, template: str = TEMPLATE) -> Iterator[Committed]:
    """Have `app` work on a clone; afterwards on its own database again. Not together with the `app` fixture."""
    name = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}"
    here = Committed(app, name, template)
    engine, settings = db.make_engine(here.settings.database_url, pool_size=threads), app.config["SETTINGS"]
    tenancy.ring_on(engine)
    app.config["SETTINGS"] = here.settings
    _work_on(engine)
    try:
        yield here
    finally:
        app.config["SETTINGS"] = settings
        _work_on(db.engine())
        engine.dispose()
        drop_database(name)


def _work_on(engine: Engine) -> None:
    db.session.remove()
    tenancy.enter(None)
    db.session.configure(bind=engine, join_transaction_mode="conditional_savepoint")
    tenancy.forget_tenants()
