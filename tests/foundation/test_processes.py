"""Worker and clock: what they run, that they say they are alive, and that a tick may come twice."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import upgrade
from rq import Queue
from sqlalchemy import MetaData, Table, create_engine, select, text
from sqlalchemy.pool import NullPool

from app.audit.operations import audit
from app.foundation import clock, db, jobs, queue, tenancy, walls
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.jobs import schedule_job
from app.foundation.models import Base, WorkerHeartbeat
from app.foundation.partitions import make_months_ahead, tables_with_strays
from jobs import partitions as partition_jobs
from jobs import schedule, worker
from jobs.heartbeat import KINDS, beat, is_alive, make_engine, own_name
from tests.cast import at_school
from tests.foundation.work import forget_all_work
from tests.launcher.processes import ROOT
from tests.live import free_port
from tests.servers import url_of


def test_every_job_module_is_loaded() -> None:
    worker.load_jobs()
    assert {kind.partition(".")[0] for kind in jobs._kinds} >= {"notifications", "scheduling"}


def test_every_tick_names_a_job_that_is_there(app: Flask) -> None:
    cron = schedule.scheduler(app.config["SETTINGS"].redis_url)
    names = {job.func.__name__ for job in cron._cron_jobs}
    assert names >= {"sweep", "schedule_pruning", "make_months_ahead"}


def test_a_worker_says_that_it_is_alive(committing_app: Flask) -> None:
    for _ in range(2):
        beat(db.engine(), own_name("worker"))
    with tenancy.tenant_scope(None):
        (seen,) = session.scalars(select(WorkerHeartbeat.seen_at))
    assert clock.now() - seen < timedelta(seconds=10)


def test_a_worker_without_a_database_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    gone = create_engine(f"postgresql+psycopg2://x@127.0.0.1:{free_port()}/x", poolclass=NullPool)
    caplog.set_level("WARNING")
    beat(gone, own_name("worker"))
    assert "the heartbeat could not be written" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_container_asks_for_the_heartbeat_of_its_own_machine(committing_app: Flask, kind: str) -> None:
    """Of this kind, on this machine, lately: the process of another container says nothing about this one."""
    url = committing_app.config["SETTINGS"].database_url
    engine = make_engine(url)
    for other in KINDS:
        beat(engine, f"{other}:elsewhere:7")
        assert not is_alive(engine, kind)
    beat(engine, own_name(kind))
    assert [is_alive(engine, other) for other in KINDS] == [other == kind for other in KINDS]
    asked = [sys.executable, "-m", "jobs.heartbeat", kind]
    environment = {**os.environ, "DATABASE_URL": url, "DEMO": "1", "SECRET_KEY": "x"}
    assert subprocess.run(asked, env=environment, cwd=ROOT, check=False, timeout=60).returncode == 0
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        assert not is_alive(engine, kind)
    elsewhere = {**environment, "DATABASE_URL": f"postgresql://x@127.0.0.1:{free_port()}/x"}
    done = subprocess.run(asked, env=elsewhere, cwd=ROOT, check=False, timeout=60, capture_output=True, text=True)
    assert (done.returncode, "The heartbeats could not be read" in done.stderr) == (1, True)


def test_the_clock_beats_at_every_turn(committing_app: Flask) -> None:
    settings = committing_app.config["SETTINGS"]
    cron = schedule.scheduler(settings.redis_url)
    cron.heartbeats = make_engine(settings.database_url)
    cron.heartbeat()
    queue.redis().flushdb()
    assert is_alive(cron.heartbeats, "cron")


def test_a_worker_does_what_the_bell_rang_for(committing_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real worker class takes the doorbell's job from Redis and drains the school, its heartbeat a row."""
    from rq import SimpleWorker

    class InThisProcess(worker.GroundschoolWorker, SimpleWorker):
        """Without a fork, so that the test sees what was done."""

        execute_job = SimpleWorker.execute_job

    done: list[int] = []
    monkeypatch.setattr(jobs, "_kinds", {"tests.work": lambda number: done.append(number)})
    queue.redis().flushdb()
    with committing_app.app_context():
        forget_all_work()
        with at_school("skyline"), db.unit_of_work():
            schedule_job("tests.work", key="bell", number=7)
        taker = InThisProcess([Queue(connection=queue.redis())], connection=queue.redis(), name="tests-worker")
        taker.heartbeats = db.engine()
        taker.work(burst=True, with_scheduler=False, logging_level="ERROR")
    queue.redis().flushdb()
    assert done == [7]
    with tenancy.tenant_scope(None):
        assert session.get(WorkerHeartbeat, "tests-worker")


def test_months_are_made_ahead_and_twice_is_once(app: Flask) -> None:
    names = text("select relname from pg_class where relispartition and relkind = 'r' order by 1").execution_options(
        global_tables_only=True
    )
    with time_machine.travel(datetime(2031, 12, 31, 23, 59, tzinfo=UTC), tick=False):
        for _ in range(2):
            partition_jobs.make_months_ahead()
    with tenancy.tenant_scope(None):
        made = [name for name in session.scalars(names) if "_203" in name]
    assert made == [f"audit_entry_{month}" for month in ("2031_12", "2032_01", "2032_02", "2032_03")]


