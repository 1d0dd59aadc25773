"""Real servers for the tests: one PostgreSQL and one Redis a run, one database a worker, cloned from a migrated template."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from app.foundation.settings import Settings

TEMPLATE = "groundschool_template"
SECRET = "a secret of the tests, long enough to be taken"


class Servers:
    """The servers of one run, started by the first process and known to the others by the environment."""

    def __init__(self) -> None:
        from launcher.embedded import start_postgres, start_redis

        self.folder = Path(tempfile.mkdtemp(prefix="gs-test-"))
        self.postgres = start_postgres(self.folder, fsync=False)
        self.redis = start_redis(self.folder)
        os.environ["GROUNDSCHOOL_TEST_SUPERUSER"] = self.postgres.url()
        os.environ["GROUNDSCHOOL_TEST_REDIS"] = self.redis.url
        os.environ["GROUNDSCHOOL_TEST_FOLDER"] = str(self.folder)

    def make_template(self) -> None:
        """Create the roles and a migrated database with the cast in it, from which all others are cloned."""
        from flask_migrate import upgrade

        from app.demo import operations as demo
        from app.factory import create_app
        from app.foundation import db
        from launcher.embedded import create_database, create_roles

        create_roles(self.postgres.url())
        create_database(self.postgres.url(), TEMPLATE)
        app = create_app(settings_for(TEMPLATE))
        with app.app_context():
            upgrade()
            demo.seed(bookings=False)
        db.session.remove()
        db.engine().dispose()

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def url_of(user: str, database: str) -> str:
    """The address of a database of this run, for one of its roles."""
    superuser = os.environ["GROUNDSCHOOL_TEST_SUPERUSER"]
    head, _, host = superuser.partition("@/")
    scheme = head.partition("://")[0]
    return f"{scheme}://{user}@/{database}?{host.partition('?')[2]}"


def settings_for(database: str, **over: object) -> Settings:
    """The settings of an application on one of this run's databases."""
    folder = Path(os.environ["GROUNDSCHOOL_TEST_FOLDER"])
    base = Settings(
        database_url=url_of("groundschool_web", database),
        owner_database_url=url_of("groundschool_owner", database),
        redis_url=os.environ["GROUNDSCHOOL_TEST_REDIS"],
        secret_key=SECRET,
        demo=True,
        data_dir=folder / database,
        bcrypt_cost=4,
        booking_request_limit="10000 per hour",  # all tests count in one Redis
        log_level="ERROR",
    )
    return replace(base, **over)  # type: ignore[arg-type]


def clone_database(name: str, template: str = TEMPLATE) -> str:
    """A database with the cast in it, 0.1 s old. Returns its name."""
    from launcher.embedded import create_database

    create_database(os.environ["GROUNDSCHOOL_TEST_SUPERUSER"], name, template)
    return name


def drop_database(name: str) -> None:
    """Drop a database and whoever is still connected to it."""
    import psycopg2

    from launcher.embedded import libpq_url

    connection = psycopg2.connect(libpq_url(os.environ["GROUNDSCHOOL_TEST_SUPERUSER"]))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'drop database if exists "{name}" with (force)')
    connection.close()
