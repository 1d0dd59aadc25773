"""Work that must happen is a row: scheduled under an effect key, claimed with a lease, retried, parked as dead, replayed.

`schedule_job("scheduling.escalate_booking", key="escalate:7", run_at=…, booking_id=7)` writes the row. The function of
that name is marked `@row_job` in jobs/<feature>.py and runs inside its school; its effect and the row's `done_at` commit together.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from sqlalchemy import and_, func, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from app.foundation import clock, events, queue, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.logs import begin_correlation, correlation_id
from app.foundation.models import Job, OutboxEvent
from app.foundation.pages import Page, paginate

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=6)
LONGEST_DRAIN = timedelta(minutes=2)
"""No job is begun later: RQ ends a drain after queue.JOB_TIMEOUT, in the middle of whatever it does, a mail just sent too."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
AT_ONCE, APART = 100, timedelta(milliseconds=200)
"""Of many rows that are written together: how many are due at once, and how far apart the rest are."""
REACTION = "reaction"
_shown_kind = func.coalesce(Job.args["reaction"].astext, Job.kind)

_kinds: dict[str, Callable[..., object]] = {}
_find_tenant: Callable[[int], tenancy.TenantRef | None] = lambda tenant_id: None  # noqa: E731


class GiveUp(Exception):
    """Raised by a job that no retry can help: it is parked at once, with this sentence as the reason."""


def row_job(function: Callable[..., object]) -> Callable[..., object]:
    """Mark the function that does the rows of kind `<feature>.<name>`, from jobs/<feature>.py."""
    _kinds[f"{function.__module__.removeprefix('jobs.')}.{function.__name__}"] = function
    return function


def tenant_job(function: Callable[..., object]) -> Callable[..., object]:
    """Mark a function that a worker calls with a school's id first: it enters the school and works in one transaction."""

    @wraps(function)
    def entered(tenant_id: int, *args: Any, **kwargs: Any) -> object:
        begin_correlation()
        with tenancy.tenant_scope(tenant_by_id(tenant_id)), unit_of_work():
            return function(*args, **kwargs)

    return entered


def tenants_by_id_come_from(finder: Callable[[int], tenancy.TenantRef | None]) -> None:
    """The factory says who looks a school up by its id."""
    global _find_tenant
    _find_tenant = finder


def tenant_by_id(tenant_id: int) -> tenancy.TenantRef:
    """The school of an id; raises GiveUp when there is none any more."""
    with tenancy.tenant_scope(None), unit_of_work():
        tenant = _find_tenant(tenant_id)
    if tenant is None:
        raise GiveUp(f"there is no school {tenant_id}")
    return tenant


def schedule_job(kind: str, *, key: str, run_at: datetime | None = None, max_tries: int = 8, **args: int | str) -> bool:
    """Write a row of work for the school in force, due at `run_at` (now if None). False if the effect key is known already."""
    tenant = tenancy.required()
    row = insert(Job).values(
        tenant_id=tenant.id, kind=kind, key=f"{tenant.id}:{key}", args=args, run_at=run_at or clock.now(),
        max_tries=max_tries, correlation_id=correlation_id(),
    )  # fmt: skip
    made = session.execute(row.on_conflict_do_nothing(index_elements=["key"]).returning(Job.id)).first()
    if made and (run_at is None or run_at <= clock.now()):
        queue.nudge(tenant.id)
    return made is not None


def schedule_jobs(kind: str, rows: list[tuple[str, dict[str, int | str]]]) -> None:
    """Write many rows of work of one kind, each an effect key and its args, a thousand a statement.

    AT_ONCE of them are due now, and the others one after the other: what a person waits for comes between them.
    """
    tenant = tenancy.required()
    if not rows:
        return
    values = [
        {
            "tenant_id": tenant.id,
            "kind": kind,
            "key": f"{tenant.id}:{key}",
            "args": args,
            "run_at": clock.now() + APART * max(0, place - AT_ONCE + 1),
            "correlation_id": correlation_id(),
        }
        for place, (key, args) in enumerate(rows)
    ]
    session.execute(insert(Job).on_conflict_do_nothing(index_elements=["key"]), values)
    queue.nudge(tenant.id)


