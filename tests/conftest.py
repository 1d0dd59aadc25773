"""What every test stands on: real servers, a database a worker, a transaction a test that is rolled back."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from flask import Flask

from app.foundation.settings import Settings
from tests.measured import begin, lines_of
from tests.servers import Servers, clone_database, drop_database, settings_for

LONG_FOLDERS = {"long", "launcher", "journeys"}
_servers: Servers | None = None
hypothesis.settings.register_profile("house", deadline=None, database=None)
hypothesis.settings.load_profile("house")
"""How long an example takes says more of the machine than of the code; what failed is seen in the log, not kept beside it."""


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts the servers; xdist's workers find them in the environment."""
    global _servers
    if "PYTEST_XDIST_WORKER" in os.environ or config.option.collectonly or config.option.help:
        return
    _servers = Servers()
    _servers.make_template()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _servers:
        _servers.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of xdist's workers begins with a part of what takes long, and takes over from the others what is quick at the end.

    A worker is given a stretch of the list to begin with: it holds whole files that take long, then its share of the rest.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [tests for path, tests in files.items() if path.parent.name in LONG_FOLDERS]
    quick = [item for path, tests in files.items() if path.parent.name not in LONG_FOLDERS for item in tests]
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for tests in sorted(slow, key=len, reverse=True):
        min(shares, key=len).extend(tests)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares, start=1):
        end = len(items) * number // workers
        ordered += share
        ordered += [quick.pop(0) for _ in range(min(len(quick), end - len(ordered)))]
    items[:] = [*ordered, *quick]
    _leave_uncovered(items)


def _leave_uncovered(items: list[pytest.Item]) -> None:
    """Watching lines nearly doubles what a test costs. The gate needs a lower bound: the first case of each test of a feature,
    while further cases, and walks over what those tests have shown already, run unwatched."""
    seen: set[str] = set()
    for item in items:
        name, _case, _rest = item.nodeid.partition("[")
        if name in seen or item.path.parent.name in {*LONG_FOLDERS, "guards"}:
            item.add_marker(pytest.mark.no_cover)
        seen.add(name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    begin(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests measured, whether they passed or not."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    if lines := list(lines_of(reports)):
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def worker_database() -> str:
    return clone_database(f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}")


@pytest.fixture(scope="session")
def the_app(worker_database: str) -> Flask:
    """The application of this worker. Tests take `app`, which undoes what they write."""
    from app.factory import create_app

    return create_app(settings_for(worker_database))


@pytest.fixture
def app(the_app: Flask) -> Iterator[Flask]:
    """The application inside a transaction that is rolled back when the test ends.

    No application context is pushed: a request made inside of one would share its `g` with the next.
    """
    from app.foundation import db, tenancy

    connection = db.engine().connect()
    transaction = connection.begin()
    db.session.remove()
    db.session.configure(bind=connection, join_transaction_mode="create_savepoint")
    tenancy.forget_tenants()
    yield the_app
    db.session.remove()
    tenancy.enter(None)
    transaction.rollback()
    connection.close()
    db.session.configure(bind=db.engine(), join_transaction_mode="conditional_savepoint")


@pytest.fixture
def throwaway(app: Flask, worker_database: str) -> Flask:
    """A second application on the test's transaction, to add routes to or to build with other settings."""
    return second_app(settings_for(worker_database))


def second_app(settings: Settings) -> Flask:
    """An application besides the worker's own. It works on the session as that is bound now."""
    from app.factory import create_app
    from app.foundation import db

    engine, bound = db.engine(), dict(db.session.session_factory.kw)
    made = create_app(settings)
    db.engine().dispose()
    db._engine = engine
    db.session.remove()
    db.session.configure(**bound)
    return made


@pytest.fixture
def committing_app(the_app: Flask) -> Iterator[Flask]:
    """The application on a database of this test's own, where commits are real: for what needs a second connection."""
    from app.foundation import db, tenancy

    name = clone_database(f"own_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}_{uuid.uuid4().hex[:8]}")
    before, settings = db.engine(), the_app.config["SETTINGS"]
    the_app.config["SETTINGS"] = settings_for(name)
    engine = db.init_db(the_app.config["SETTINGS"].database_url, pool_size=16)
    tenancy.ring_on(engine)
    tenancy.forget_tenants()
    yield the_app
    db.session.remove()
    tenancy.enter(None)
    engine.dispose()
    db._engine = before
    db.session.configure(bind=before)
    tenancy.forget_tenants()
    the_app.config["SETTINGS"] = settings
    drop_database(name)
