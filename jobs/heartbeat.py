"""The heartbeats of worker and cron, each a row; and `python -m jobs.heartbeat worker`, which a container's health check asks."""

from __future__ import annotations

import logging
import os
import socket
import sys

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.foundation import clock
from app.foundation.models import PROCESS_IS_LATE, WorkerHeartbeat
from app.foundation.settings import BadSetting, read_settings

log = logging.getLogger(__name__)
KINDS = ("worker", "cron")


def main(words: list[str]) -> None:
    """End with 0 if a worker, or cron, of this machine was alive a minute ago; else with 1 and a sentence."""
    if len(words) != 1 or words[0] not in KINDS:
        sys.exit("Say which one: python -m jobs.heartbeat worker, or cron.")
    try:
        seen = is_alive(make_engine(read_settings().database_url), words[0])
    except (BadSetting, SQLAlchemyError) as error:
        sys.exit(f"The heartbeats could not be read: {error}")
    if not seen:
        sys.exit(f"No {words[0]} of {socket.gethostname()} has been alive in the last minute.")


def own_name(kind: str) -> str:
    """The name of this process among all: kind, machine, process id."""
    return f"{kind}:{socket.gethostname()}:{os.getpid()}"


def beat(engine: Engine, name: str) -> None:
    """Write that this process is alive. A database that is away is a line in the log: the process goes on."""
    seen = insert(WorkerHeartbeat).values(name=name, seen_at=clock.now())
    try:
        with engine.begin() as connection:
            connection.execute(seen.on_conflict_do_update(index_elements=["name"], set_={"seen_at": clock.now()}))
    except SQLAlchemyError as error:
        log.warning("the heartbeat could not be written", extra={"reason": type(error).__name__})


def is_alive(engine: Engine, kind: str) -> bool:
    """Whether a process of this kind on this machine has said lately that it is alive."""
    ours = WorkerHeartbeat.name.startswith(f"{kind}:{socket.gethostname()}:", autoescape=True)
    with engine.connect() as connection:
        seen = connection.execute(select(func.max(WorkerHeartbeat.seen_at)).where(ours)).scalar()
    return seen is not None and clock.now() - seen < PROCESS_IS_LATE


def make_engine(url: str) -> Engine:
    """Connections of the heartbeat's own, each for one statement: a fork must not inherit them."""
    return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 2})


if __name__ == "__main__":
    main(sys.argv[1:])
