"""What a host and a monitor are told, with each part gone once."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from app.audit.models import AuditEntry
from app.foundation import clock, db, health, queue, tenancy
from app.foundation.db import session
from app.foundation.models import Job, WorkerHeartbeat
from tests.cast import at_school
from tests.client import LintingClient
from tests.foundation.work import forget_all_work
from tests.live import free_port


def ready(app: Flask) -> tuple[int, dict[str, str]]:
    answer = app.test_client().get("/readyz")
    return answer.status_code, answer.json  # type: ignore[return-value]


@pytest.fixture
def alive(app: Flask) -> Flask:
    """All is well: worker and cron beat, and nothing waits."""
    forget_all_work()
    with tenancy.tenant_scope(None):
        for kind in ("worker", "cron"):
            session.add(WorkerHeartbeat(name=f"{kind}:tests:1", seen_at=clock.now()))
        session.commit()
    return app


def test_all_is_well(alive: Flask) -> None:
    up = dict.fromkeys(("database", "redis", "worker", "cron", "queue", "partitions"), "up")
    assert ready(alive) == (200, {**up, "migrations": "current", "status": "ready"})
    assert LintingClient(alive).get("/healthz").answer.json == {"status": "up"}


def test_redis_gone_is_degraded(alive: Flask) -> None:
    before = queue._redis
    queue.init_queue(f"redis://127.0.0.1:{free_port()}/0")
    try:
        status, report = ready(alive)
    finally:
        queue._redis = before
    assert (status, report["redis"], report["status"]) == (200, "degraded", "degraded")


@pytest.mark.parametrize(("late", "other"), [("worker", "cron"), ("cron", "worker")])
def test_a_late_worker_or_cron_is_degraded(alive: Flask, late: str, other: str) -> None:
    theirs = update(WorkerHeartbeat).where(WorkerHeartbeat.name.startswith(late))
    with tenancy.tenant_scope(None):
        session.execute(theirs.values(seen_at=clock.now() - timedelta(minutes=2)))
        session.commit()
    status, report = ready(alive)
    assert (status, report[late], report[other], report["status"]) == (200, "degraded", "up", "degraded")


def test_rows_that_lie_in_no_month_are_degraded(alive: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with at_school("skyline"), db.unit_of_work(), time_machine.travel(datetime(2041, 1, 1, tzinfo=UTC)):
        session.add(AuditEntry(action="tests.strayed", subject_type="", at=clock.now()))
    status, report = ready(alive)
    assert (status, report["partitions"], report["status"]) == (200, "degraded", "degraded")
    assert "rows lie in no month" in caplog.text


def test_work_that_waits_too_long_is_degraded(alive: Flask) -> None:
    with tenancy.tenant_scope(None):
        late = clock.now() - timedelta(minutes=6)
        session.add(Job(tenant_id=1, kind="tests.late", key="late", args={}, run_at=late))
        session.commit()
    status, report = ready(alive)
    assert (status, report["queue"], report["status"]) == (200, "degraded", "degraded")


def test_pending_migrations_are_not_ready(alive: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "newest_migrations", lambda: frozenset({"9999"}))
    status, report = ready(alive)
    assert (status, report["migrations"], report["status"]) == (503, "pending", "down")


def test_without_a_database_nothing_is_ready(no_database: Flask) -> None:
    status, report = ready(no_database)
    assert (status, report["database"], report["status"]) == (503, "down", "down")
    assert no_database.test_client().get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/skyline/", "/nowhere/", "/schools"])
def test_without_a_database_every_page_says_so_within_three_seconds(no_database: Flask, path: str) -> None:
    client = LintingClient(no_database)
    with client.browser.session_transaction() as cookie:
        cookie["token"] = "of somebody"
    began = time.perf_counter()
    page = client.get(path)
    assert (page.status, page.h1) == (503, "Groundschool is resting")
    assert time.perf_counter() - began < 3
    assert page.headers["X-Request-ID"] in page.text


def test_a_post_without_a_database_says_so(no_database: Flask) -> None:
    client = LintingClient(no_database)
    page = client.get("/login").form("Sign in").fill(email="x@y.example", password="x").submit()
    assert page.status == 503


# -- metrics -------------------------------------------------------------------------------------------------------


def metrics(app: Flask, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = app.test_client().get("/metrics", headers=headers)
    return answer.status_code, answer.text


def test_made_up_methods_make_no_metric_of_their_own(app: Flask) -> None:
    app.test_client().open("/healthz", method="BREW")
    text = metrics(app)[1]
    assert 'method="other",status="405"' in text
    assert "BREW" not in text


def test_metrics_name_endpoints_and_nobody(app: Flask) -> None:
    app.test_client().get("/skyline/stuck-work")
    status, text = metrics(app)
    assert status == 200
    assert 'groundschool_requests_total{endpoint="tenants.stuck_work_index",method="GET",status="303"}' in text
    assert "skyline" not in text
    assert "groundschool_request_seconds_bucket" in text


TOKENS = [("", "", 404), ("", "guess", 404), ("right", "", 404), ("right", "wrong", 404), ("right", "right", 200)]


@pytest.mark.parametrize(("set_token", "given", "status"), TOKENS)
def test_outside_the_demo_metrics_want_their_token(app: Flask, set_token: str, given: str, status: int) -> None:
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, demo=False, metrics_token=set_token)
    try:
        assert metrics(app, given)[0] == status
    finally:
        app.config["SETTINGS"] = before


def test_metrics_of_all_processes_are_summed(app: Flask, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Two processes count in files of one folder; each answers for both."""
    import subprocess
    import sys

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    count = "from app.foundation.metrics import REQUESTS; REQUESTS.labels('home.show', 'GET', 200).inc()"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], check=True, timeout=20)
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], prometheus_multiproc_dir=tmp_path))
    assert 'groundschool_requests_total{endpoint="home.show",method="GET",status="200"} 2.0' in metrics(app)[1]
