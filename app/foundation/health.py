"""Health: /healthz (the process is up), /readyz (it can serve), /metrics."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, abort, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.foundation import clock, jobs, metrics, partitions, queue
from app.foundation.db import session
from app.foundation.models import PROCESS_IS_LATE, WorkerHeartbeat
from app.foundation.permissions import public
from app.foundation.settings import Settings

log = logging.getLogger(__name__)
QUEUE_IS_LATE = timedelta(minutes=5)
MIGRATIONS = Path(__file__).parents[2] / "migrations"

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public("a host asks whether the process is up")
def healthz() -> Response:
    return jsonify(status="up")


@bp.get("/readyz")
@public("a host asks whether to send people here")
def readyz() -> tuple[Response, int]:
    """503 only without the database or with migrations pending; what else is missing is reported as degraded, with 200."""
    report: dict[str, Any] = {"database": "up", "redis": redis_state()}
    try:
        report.update({part: ask() for part, ask in ASKED.items()})
    except SQLAlchemyError:
        session.rollback()
        report.update({"database": "down", **dict.fromkeys(ASKED, "unknown")})
    ready = report["database"] == "up" and report["migrations"] == "current"
    fine = ready and all(report[part] == "up" for part in ("redis", *ASKED) if part != "migrations")
    report["status"] = "ready" if fine else "degraded" if ready else "down"
    return jsonify(report), 200 if ready else 503


@bp.get("/metrics")
@public("a monitor reads the counters, with a token outside the demo")
def show_metrics() -> Response:
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.demo:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not settings.metrics_token or not hmac.compare_digest(given.encode(), settings.metrics_token.encode()):
            abort(404)
    return Response(metrics.exposition(settings.prometheus_multiproc_dir), content_type=CONTENT_TYPE_LATEST)


def redis_state() -> str:
    try:
        queue.redis().ping()
    except RedisError:
        return "degraded"
    return "up"


def migration_state() -> str:
    stands_at = select(text("version_num")).select_from(text("alembic_version"))
    found = session.execute(stands_at.execution_options(global_tables_only=True)).scalars().all()
    return "current" if set(found) == newest_migrations() else "pending"


def process_state(kind: str) -> str:
    """Whether any worker, or any cron, was alive lately."""
    last = select(func.max(WorkerHeartbeat.seen_at)).where(WorkerHeartbeat.name.startswith(f"{kind}:"))
    seen = session.execute(last).scalar()
    return "up" if seen and clock.now() - seen < PROCESS_IS_LATE else "degraded"


def queue_state() -> str:
    oldest = jobs.oldest_waiting()
    return "degraded" if oldest and clock.now() - oldest > QUEUE_IS_LATE else "up"


def partition_state() -> str:
    """Degraded while rows lie in no month: they are kept and found, but their month can get no partition of its own."""
    strays = partitions.tables_with_strays()
    if strays:
        log.error("rows lie in no month", extra={"tables": strays})
    return "degraded" if strays else "up"


ASKED: dict[str, Callable[[], str]] = {
    "migrations": migration_state,
    "worker": partial(process_state, "worker"),
    "cron": partial(process_state, "cron"),
    "queue": queue_state,
    "partitions": partition_state,
}
"""What is asked of the database, by its name in the report."""


@cache
def newest_migrations() -> frozenset[str]:
    """The revisions that this code was written for."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return frozenset(ScriptDirectory.from_config(config).get_heads())
