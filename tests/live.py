"""A live server: gunicorn in processes of its own, on a database cloned for it, as a host runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flask import Flask

from app.demo.commands import empty_database
from app.foundation import db, jobs, tenancy
from app.foundation.settings import Settings
from tests.cast import school
from tests.servers import clone_database, drop_database, settings_for
from tests.signed_in import cookie_of

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0  # seconds, on a machine that does other things besides
REDIS_DATABASES = 16


class LiveServer:
    """gunicorn on a free port and a database of its own. `url` is its address; `stop` ends it and drops the database.

    An `empty` one is no demo, and has no school in it yet.
    """

    def __init__(self, name: str, *, workers: int = 2, threads: int = 4, empty: bool = False) -> None:
        self.database = clone_database(name)
        self.settings = _settings(self.database, workers, threads)
        if empty:
            empty_database(self.settings)
            self.settings = replace(self.settings, demo=False)
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.log = self.settings.data_dir / "web.log"
        self.process = self._start()

    @property
    def url(self) -> str:
        return self.settings.address

    def stop(self) -> None:
        self.end(signal.SIGKILL)  # Asked to end, it would wait for browsers to go.
        drop_database(self.database)

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End gunicorn with all its workers."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, by)
        self.process.wait(PATIENCE)

    @contextmanager
    def inside(self, slug: str | None = None, *, app: Flask) -> Iterator[None]:
        """Work on the live database from the test, as a school if one is named. Not together with the `app` fixture."""
        engine = db.make_engine(self.settings.database_url, pool_size=4)
        tenancy.ring_on(engine)
        before = app.config["SETTINGS"]
        app.config["SETTINGS"] = self.settings
        _work_on(engine, "conditional_savepoint")
        try:
            with app.app_context(), tenancy.tenant_scope(school(slug) if slug else None):
                yield
                db.session.commit()
        finally:
            app.config["SETTINGS"] = before
            _work_on(db.engine(), "conditional_savepoint")
            engine.dispose()

    def cookie_of(self, email: str, *, app: Flask) -> str:
        """What a browser's cookie holds once this person has signed in with it."""
        with self.inside(app=app):
            return cookie_of(email, app=app)

    def run(self, *words: str) -> str:
        """What `flask …` says on this database."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi:app", *words]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment(self.settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout

    def work_off(self, slug: str, *, app: Flask) -> int:
        """Do all work of a school that is due, as a worker would. Returns how many rows ran."""
        from jobs.worker import load_jobs

        load_jobs()
        with self.inside(app=app):
            return jobs.drain_tenant(school(slug).id)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:app.foundation.gunicorn", "--no-control-socket"]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [*command, "wsgi:app"], cwd=ROOT, env=environment(self.settings), stdout=output, stderr=output,
                process_group=0,
            )  # fmt: skip
        wait_until_it_answers(f"{self.url}/healthz", process, self.log)
        return process


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that runs with these settings."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
    return kept | {
        "DATABASE_URL": settings.database_url,
        "OWNER_DATABASE_URL": settings.owner_database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "DEMO": "1" if settings.demo else "0",
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(settings.port),
        "WEB_CONCURRENCY": str(settings.web_concurrency),
        "WEB_THREADS": str(settings.web_threads),
        "BCRYPT_COST": str(settings.bcrypt_cost),
        "LOG_LEVEL": "WARNING",
    }


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the first answer; raises with the log's end if the process ends or nothing comes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} does not answer. The log ends:\n{log.read_text()[-2000:]}")


def _settings(database: str, workers: int, threads: int) -> Settings:
    number = int("".join(c for c in os.environ.get("PYTEST_XDIST_WORKER", "gw0") if c.isdigit()))
    settings = settings_for(database)
    mark = "&" if "?" in settings.redis_url else "?"
    return replace(
        settings,
        redis_url=f"{settings.redis_url}{mark}db={1 + number % (REDIS_DATABASES - 1)}",
        port=free_port(),
        web_concurrency=workers,
        web_threads=threads,
    )


def _work_on(engine: object, join_mode: str) -> None:
    db.session.remove()
    db.session.configure(bind=engine, join_transaction_mode=join_mode)
    tenancy.forget_tenants()
