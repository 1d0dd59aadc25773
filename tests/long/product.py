"""The whole product as bin/run starts it, to be used by HTTP, hurt, and looked at in its database."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import uuid
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2

from launcher.embedded import OWNER_ROLE, Postgres, Redis, create_roles, libpq_url
from tests.browser import Answer, Browser
from tests.cast import ANA, Person
from tests.launcher.processes import speaking_of, wait_until
from tests.launcher.starts import Started, start

PROGRAMS = {
    "web": ("gunicorn",),
    "worker": ("jobs.worker",),
    "cron": ("jobs.schedule",),
    "redis": ("redis-server",),
    "postgres": ("postgres", "-D"),
}
SETTINGS = {"BCRYPT_COST": "4", "LOG_LEVEL": "WARNING", "BOOKING_REQUEST_LIMIT": "100000 per hour"}
"""A few people ask here for what a school asks for in weeks."""


@dataclass
class Product:
    """A running bin/run and the address of its database for the owner."""

    started: Started
    owner_url: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.started.port}"

    def browser(self, person: Person = ANA) -> Browser:
        return Browser(self.host).sign_in(person)

    def ask(self, path: str) -> Answer:
        """What somebody without a session is answered."""
        return Browser(self.host).ask("GET", path)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement as the owner, who sees both schools."""
        limits = "-c lock_timeout=3000 -c statement_timeout=20000"
        connected = closing(psycopg2.connect(libpq_url(self.owner_url), connect_timeout=5, options=limits))
        with connected as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def pid(self, name: str) -> int:
        """The process of a program; waits for one that is being started again."""
        found: list[int] = []
        wait_until(lambda: found.extend(filter(None, [self.started.pid(*PROGRAMS[name])])) or found, seconds=150)
        return found[0]

    def web_process(self) -> int:
        """One of gunicorn's workers."""
        found: list[int] = []
        wait_until(lambda: found.extend(children_of(self.pid("web"))) or found, seconds=60)
        return found[0]

    def job_in_hand(self) -> int:
        """The process in which the worker does a job just now."""
        found: list[int] = []
        wait_until(lambda: found.extend(children_of(self.pid("worker"))) or found, seconds=60)
        return found[0]

    def kill(self, pid: int) -> None:
        """Kill a process; a job may have ended by itself a moment ago."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The ends of the logs of those who do the work."""
        logs = [self.started.data_dir / "log" / f"{name}.log" for name in ("worker", "cron")]
        return "\n".join(f"{log.name}: {log.read_text()[-3000:]}" for log in logs)

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End bin/run and wait until all that belongs to it has gone."""
        self.started.end(by)


class Ground:
    """One data folder, on which the product runs with the embedded servers or with servers that the test holds."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
        self.product: Product | None = None
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None

    def on_embedded_servers(self) -> Product:
        if self.product is None:
            server = Postgres(self.folder / "data")
            self.product = Product(_started(self.folder / "data"), server.url(OWNER_ROLE, "groundschool"))
        return self.product

    def on_servers_of_its_own(self) -> Product:
        """On the same data, where there is some; but PostgreSQL and Redis are the test's to stop and to start again."""
        self.stop()
        self.postgres, self.redis = Postgres(self.folder / "data"), Redis(self.folder / "data")
        self.postgres.start()
        self.redis.start()
        create_roles(self.postgres.url())
        self.postgres.create_database("groundschool")
        owner = self.postgres.url(OWNER_ROLE, "groundschool")
        theirs = {"DATABASE_URL": owner, "REDIS_URL": self.redis.url, "DEMO": "1"}
        self.product = Product(_started(self.folder / "web", **theirs), owner)
        return self.product

    def stop(self) -> None:
        if self.product:
            self.product.end()
        self.product = None
        for server in (self.redis, self.postgres):
            if server:
                server.stop()

    def forget(self) -> None:
        """bin/run was killed: wait until all that it started has gone."""
        if self.product:
            self.product.started.process.wait(20)
        wait_until(lambda: not speaking_of(self.folder))
        self.product = None

    def remove(self) -> None:
        """Whatever a failed test left."""
        for pid in speaking_of(self.folder):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not speaking_of(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)


def _started(data_dir: Path, **over: str) -> Started:
    data_dir.mkdir(exist_ok=True)
    started = start(data_dir, **SETTINGS, **over)
    output = started.process.stdout
    assert output
    threading.Thread(target=output.read, daemon=True).start()  # A terminal that nobody reads would stop the launcher.
    return started


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


# -- what people do and what must be true of it --------------------------------------------------------------------


def request_hour(learner: Browser, note: str, *, number: int = 0) -> Answer:
    """Ask for the hour of this number: the daytime hours from a month ahead on, which no clock skips."""
    days, hour = divmod(number, 16)
    day = datetime.now(UTC).date() + timedelta(days=30 + days)
    return learner.post(
        "/skyline/bookings", once=uuid.uuid4().hex, day=day.isoformat(), time=f"{6 + hour:02}:00", minutes="60",
        activity="ground", instructor="", note=note,
    )  # fmt: skip


def number_of(answer: Answer) -> int:
    """The id of the booking that an answer leads to."""
    assert answer.status == 303, f"{answer.status}: {answer.text[:400]}"
    return int(answer.location.rsplit("/", 1)[1])


def let_it_be_late(product: Product, booking_id: int) -> None:
    """As if the request had been made eight days ago, longer than a school can wait, and its escalation was due six minutes ago."""
    product.rows("update booking set requested_at = requested_at - interval '8 days' where id = %s", booking_id)
    late = product.rows(
        "update job set run_at = now() - interval '6 minutes' where key like %s returning id",
        f"%:escalate:{booking_id}:1",
    )
    assert len(late) == 1


def let_leases_end(product: Product) -> None:
    """As if the minutes had passed for which a job belongs to a worker that was killed."""
    product.rows("update job set claimed_until = now() where claimed_until is not null and done_at is null")


def wait_until_drained(product: Product, seconds: float = 120) -> None:
    """Until every event is relayed and every job that is due is done; none may be dead."""
    undone = """
        select (select count(*) from outbox_event where relayed_at is null)
             + (select count(*) from job where done_at is null and dead_at is null and run_at <= now() + interval '2 min')
    """
    try:
        wait_until(lambda: product.rows(undone) == [(0,)], seconds=seconds)
    except AssertionError as error:
        left = product.rows("select id, kind, key, tries, run_at, claimed_until, error from job where done_at is null")
        raise AssertionError(f"{error}; now {datetime.now(UTC)}, left: {left}\n{product.last_words()}") from None
    assert product.rows("select kind, error from job where dead_at is not null") == []


def check_escalated_once(product: Product, bookings: Sequence[int]) -> None:
    """One event, one audit entry, and one notification and one mail for each whom the school named."""
    concerned = product.rows(
        "select cardinality(s.escalate_to_ids) from school_settings s join tenant t on t.id = s.tenant_id where t.slug = 'skyline'"
    )[0][0]
    assert concerned > 1
    for booking in bookings:
        assert product.rows("select escalations from booking where id = %s", booking) == [(1,)]
        told = product.rows(
            "select count(*), count(distinct membership_id), count(mailed_at) from notification where cause = %s",
            f"booking.escalated:{booking}:1",
        )
        assert told == [(concerned, concerned, concerned)]
        events = "select count(*) from outbox_event where name = 'BookingEscalated' and payload->>'booking_id' = %s"
        assert product.rows(events, str(booking)) == [(1,)]
        entries = "select count(*) from audit_entry where action = 'booking.escalated' and subject_id::text = %s"
        assert product.rows(entries, str(booking)) == [(1,)]
