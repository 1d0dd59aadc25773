"""Counting the days, hourly: one job for each school where something happened lately."""

from __future__ import annotations

from datetime import timedelta

from app.analytics.operations import count_recent_days
from app.analytics.queries import list_schools_active_since
from app.analytics.rules import RECENT_DAYS
from app.foundation import clock, queue, tenancy
from app.foundation.db import unit_of_work
from app.foundation.jobs import tenant_job


def count_active_schools() -> list[int]:
    """Enqueue a count for each school that announced anything in the days that are still counted. Returns their ids.

    Every deed that is counted announces an event, and the outbox is no school's own, so one SELECT of ids tells whom to
    visit; a quiet school keeps its numbers, which are still right. A count that Redis lost is made by the next tick.
    """
    with tenancy.tenant_scope(None), unit_of_work():
        active = list_schools_active_since(clock.now() - timedelta(days=RECENT_DAYS))
    for tenant_id in active:
        queue.ring("jobs.analytics.count_school", tenant_id)
    return active


@tenant_job
def count_school() -> None:
    count_recent_days()
