"""What nobody needs any more: deleted a batch at a time, so that no transaction grows with what had piled up.

Each function deletes one batch and says whether there may be more; who calls them commits in between.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, bindparam, cast, delete, func, select

from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import Job, OnceKey, OutboxEvent, WorkerHeartbeat

BATCH = 5_000
KEYS_LIVE = timedelta(hours=24)
"""A form sent again a day after it was sent is meant: nobody double-clicks so slowly."""
WORK_IS_KEPT = timedelta(days=30)
"""Finished rows and relayed events. Parked rows stay until somebody has seen to them."""
DEAD_AFTER = timedelta(days=1)


def forget_spent_keys(*, batch: int = BATCH) -> bool:
    """One-use keys of the school in force that were used a day ago."""
    return delete_batch(OnceKey, OnceKey.created_at < clock.now() - KEYS_LIVE, batch=batch)


def forget_finished_work(*, batch: int = BATCH) -> bool:
    """Rows of work that were done and events that were relayed a month ago, of all schools."""
    before = clock.now() - WORK_IS_KEPT
    more_work = delete_batch(Job, Job.done_at < before, batch=batch)
    return delete_batch(OutboxEvent, OutboxEvent.relayed_at < before, batch=batch) or more_work


def forget_dead_processes(*, batch: int = BATCH) -> bool:
    """Heartbeats of workers and clocks that have been silent for a day: each start has a name of its own."""
    silent = WorkerHeartbeat.seen_at < clock.now() - DEAD_AFTER
    return delete_batch(WorkerHeartbeat, silent, batch=batch, by=WorkerHeartbeat.name)


def schools_with_spent_keys() -> list[int]:
    """The ids of the schools that have one-use keys to forget. One-use keys lie behind the wall, so a function of the
    database answers, with ids only."""
    before = bindparam("before", clock.now() - KEYS_LIVE, DateTime(timezone=True))
    return sorted(session.scalars(select(func.schools_with_spent_keys(cast(before, DateTime(timezone=True))))))


def delete_batch(model: Any, over: ColumnElement[bool], *, batch: int = BATCH, by: Any = None) -> bool:
    """Delete at most `batch` of the rows that are over, oldest id first. Whether there may be more of them."""
    key = model.id if by is None else by
    some = select(key).where(over).order_by(key).limit(batch)
    gone = session.execute(delete(model).where(key.in_(some)).execution_options(synchronize_session=False))
    return int(gone.rowcount) >= batch  # type: ignore[attr-defined]
