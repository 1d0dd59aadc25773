"""The stage of one run: PostgreSQL, Redis, a grown database, and three web servers with production's settings."""

from __future__ import annotations

import http.client
import os
import pickle
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import psycopg2  # type: ignore[import-untyped]

from launcher import processes
from launcher.database import embedded_addresses
from launcher.embedded import OWNER_ROLE, WEB_ROLE, libpq_url, start_postgres, start_redis
from launcher.errors import LauncherError

if TYPE_CHECKING:
    from app.foundation.settings import Settings
    from bench.inside import Look

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0  # seconds
MIDDLE = "field-100"
"""The school of the grown database whose pages are compared."""


@dataclass(frozen=True)
class Target:
    """What one timed request asks for."""

    port: int
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class WebServer:
    """A gunicorn that answers on `port`."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, look: Look, number: int | None = None) -> Target:
        """The page itself, or its floor, which is known by its number."""
        return self.target(look.path if number is None else f"/{number}", look.headers)

    def target(self, path: str, headers: dict[str, str]) -> Target:
        return Target(self.port, path, headers)


@dataclass(frozen=True)
class Side:
    """One of two databases that are compared: its web server, one of its schools, and its learners' addresses by number."""

    web: WebServer
    school: str
    learner: str


class Stage:
    """Made on entering, gone on leaving. `web` is the product, `floor` the floors, `nothing` the driver's own ceiling."""

    web: WebServer
    floor: WebServer
    nothing: WebServer

    def __init__(self, size: str) -> None:
        self.size = size
        self.folder = Path(tempfile.mkdtemp(prefix="gs-bench-"))
        self.servers: list[WebServer] = []

    def __enter__(self) -> Stage:
        print(f"Growing a database of size {self.size}", flush=True)
        self.postgres = start_postgres(self.folder)
        self.redis = start_redis(self.folder)
        addresses = embedded_addresses(self.postgres)
        (self.folder / "metrics").mkdir()
        self.environment = {
            **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")},
            "DATABASE_URL": addresses.web,
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "BCRYPT_COST": "4",  # As the demo's: a sign-in at another cost would hash anew, and hide what is measured.
            "DATA_DIR": str(self.folder),
            "PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics"),
        }
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = self.environment["PROMETHEUS_MULTIPROC_DIR"]
        self.settings = self._settings(addresses.owner)
        self._fill()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            processes.stop(server.process, signal.SIGTERM, patience=5)
        self.redis.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, looks: Sequence[Look]) -> None:
        """Start the web servers once every page has been looked into: the floors are made of what was seen."""
        plan = self.folder / "floors.pickle"
        plan.write_bytes(pickle.dumps([look.floor for look in looks]))
        self.web = self._gunicorn("web", "wsgi:app")
        self.floor = self._gunicorn("floor", "bench.floor:app", BENCH_FLOORS=str(plan))
        self.nothing = self._gunicorn("nothing", "bench.floor:nothing", BENCH_FLOORS=str(plan))
        self._wait_for(self.web, self.floor, self.nothing)

    def serve_both(self, size: str) -> tuple[Side, Side]:
        """The demo as `flask demo seed` makes it, and a database grown to `size`, each behind a web server of its own."""
        with ThreadPoolExecutor(2) as fillers:
            filled = [
                fillers.submit(self._filled, *words) for words in (("demo", "seed"), ("grown", "grow", "--size", size))
            ]
        demo, grown = (one.result() for one in filled)
        servers = [
            self._gunicorn(name, "wsgi:app", DATABASE_URL=url) for name, url in (("demo", demo), ("grown", grown))
        ]
        self._wait_for(*servers)
        return (
            Side(servers[0], "skyline", "learner{number:02}@skyline.example"),
            Side(servers[1], MIDDLE, f"learner{{number:04}}@{MIDDLE}.example"),
        )

    def _filled(self, name: str, *verb: str) -> str:
        """A database of that name on the same server, filled by `flask demo …`. Returns its address for the web role."""
        self.postgres.create_database(name)
        address = self.postgres.url(WEB_ROLE, name)
        environment = {
            **self.environment, "DEMO": "1", "LOG_LEVEL": "ERROR", "DATABASE_URL": address,
            "OWNER_DATABASE_URL": self.postgres.url(OWNER_ROLE, name),
        }  # fmt: skip
        for words in (("db", "upgrade"), ("demo", *verb)):
            command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise LauncherError(f"flask {' '.join(words)} failed:\n{done.stderr[-2000:]}")
        self._settle(name)
        return address

    def _settle(self, name: str) -> None:
        """What autovacuum does in a database's first minutes: without it one side would be asked in the middle of that."""
        connection = psycopg2.connect(libpq_url(self.postgres.url(OWNER_ROLE, name)))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze")
        connection.close()

    def _settings(self, owner_url: str) -> Settings:
        from app.foundation.settings import read_settings

        return read_settings({**self.environment, "OWNER_DATABASE_URL": owner_url, "LOG_LEVEL": "WARNING"})

    def _fill(self) -> None:
        """Migrate, grow, count the days that the homes show, and let PostgreSQL settle what was written."""
        from flask_migrate import upgrade

        from app.analytics.operations import count_recent_days
        from app.demo.grow import SLUG, grow
        from app.factory import create_app
        from app.foundation import db, tenancy

        app = create_app(self.settings)
        with app.app_context():
            upgrade()
            grow(self.size, self.settings)
            with db.unit_of_work(), tenancy.tenant_scope(tenancy.find_by_slug(SLUG.format(number=1))):
                count_recent_days()
        db.engine().dispose()

    def _gunicorn(self, name: str, target: str, **more: str) -> WebServer:
        """A web server with the product's own settings, which is starting; its log lies in the stage's folder."""
        port = _free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "python:app.foundation.gunicorn", "--no-control-socket"]
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            process = processes.spawn(
                [*command, target], cwd=ROOT, env={**self.environment, "PORT": str(port), **more}, output=output
            )
        self.servers.append(WebServer(port, process, log))
        return self.servers[-1]

    def _wait_for(self, *servers: WebServer) -> None:
        """Until all of them answer: they load at the same time."""
        deadline = time.monotonic() + PATIENCE
        for server in servers:
            while not _answers(server.port):
                if server.process.poll() is not None or time.monotonic() > deadline:
                    raise LauncherError(f"a web server did not start:\n{server.log.read_text()[-2000:]}")
                time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    """Whether a worker is up: the port alone is open as soon as gunicorn's master is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
