"""The worker: takes jobs from Redis, each in a process of its own, and writes its heartbeat to PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue, Worker
from sqlalchemy import Engine

from app.factory import create_app
from app.foundation import db
from jobs import partitions
from jobs.heartbeat import beat, make_engine, own_name

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
        name=own_name("worker"),
        worker_ttl=SECONDS_BETWEEN_HEARTBEATS + 15,
    )
    worker.heartbeats = make_engine(settings.database_url)
    partitions.make_months_at_start()
    with app.app_context():
        worker.work(with_scheduler=False, logging_level="WARNING")


if __name__ == "__main__":
    main()
