"""gunicorn's settings: threads, because a page waits for PostgreSQL more than it computes."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from typing import Any

from prometheus_client import multiprocess

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
keepalive = 5
timeout = 30
graceful_timeout = 10
control_socket_disable = True
YOUNG_OBJECTS = 20_000
errorlog = "-"
loglevel = "warning"


def post_worker_init(_worker: Any) -> None:
    """Watch the database's pulse, where there is one. Leave what was loaded at start out of every collection, and collect less
    often: a page makes some thousand objects that are gone by counting references, and with the usual threshold each page
    pays for several collections."""
    from app.foundation import db, pulse

    with suppress(RuntimeError):  # The floor that bin/bench serves with these settings has no engine of ours.
        pulse.watch(db.engine())
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the live gauges of a web process that ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)