def drain_tenant(tenant_id: int, *, limit: int = 500) -> int:
    """Relay a school's events and run its due rows until none is left, `limit` is reached or the time is up; what is left then
    is the next sweep's. Returns how many rows ran."""
    tenant, until = tenant_by_id(tenant_id), clock.now() + LONGEST_DRAIN
    ran = 0
    while ran < limit and clock.now() < until:
        relay_events(tenant_id)
        claimed = claim_jobs(tenant_id)
        if not claimed:
            break
        for place, job in enumerate(claimed):
            if clock.now() >= until:
                _give_back(claimed[place:])
                break
            run_claimed(tenant, job)
            ran += 1
    return ran


def tenants_with_work() -> list[int]:
    """The ids of the schools that have an event to relay or a row that is due."""
    waiting = select(OutboxEvent.tenant_id).where(OutboxEvent.relayed_at.is_(None))
    due = select(Job.tenant_id).where(_due(clock.now()))
    return sorted(session.execute(union(waiting, due)).scalars())


def relay_events(tenant_id: int, *, batch: int = 200) -> int:
    """Turn a school's waiting events into one row of work for each reaction. Returns how many events there were."""
    with tenancy.tenant_scope(None), unit_of_work():
        waiting = (
            select(OutboxEvent.id)
            .where(OutboxEvent.tenant_id == tenant_id, OutboxEvent.relayed_at.is_(None))
            .order_by(OutboxEvent.id)
            .limit(batch)
            .with_for_update(skip_locked=True)
            .cte("waiting")
        )
        relayed = session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.id == waiting.c.id)
            .values(relayed_at=clock.now())
            .returning(OutboxEvent.id, OutboxEvent.name, OutboxEvent.payload, OutboxEvent.correlation_id)
        ).all()
        rows = [
            {
                "tenant_id": tenant_id,
                "kind": REACTION,
                "key": f"{tenant_id}:event:{event.id}:{reaction}",
                "args": {"event": event.name, "reaction": reaction, "payload": event.payload},
                "run_at": clock.now(),
                "correlation_id": event.correlation_id,
            }
            for event in sorted(relayed, key=lambda event: event.id)
            for reaction in events.reactions_to(event.name)
        ]
        if rows:
            session.execute(insert(Job).values(rows).on_conflict_do_nothing(index_elements=["key"]))
        return len(relayed)


@dataclass(frozen=True)
class ClaimedJob:
    """A row of work in the hands of this worker until its lease ends."""

    id: int
    kind: str
    args: dict[str, Any]
    tries: int
    max_tries: int
    correlation_id: str


