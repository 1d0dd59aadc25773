"""The worker: takes jobs from Redis, each in a process of its own, and writes its heartbeat to PostgreSQL."""

from __future__ import annotations

import logging
import socket
from importlib import import_module
from os import getpid
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue, Worker
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.factory import create_app
from app.foundation import clock, db
from app.foundation.models import WorkerHeartbeat

log = logging.getLogger(__name__)
SECONDS_BETWEEN_HEARTBEATS = 15


class GroundschoolWorker(Worker):
    """RQ's worker, whose heartbeat is also a row: RQ forgets its workers when Redis is flushed."""

    heartbeats: Engine

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        super().heartbeat(timeout, pipeline)
        beat(self.heartbeats, self.name)

    def main_work_horse(self, job: Any, queue: Any) -> Any:
        """A job runs in a fork: it opens connections of its own and leaves its parent's alone."""
        db.engine().dispose(close=False)
        return super().main_work_horse(job, queue)


def beat(engine: Engine, name: str) -> None:
    """Write that this worker is alive. A database that is away is a line in the log: the worker goes on."""
    seen = insert(WorkerHeartbeat).values(name=name, seen_at=clock.now())
    try:
        with engine.begin() as connection:
            connection.execute(seen.on_conflict_do_update(index_elements=["name"], set_={"seen_at": clock.now()}))
    except SQLAlchemyError as error:
        log.warning("the heartbeat could not be written", extra={"reason": type(error).__name__})


def load_jobs() -> None:
    """Import every module of jobs/, so that their rows are known."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in {"__init__", "worker", "schedule"}:
            import_module(f"jobs.{path.stem}")


def main() -> None:
    app = create_app()
    load_jobs()
    settings = app.config["SETTINGS"]
    connection = Redis.from_url(settings.redis_url)
    worker = GroundschoolWorker(
        [Queue(connection=connection)],
        connection=connection,
        name=f"{socket.gethostname()}-{getpid()}",
        worker_ttl=SECONDS_BETWEEN_HEARTBEATS + 15,
    )
    worker.heartbeats = create_engine(settings.database_url, poolclass=NullPool, connect_args={"connect_timeout": 2})
    with app.app_context():
        worker.work(with_scheduler=False, logging_level="WARNING")


if __name__ == "__main__":
    main()
