"""Pruning: each day rows of work like any other, tried again where they fail and then seen under Stuck work."""

from __future__ import annotations

from datetime import datetime

from app.foundation import clock, housekeeping, tenancy
from app.foundation.db import unit_of_work
from app.foundation.jobs import row_job, schedule_job, tenant_by_id
from app.identity.operations import acting, links, sessions
from app.tenants.queries import find_first_school


def schedule_pruning() -> list[str]:
    """Write today's rows of work, once however often the clock strikes: one for what belongs to no school, and one for each
    school that has keys to forget. Returns the kinds written.

    A row of work belongs to a school, so what is the platform's own is done in the name of the school that was there first.
    """
    with tenancy.tenant_scope(None), unit_of_work():
        first, spent = find_first_school(), housekeeping.schools_with_spent_keys()
    written = [_write("prune_platform", first.id)] if first else []
    written += [_write("prune_keys", tenant_id) for tenant_id in spent]
    return list(filter(None, written))


@row_job
def prune_platform() -> datetime | None:
    """One batch of each: finished work, silent processes, acting that ended unseen, ended sessions, links that are used or over."""
    return _again_if(
        [
            housekeeping.forget_finished_work(),
            housekeeping.forget_dead_processes(),
            acting.end_acting_that_is_over(),
            sessions.forget_ended_sessions(),
            links.forget_old_links(),
        ]
    )


@row_job
def prune_keys() -> datetime | None:
    """One batch of the school's one-use keys."""
    return _again_if([housekeeping.forget_spent_keys()])


def _again_if(more: list[bool]) -> datetime | None:
    """A row that answers with an instant is run again then: each batch is a transaction of its own."""
    return clock.now() if any(more) else None


def _write(what: str, tenant_id: int) -> str:
    with tenancy.tenant_scope(tenant_by_id(tenant_id)), unit_of_work():
        is_new = schedule_job(f"housekeeping.{what}", key=f"{what}:{clock.today('UTC')}")
    return what if is_new else ""