def test_a_month_that_was_missed_does_not_keep_the_next_ones_from_being_made(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing ran for months; the first deed of the new month comes before the nightly job."""
    names = text("select relname from pg_class where relispartition and relkind = 'r' order by 1").execution_options(
        global_tables_only=True
    )
    with time_machine.travel(datetime(2031, 12, 31, 23, 59, tzinfo=UTC), tick=False):
        with at_school("skyline"), db.unit_of_work():
            audit("school.created", actor=SYSTEM, subject=None)
        partition_jobs.make_months_ahead()
    with tenancy.tenant_scope(None):
        made = [name for name in session.scalars(names) if "_203" in name]
    assert made == [f"audit_entry_{month}" for month in ("2032_01", "2032_02", "2032_03")]
    assert "a month has rows in the default partition" in caplog.text


@pytest.mark.parametrize("begin", [partition_jobs.make_months_at_start, upgrade], ids=["worker", "migration"])
def test_a_start_after_months_makes_the_months_that_are_missing(
    committing_app: Flask, begin: Callable[[], None]
) -> None:
    with time_machine.travel(datetime(2033, 5, 20, tzinfo=UTC), tick=False), committing_app.app_context():
        begin()
        with at_school("skyline"), db.unit_of_work():
            audit("school.created", actor=SYSTEM, subject=None)
    with tenancy.tenant_scope(None):
        assert tables_with_strays() == []


def test_a_start_waits_for_nobody_who_writes_and_keeps_nobody_waiting(committing_app: Flask) -> None:
    """A worker that stood still in the middle of its start once kept every sign-in waiting for its lock."""
    locks = text(
        "select mode from pg_locks where pid = pg_backend_pid() and mode like '%Exclusive%' and relation is not null"
    )
    with committing_app.app_context(), at_school("skyline"), db.unit_of_work(), db.engine().connect() as starting:
        audit("school.created", actor=SYSTEM, subject=None)
        session.flush()
        starting.execute(text("set local lock_timeout = '2s'"))
        make_months_ahead(starting)
        assert starting.scalars(locks).all() == []


def test_a_worker_starts_without_a_database_too(no_database: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    partition_jobs.make_months_at_start()
    assert "no month could be made ahead" in caplog.text


@pytest.mark.parametrize("table", ["course", "audit_entry; drop table course", "pg_class"])
def test_no_other_table_is_given_a_month(app: Flask, table: str) -> None:
    call = text("select make_month_partition(:t, current_date)").execution_options(global_tables_only=True)
    with tenancy.tenant_scope(None), pytest.raises(Exception, match="no partitioned table of that name"):
        session.execute(call, {"t": table})
    session.rollback()


# -- migrations ----------------------------------------------------------------------------------------------------


def _without_partitions(_object: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    return not (kind == "table" and name and name.startswith("audit_entry_"))


def test_the_models_are_what_the_migrations_made(worker_database: str) -> None:
    with create_engine(url_of("groundschool_owner", worker_database), poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _without_partitions})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize(("table", "line"), [("course", "op.tenant_wall('course'"), ("job", "op.global_grants('job'")])
def test_a_new_table_s_wall_writes_itself(worker_database: str, table: str, line: str) -> None:
    """Autogenerate over a database that lacks the table: the wall follows in upgrade and nothing more in downgrade."""
    only = MetaData()
    for name in ("tenant", "user_account", table):
        Base.metadata.tables[name].to_metadata(only)
    with create_engine(url_of("postgres", "postgres"), poolclass=NullPool).connect() as connection:
        options = {"process_revision_directives": walls.writer}
        script = produce_migrations(MigrationContext.configure(connection, opts=options), only)
        walls.writer(MigrationContext.configure(connection), ("head",), [script])  # type: ignore[list-item]
    assert line in render_python_code(script.upgrade_ops)  # type: ignore[arg-type]
    assert isinstance(only.tables[table], Table)
    assert "drop_table" in render_python_code(script.downgrade_ops)  # type: ignore[arg-type]


LEAST = {"DATABASE_URL": "postgresql://web@db/groundschool", "SECRET_KEY": "kX3-9vQm2Lr8TzW5nB7yC4dF6gH1jK0p"}


def test_gunicorn_is_set_by_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"HOST": "0.0.0.0", "PORT": "8123", "WEB_CONCURRENCY": "3", "WEB_THREADS": "5"}
    for name, value in {**LEAST, **values, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    found = runpy.run_module("app.foundation.gunicorn")
    assert (found["bind"], found["workers"], found["threads"]) == ("0.0.0.0:8123", 3, 5)
    assert found["worker_class"] == "gthread"
    gauges = tmp_path / "gauge_livesum_4242.db"
    gauges.touch()
    found["child_exit"](None, SimpleNamespace(pid=4242))
    assert not gauges.exists()
    monkeypatch.setenv("HOST", "::1")
    assert runpy.run_module("app.foundation.gunicorn")["bind"] == "[::1]:8123"


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number above zero, not 'eighty'."),
        ({"WEB_THREADS": "0"}, "WEB_THREADS must be a whole number above zero, not '0'."),
        ({"PROMETHEUS_MULTIPROC_DIR": "/nowhere/at/all"}, "there is none at /nowhere/at/all: make it, empty."),
    ],
)
def test_gunicorn_says_a_bad_setting_in_one_sentence(bad: dict[str, str], sentence: str) -> None:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:app.foundation.gunicorn",
        "--no-control-socket",
        "wsgi:app",
    ]
    environ = {"PATH": os.environ["PATH"], **LEAST, **bad}
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith(sentence)
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
