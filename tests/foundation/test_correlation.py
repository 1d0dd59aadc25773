"""One id ties together what a request did: its answer, its log line, the trail, the work it left and what that logs."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.audit.models import AuditEntry
from app.foundation import jobs, tenancy
from app.foundation.db import session
from app.foundation.logs import JsonLines
from app.foundation.models import Job, OutboxEvent
from tests.cast import ANA, at_school
from tests.client import LintingClient
from tests.foundation.work import forget_all_work
from tests.scheduling.booking_makers import make_request

GIVEN = "tower-0042-abcd"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the application logs from here on, as it reaches standard output."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    handler.setFormatter(JsonLines())
    root.addHandler(handler)
    root.setLevel("INFO")
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def said(lines: io.StringIO, message: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, lines.getvalue().splitlines()) if line["message"] == message]


def test_one_id_leads_from_the_request_to_the_trail_the_work_and_the_logs(app: Flask, lines: io.StringIO) -> None:
    with at_school("skyline") as school:
        path = f"/skyline/bookings/{make_request().id}/approval"
        session.commit()
    client = LintingClient(app).sign_in(ANA)
    forget_all_work()

    answer = client.post(path, headers={"X-Request-ID": GIVEN})
    assert (answer.status, answer.headers["X-Request-ID"]) == (303, GIVEN)
    request = said(lines, "request")[-1]
    assert (request["endpoint"], request["correlation_id"]) == ("scheduling.approval_create", GIVEN)
    with at_school("skyline"):
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry
        assert (entry.action, entry.correlation_id) == ("booking.approved", GIVEN)

    with tenancy.tenant_scope(None):
        assert set(session.scalars(select(OutboxEvent.correlation_id))) == {GIVEN}
        jobs.relay_events(school.id)
        assert set(session.scalars(select(Job.correlation_id))) == {GIVEN}
        session.execute(update(Job).values(kind="tests.nobody_does_this"))
        session.commit()
    assert jobs.drain_tenant(school.id) > 0
    assert {line["correlation_id"] for line in said(lines, "job failed")} == {GIVEN}
