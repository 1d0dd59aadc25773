"""A PostgreSQL that hangs: what waits for it is told so in time, long statements of a busy one are left alone."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.foundation.db import make_engine
from app.foundation.pulse import PATIENCE, Pulse, _resolved
from launcher.embedded import Postgres, start_postgres
from tests.launcher.processes import frozen, speaking_of, wait_until
from tests.pace import check_seconds, slowdown

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="these look at processes through /proc")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One of this test's own: the others' is not frozen."""
    folder = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    server = start_postgres(folder, fsync=False)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def engine(postgres: Postgres) -> Iterator[Engine]:
    made = make_engine(postgres.url(), pool_size=4)
    pulse = Pulse(made)
    pulse.start()
    yield made
    pulse.stop()
    made.dispose()


def ask(engine: Engine, statement: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(statement).scalar()


def hanging(postgres: Postgres) -> AbstractContextManager[None]:
    """The server with all that it has started stands still."""
    return frozen(*speaking_of(postgres.data_dir))


def test_whoever_waits_for_a_server_that_hangs_is_told_in_time(postgres: Postgres, engine: Engine) -> None:
    """The statement under way, then one on a kept connection, then one on a new; and all is well when it goes on."""
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(ask, engine, "select pg_sleep(30)")
        wait_until(lambda: ask(engine, "select count(*) from pg_stat_activity where query like '%%sleep(30)%%'") == 2)
        shared, took = slowdown(), []
        with hanging(postgres):
            began = time.monotonic()
            with pytest.raises(OperationalError):
                under_way.result(10)
            took.append(time.monotonic() - began)
            for _kept_then_new in range(4):
                began = time.monotonic()
                with pytest.raises(OperationalError):
                    ask(engine, "select 1")
                took.append(time.monotonic() - began)
        wait_until(lambda: answers(engine), seconds=5)
    first, *later = took
    check_seconds(first, limit=3.0, shared=shared)
    check_seconds(max(later), limit=0.5, shared=shared)


def test_a_server_that_hangs_for_long_is_not_taken_for_one_that_answers(
    postgres: Postgres, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a while the question is asked anew, on another connection; until that has an answer the door stays shut."""
    caplog.set_level("WARNING")
    monkeypatch.setattr("app.foundation.pulse.ANEW", PATIENCE + 0.5)
    assert answers(engine)
    with hanging(postgres):
        wait_until(lambda: "the database is silent" in caplog.text)
        began = time.monotonic()
        while time.monotonic() - began < 2 * PATIENCE:
            assert not answers(engine)
        assert "answers again" not in caplog.text
    wait_until(lambda: answers(engine), seconds=5)
    wait_until(lambda: "answers again" in caplog.text)


def test_a_host_is_looked_up_before_libpq_would_do_it() -> None:
    """libpq holds Python's lock meanwhile: a slow resolver would stop every thread of a web process."""
    assert _resolved("postgresql://web@localhost/groundschool")["hostaddr"] in ("127.0.0.1", "::1")
    assert _resolved("postgresql://web@/groundschool?host=/tmp/sock") == {}


def answers(engine: Engine) -> bool:
    try:
        return ask(engine, "select 1") == 1
    except OperationalError:
        return False


def test_a_statement_that_takes_long_is_left_alone(engine: Engine) -> None:
    assert ask(engine, f"select 'done' from pg_sleep({2 * PATIENCE})") == "done"


def test_a_server_that_was_started_anew_is_heard(postgres: Postgres, engine: Engine) -> None:
    assert answers(engine)
    postgres.stop()
    assert not answers(engine)
    postgres.start()
    wait_until(lambda: answers(engine), seconds=5)
    with hanging(postgres):
        wait_until(lambda: not answers(engine))
    wait_until(lambda: answers(engine), seconds=5)
