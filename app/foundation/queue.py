"""Redis is the doorbell: it wakes a worker sooner. The rows in PostgreSQL are the work, and a sweep finds them without it."""

from __future__ import annotations

import logging
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.foundation.db import after_commit, session

log = logging.getLogger(__name__)
JOB_TIMEOUT = 300
_redis: Redis | None = None


def init_queue(url: str) -> None:
    """Connect this process's doorbell. It never retries and waits a quarter of a second at most: a page does not hang on Redis."""
    global _redis
    _redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=0.25, socket_connect_timeout=0.25)


def redis() -> Redis:
    """The web's Redis client; raises RedisError within a quarter of a second when the server is gone."""
    if _redis is None:
        raise RuntimeError("init_queue has not been called in this process")
    return _redis


def ring(function: str, *args: Any) -> bool:
    """Enqueue a function by its dotted name. False, and a line in the log, if Redis is gone: the sweep will find the rows."""
    try:
        Queue(connection=redis()).enqueue(function, *args, job_timeout=JOB_TIMEOUT, result_ttl=0, failure_ttl=86_400)
    except RedisError as error:
        log.warning("the queue could not be reached", extra={"function": function, "reason": type(error).__name__})
        return False
    return True


def nudge(tenant_id: int) -> None:
    """After the commit, once however often it was asked for: wake a worker for this school's rows."""
    pending = session().info.setdefault("nudged", set())
    if tenant_id in pending:
        return
    pending.add(tenant_id)

    def wake() -> None:
        pending.discard(tenant_id)
        ring("jobs.relay.drain", tenant_id)

    after_commit(wake)


@event.listens_for(Session, "after_rollback")
def _forget_nudges(rolled_back: Session) -> None:
    rolled_back.info.pop("nudged", None)
