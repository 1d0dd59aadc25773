"""The doorbell's jobs: do what is due in one school, and find the schools where something is."""

from __future__ import annotations

from app.foundation import jobs, queue, tenancy
from app.foundation.db import unit_of_work


def drain(tenant_id: int) -> int:
    """Relay a school's events and do its due rows. Returns how many rows ran."""
    return jobs.drain_tenant(tenant_id)


def sweep() -> None:
    """Enqueue one drain for each school that has something due: what a crash or a Redis outage left behind."""
    with tenancy.tenant_scope(None), unit_of_work():
        waiting = jobs.tenants_with_work()
    for tenant_id in waiting:
        queue.ring("jobs.relay.drain", tenant_id)
