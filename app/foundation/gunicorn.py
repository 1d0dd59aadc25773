"""gunicorn's settings: threads, because a page waits for PostgreSQL more than it computes."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any

from prometheus_client import multiprocess

from app.foundation.settings import BadSetting, read_settings

settings = read_settings()
"""A bad one ends gunicorn here with its sentence, before any process loads the application."""
metrics_dir = settings.prometheus_multiproc_dir
if metrics_dir and not metrics_dir.is_dir():
    raise BadSetting(f"PROMETHEUS_MULTIPROC_DIR must be a folder, and there is none at {metrics_dir}: make it, empty.")

bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
worker_class = "gthread"
workers = settings.web_concurrency
threads = settings.web_threads
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

    engine = None
    with suppress(RuntimeError):  # The floor that bin/bench serves with these settings has no engine of ours.
        engine = db.engine()
    if engine is not None:
        pulse.watch(engine)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the live gauges of a web process that ended."""
    if metrics_dir:
        multiprocess.mark_process_dead(worker.pid, path=str(metrics_dir))
