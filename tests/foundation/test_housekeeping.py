"""What nobody needs goes, in batches and as often as one likes; what somebody may still ask for stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.foundation import housekeeping, jobs, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.models import Base, Job, OnceKey, OutboxEvent, WorkerHeartbeat
from app.identity.models import OneUseToken, UserSession
from app.notifications.models import Notification
from jobs import housekeeping as housekeeping_jobs
from tests.cast import ANA, LEO, LOU, Person, at_school, member, school
from tests.client import LintingClient
from tests.foundation.work import forget_all_work

NOW = datetime(2031, 11, 21, 3, 17, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _at_night(app: Flask) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        forget_all_work()
        yield


def prune() -> list[str]:
    """One night's tick, and all the work that it wrote."""
    written = housekeeping_jobs.schedule_pruning()
    for slug in ("skyline", "harbour"):
        jobs.drain_tenant(school(slug).id)
    return written


def count(model: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def use_keys(person: Person, ages: list[timedelta]) -> None:
    with at_school(person.slug), unit_of_work():
        user_id = member(person).user_id
        for number, age in enumerate(ages):
            session.add(OnceKey(key=f"{number:016}", user_id=user_id, created_at=NOW - age))


def keys_left(slug: str) -> int:
    with at_school(slug):
        return count(OnceKey)


def test_keys_go_after_a_day_at_every_school(app: Flask) -> None:
    use_keys(LEO, [timedelta(hours=1), timedelta(hours=25), 3 * DAY])
    use_keys(LOU, [timedelta(hours=23)])
    assert prune() == ["prune_platform", "prune_keys"]
    assert (keys_left("skyline"), keys_left("harbour")) == (1, 1)
    with time_machine.travel(NOW + DAY, tick=False):
        prune()
    assert (keys_left("skyline"), keys_left("harbour")) == (0, 0)


def test_more_than_a_batch_goes_a_batch_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(LEO, [2 * DAY] * 5)
    monkeypatch.setattr(housekeeping.forget_spent_keys, "__kwdefaults__", {"batch": 2})
    with at_school("skyline") as skyline, unit_of_work():
        jobs.schedule_job("housekeeping.prune_keys", key="once")
    assert jobs.drain_tenant(skyline.id) == 3, "two, two, and the last one"
    assert keys_left("skyline") == 0


def test_the_tick_is_once_a_day_however_often_the_clock_strikes(app: Flask) -> None:
    assert [housekeeping_jobs.schedule_pruning() for _ in range(2)] == [["prune_platform"], []]
    with time_machine.travel(NOW + DAY, tick=False):
        assert housekeeping_jobs.schedule_pruning() == ["prune_platform"]


def test_finished_work_goes_after_a_month_and_what_failed_stays(app: Flask) -> None:
    old, young = NOW - 31 * DAY, NOW - 29 * DAY
    ends = {"done": {"done_at": old}, "lately": {"done_at": young}, "dead": {"dead_at": old}, "waits": {}}
    with tenancy.tenant_scope(None), unit_of_work():
        for key, end in ends.items():
            session.add(Job(tenant_id=1, kind="tests.old", key=key, args={}, run_at=NOW + DAY, created_at=old, **end))
        for name, relayed in (("Old", old), ("Young", young)):
            session.add(OutboxEvent(tenant_id=1, name=name, payload={}, created_at=old, relayed_at=relayed))
    prune()
    with tenancy.tenant_scope(None):
        assert set(session.scalars(select(Job.key).where(Job.kind == "tests.old"))) == {"lately", "dead", "waits"}
        assert list(session.scalars(select(OutboxEvent.name))) == ["Young"]


def test_sessions_links_and_silent_workers_go_when_they_are_over(app: Flask) -> None:
    token = iter(range(100))
    with at_school("skyline"):
        user_id = member(LEO).user_id
    with tenancy.tenant_scope(None), unit_of_work():
        session.execute(UserSession.__table__.delete())
        session.execute(OneUseToken.__table__.delete())
        for ended, expires in ((91, 0), (89, 0), (None, 91), (None, 89), (None, -1)):
            row = UserSession(user_id=user_id, token_hash=str(next(token)), expires_at=NOW - expires * DAY)
            row.ended_at = None if ended is None else NOW - ended * DAY
            session.add(row)
        for used, expires in ((31, 20), (None, 31), (29, 28), (None, 29), (None, -1)):
            link = OneUseToken(purpose="set_up", token_hash=str(next(token)), expires_at=NOW - expires * DAY)
            link.used_at = None if used is None else NOW - used * DAY
            session.add(link)
        for name, hours in (("gone", 25), ("here", 0)):
            session.merge(WorkerHeartbeat(name=name, seen_at=NOW - timedelta(hours=hours)))
    prune()
    with tenancy.tenant_scope(None):
        assert (count(UserSession), count(OneUseToken)) == (3, 3)
        assert set(session.scalars(select(WorkerHeartbeat.name))) == {"here"}


def test_old_notifications_stay(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        told = {"membership_id": member(LEO).id, "kind": "booking_approved", "cause": "tests", "facts": {}}
        session.add(Notification(**told, created_at=NOW - 800 * DAY, read_at=NOW - 799 * DAY))
    prune()
    with at_school("skyline"):
        assert count(Notification) == 1


def test_pruning_that_fails_is_seen_under_stuck_work(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_rights() -> bool:
        raise PermissionError("permission denied for table job")

    monkeypatch.setattr(housekeeping, "forget_finished_work", no_rights)
    housekeeping_jobs.schedule_pruning()
    for hours in range(9):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            jobs.drain_tenant(school("skyline").id)
    page = LintingClient(app).sign_in(ANA).get("/skyline/stuck-work")
    assert "Clearing away old rows" in page.text
    assert "permission denied for table job" in page.text