def claim_jobs(tenant_id: int, *, batch: int = 10) -> list[ClaimedJob]:
    """Take some of a school's due rows, so that no other worker takes them while the lease lasts."""
    now = clock.now()
    with tenancy.tenant_scope(None), unit_of_work():
        due = (
            select(Job.id)
            .where(Job.tenant_id == tenant_id, _due(now))
            .order_by(Job.run_at, Job.id)
            .limit(batch)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        rows = session.execute(
            update(Job)
            .where(Job.id == due.c.id)
            .values(claimed_until=now + LEASE, tries=Job.tries + 1)
            .returning(Job.id, Job.kind, Job.args, Job.tries, Job.max_tries, Job.correlation_id)
        ).all()
    return [ClaimedJob(*row) for row in sorted(rows)]


def _give_back(claimed: list[ClaimedJob]) -> None:
    """Let go of rows that were not begun, as if they had never been claimed."""
    with tenancy.tenant_scope(None), unit_of_work():
        rows = update(Job).where(Job.id.in_([job.id for job in claimed]))
        session.execute(rows.values(claimed_until=None, tries=Job.tries - 1))


def run_claimed(tenant: tenancy.TenantRef, job: ClaimedJob) -> None:
    """Do one row inside its school. The effect and `done_at` commit together; a failure is written to the row.

    The row is locked meanwhile: a worker so slow that its lease has ended is not overtaken, and one that was is not too late.
    """
    begin_correlation(job.correlation_id)
    try:
        with tenancy.tenant_scope(tenant), unit_of_work():
            if not _is_still_ours(job):
                return
            later = _do(job)
            if isinstance(later, datetime):
                _end(job.id, run_at=later, claimed_until=None, tries=0)
            else:
                _end(job.id, done_at=clock.now(), claimed_until=None, error=None)
    except Exception as error:
        _write_failure(job, error)


def _is_still_ours(job: ClaimedJob) -> bool:
    """Lock the row; whoever claimed it since has counted up its tries, or is at it."""
    same = select(Job.id).where(Job.id == job.id, Job.tries == job.tries, Job.done_at.is_(None), Job.dead_at.is_(None))
    return session.execute(same.with_for_update(skip_locked=True)).first() is not None


def _do(job: ClaimedJob) -> object:
    """Run the row's function. One that answers with an instant asks to be run again then."""
    if job.tries > job.max_tries:
        raise GiveUp("its worker died every time it was tried")
    if job.kind == REACTION:
        events.react(job.args["event"], job.args["reaction"], job.args["payload"])
        return None
    if job.kind not in _kinds:
        raise GiveUp(f"nothing does work of the kind {job.kind}")
    return _kinds[job.kind](**job.args)


def _write_failure(job: ClaimedJob, error: Exception) -> None:
    dead = isinstance(error, GiveUp) or job.tries >= job.max_tries
    pause = min(FIRST_PAUSE * 2 ** (job.tries - 1), LONGEST_PAUSE)
    log.error(
        "job failed",
        exc_info=error,
        extra={
            "job_id": job.id,
            "kind": job.kind,
            "tries": job.tries,
            "dead": dead,
            "reason": f"{job.kind}: {_reason(error)}",
        },
    )
    with tenancy.tenant_scope(None), unit_of_work():
        ending: dict[str, Any] = {"dead_at": clock.now()} if dead else {"run_at": clock.now() + pause}
        _end(job.id, claimed_until=None, error=_reason(error), **ending)


def _reason(error: Exception) -> str:
    """Why it failed, without the values that a database error quotes: job rows hold no content."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "pgcode", None) or ""
        return f"{type(error.orig).__name__} {code}".strip()
    return f"{type(error).__name__}: {error}"[:500]


def _end(job_id: int, **values: Any) -> None:
    session.execute(update(Job).where(Job.id == job_id).values(**values))


def list_dead_jobs(tenant_id: int, *, kind: str | None = None, search: str = "", cursor: str = "") -> Page[Job]:
    """A page of a school's rows that were parked, newest first: of one kind (see `dead_kinds`), with `search` in their error."""
    parked = select(Job).where(Job.tenant_id == tenant_id, Job.dead_at.is_not(None))
    if kind:
        parked = parked.where(_shown_kind == kind)
    if search:
        parked = parked.where(Job.error.icontains(search, autoescape=True))
    return paginate(parked, [Job.id], cursor=cursor, descending=True)


def dead_kinds(tenant_id: int) -> list[str]:
    """The kinds of work of which a school has parked rows, by name; a reaction to an event is a kind of its own."""
    parked = select(_shown_kind).where(Job.tenant_id == tenant_id, Job.dead_at.is_not(None))
    return sorted(session.scalars(parked.distinct()))


def find_dead_job(tenant_id: int, job_id: int) -> Job | None:
    parked = select(Job).where(Job.tenant_id == tenant_id, Job.id == job_id, Job.dead_at.is_not(None))
    return session.scalars(parked).first()


def replay_job(job: Job) -> None:
    """Give a parked row its tries back; it is due at once."""
    job.dead_at, job.tries, job.run_at = None, 0, clock.now()
    queue.nudge(job.tenant_id)


def oldest_waiting() -> datetime | None:
    """When the oldest event or row that should have been done was due; None when all is drained."""
    waiting = select(func.min(OutboxEvent.created_at)).where(OutboxEvent.relayed_at.is_(None)).scalar_subquery()
    due = select(func.min(Job.run_at)).where(_due(clock.now())).scalar_subquery()
    return session.execute(select(func.least(waiting, due))).scalar()


def _due(now: datetime) -> Any:
    return and_(
        Job.done_at.is_(None), Job.dead_at.is_(None), Job.run_at <= now,
        or_(Job.claimed_until.is_(None), Job.claimed_until < now),
    )  # fmt: skip
