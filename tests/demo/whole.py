"""A demo as its first start leaves it: emptied, seeded, and all work done that was due."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from app.demo import operations
from app.demo.commands import empty_database
from app.foundation import tenancy
from app.foundation.db import unit_of_work
from app.foundation.jobs import drain_tenant, tenants_with_work
from jobs.worker import load_jobs
from tests.audit.committed import Committed, committed


class WholeDemo(Committed):
    """A database on which the seed has run as at a first start. `took` is how long, in seconds."""

    took: float = 0.0


@contextmanager
def whole_demo(app: Flask, name: str) -> Iterator[WholeDemo]:
    """Have `app` work on a demo of its own. Not together with the `app` fixture."""
    with committed(app, name) as here:
        demo = WholeDemo.__new__(WholeDemo)
        demo.__dict__.update(here.__dict__)
        with app.app_context():
            empty_database(here.settings)
            began = time.perf_counter()
            operations.seed()
            demo.took = time.perf_counter() - began
            work_off()
        yield demo


def work_off() -> None:
    """What the worker does in a demo's first minute."""
    load_jobs()
    with tenancy.tenant_scope(None), unit_of_work():
        waiting = tenants_with_work()
    for tenant_id in waiting:
        while drain_tenant(tenant_id):
            pass
