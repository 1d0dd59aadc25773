"""The doorbell: rung once after the commit, and not missed when it is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from rq import Queue

from app.foundation import queue
from app.foundation.db import session, unit_of_work
from app.foundation.jobs import schedule_job
from tests.cast import ANA, LEO, PASSWORD, at_school
from tests.client import LintingClient
from tests.live import free_port


@pytest.fixture
def bell(app: Flask) -> Iterator[Queue]:
    """A bell that nobody else rings: the tests of the other workers share the server, so each has a database for this."""
    before, url = queue._redis, app.config["SETTINGS"].redis_url
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    queue.init_queue(f"{url}{'&' if '?' in url else '?'}db={14 + worker % 2}")
    queue.redis().flushdb()
    yield Queue(connection=queue.redis())
    queue.redis().flushdb()
    queue._redis = before


@pytest.fixture
def no_redis(app: Flask) -> Iterator[None]:
    """Redis is gone: nobody listens at its port."""
    before = queue._redis
    queue.init_queue(f"redis://127.0.0.1:{free_port()}/0")
    yield
    queue._redis = before


def test_it_rings_once_after_the_commit(app: Flask, bell: Queue) -> None:
    with at_school("skyline") as place, unit_of_work():
        for number in range(3):
            schedule_job("tests.nothing", key=f"bell:{number}")
        assert len(bell) == 0
    assert [(job.func_name, job.args) for job in bell.jobs] == [("jobs.relay.drain", (place.id,))]


def test_it_does_not_ring_while_a_form_is_still_being_answered(app: Flask, bell: Queue) -> None:
    """A form's deed runs in a savepoint. What a refused one had rung for is forgotten, what the request rings for later is not."""
    with at_school("skyline") as place, unit_of_work():
        with session.begin_nested():
            schedule_job("tests.nothing", key="bell")
        assert len(bell) == 0
    assert len(bell) == 1
    with at_school("skyline"), unit_of_work():
        refused = session.begin_nested()
        schedule_job("tests.nothing", key="refused")
        refused.rollback()
        schedule_job("tests.nothing", key="kept")
    assert [job.args for job in bell.jobs] == [(place.id,)] * 2


def test_it_does_not_ring_for_what_was_rolled_back(app: Flask, bell: Queue) -> None:
    with at_school("skyline"):
        schedule_job("tests.nothing", key="bell")
        session.rollback()
        schedule_job("tests.nothing", key="later", run_at=None)
        session.commit()
    assert len(bell) == 1


def test_it_does_not_ring_for_the_future(app: Flask, bell: Queue) -> None:
    from datetime import timedelta

    from app.foundation import clock

    with at_school("skyline"), unit_of_work():
        schedule_job("tests.nothing", key="bell", run_at=clock.now() + timedelta(hours=1))
    assert len(bell) == 0


def test_without_redis_a_page_answers_at_once_and_the_work_is_kept(
    app: Flask, no_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    from app.foundation.models import Job

    caplog.set_level("WARNING")
    client = LintingClient(app).sign_in(ANA)
    with at_school("skyline"):
        session.add(
            Job(tenant_id=1, kind="tests.nothing", key="1:stuck", args={}, run_at="now", dead_at="now", error="x")
        )
        session.commit()
    form = client.get("/skyline/stuck-work").form("Try again")
    began = time.perf_counter()
    assert form.submit(follow=False).status == 303
    assert time.perf_counter() - began < 1
    assert "the queue could not be reached" in caplog.text


def test_without_redis_people_sign_in(app: Flask, no_redis: None) -> None:
    page = LintingClient(app).get("/login").form("Sign in")
    assert page.fill(email=LEO.email, password=PASSWORD).submit(follow=False).status == 303


def test_the_client_is_there_only_once_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_redis", None)
    with pytest.raises(RuntimeError, match="init_queue"):
        queue.redis()
