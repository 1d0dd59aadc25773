"""Work is a row: done once, tried again after a pause, parked when it stays broken, replayed by an admin."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock, events, jobs, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.jobs import AT_ONCE, GiveUp, drain_tenant, schedule_job, schedule_jobs, tenant_job
from app.foundation.models import Job
from app.foundation.pages import SIZE
from app.tenants.models import Department
from app.tenants.rules import WORK
from tests.cast import ANA, HAL, LEO, at_school, school
from tests.client import LintingClient, count_statements
from tests.foundation.work import forget_all_work

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., object]]:
    """The kinds of work of one test."""
    known: dict[str, Callable[..., object]] = {}
    monkeypatch.setattr(jobs, "_kinds", known)
    return known


@pytest.fixture
def skyline(app: Flask) -> Iterator[int]:
    forget_all_work()
    with at_school("skyline") as place:
        yield place.id


def row(key: str = "k") -> Job:
    with tenancy.tenant_scope(None):
        session.expire_all()
        return session.scalars(select(Job).where(Job.key.endswith(f":{key}"))).one()


def schedule(kind: str = "tests.work", key: str = "k", **over: Any) -> bool:
    made = schedule_job(kind, key=key, **over)
    session.commit()
    return made


def test_work_is_done_once(skyline: int, kinds: dict[str, Any]) -> None:
    done: list[int] = []
    kinds["tests.work"] = lambda number: done.append(number)
    assert schedule(number=7)
    assert not schedule(number=8)
    assert drain_tenant(skyline) == 1
    assert drain_tenant(skyline) == 0
    assert done == [7]
    assert row().done_at
    assert row().error is None


def test_work_runs_inside_its_school(app: Flask, kinds: dict[str, Any]) -> None:
    seen: list[str] = []
    kinds["tests.work"] = lambda: seen.append(tenancy.required().slug)
    for slug in ("skyline", "harbour"):
        with at_school(slug):
            schedule()
    drain_tenant(school("harbour").id)
    assert seen == ["harbour"]
    assert tenancy.current() is None


def test_work_of_the_future_waits(skyline: int, kinds: dict[str, Any]) -> None:
    kinds["tests.work"] = lambda: None
    with time_machine.travel(NOON, tick=False) as clock:
        schedule(run_at=NOON + timedelta(hours=4))
        assert drain_tenant(skyline) == 0
        clock.shift(timedelta(hours=4))
        assert drain_tenant(skyline) == 1


def test_of_much_work_the_first_is_due_now_and_the_rest_leaves_room_between(
    skyline: int, kinds: dict[str, Any]
) -> None:
    """Mails to a whole school: what a person waits for meanwhile is not behind all of them."""
    done: list[str] = []
    kinds["tests.work"] = lambda name: done.append(name)
    names = [f"many {n}" for n in range(AT_ONCE + 50)]
    with time_machine.travel(NOON, tick=False) as clock:
        schedule_jobs("tests.work", [(name, {"name": name}) for name in names])
        session.commit()
        drain_tenant(skyline)
        assert done == names[:AT_ONCE]
        with at_school("skyline"):
            schedule(key="urgent", name="urgent")
        clock.shift(timedelta(minutes=1))
        drain_tenant(skyline)
        assert "urgent" in done[AT_ONCE : AT_ONCE + 10]
        assert sorted(done) == sorted([*names, "urgent"])


def test_work_may_ask_to_be_done_again_later(skyline: int, kinds: dict[str, Any]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        answers: list[Any] = [NOON + timedelta(hours=1), None]
        kinds["tests.work"] = lambda: answers.pop(0)
        schedule()
        assert drain_tenant(skyline) == 1
        assert (row().run_at, row().tries, row().done_at) == (NOON + timedelta(hours=1), 0, None)
        clock.shift(timedelta(hours=1))
        assert drain_tenant(skyline) == 1
        assert row().done_at == NOON + timedelta(hours=1)


def test_a_failure_is_tried_again_after_a_growing_pause_then_parked(skyline: int, kinds: dict[str, Any]) -> None:
    def fail() -> None:
        session.add(Department(name="Half done"))
        session.flush()
        raise ValueError("the wind")

    kinds["tests.work"] = fail
    with time_machine.travel(NOON, tick=False) as clock:
        schedule(max_tries=3)
        pauses = []
        for _ in range(3):
            assert drain_tenant(skyline) == 1
            assert row().error == "ValueError: the wind"
            pauses.append((row().run_at - clock_now(clock)).total_seconds())
            if not row().dead_at:
                clock.move_to(row().run_at)
        assert pauses[:2] == [10, 20]
        assert row().dead_at
        clock.shift(timedelta(days=1))
        assert drain_tenant(skyline) == 0
    assert not session.scalars(select(Department).where(Department.name == "Half done")).all()


def clock_now(_traveller: Any) -> datetime:
    return datetime.now(UTC)


def test_the_pause_is_an_hour_at_most(skyline: int, kinds: dict[str, Any]) -> None:
    kinds["tests.work"] = lambda: 1 / 0
    with time_machine.travel(NOON, tick=False):
        schedule(max_tries=50)
        with tenancy.tenant_scope(None):
            row().tries = 20
            session.commit()
        drain_tenant(skyline)
        assert row().run_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize("kind", ["tests.gives_up", "tests.unknown"])
def test_what_no_retry_can_help_is_parked_at_once(skyline: int, kinds: dict[str, Any], kind: str) -> None:
    def give_up() -> None:
        raise GiveUp("there is nothing to do")

    kinds["tests.gives_up"] = give_up
    schedule(kind)
    drain_tenant(skyline)
    assert row().dead_at
    assert row().tries == 1


def test_a_database_s_error_leaves_no_values_in_the_row(skyline: int, kinds: dict[str, Any]) -> None:
    def clash() -> None:
        session.add_all([Department(name="Secret name"), Department(name="Secret name")])
        session.flush()

    kinds["tests.work"] = clash
    schedule(max_tries=1)
    drain_tenant(skyline)
    assert row().error == "UniqueViolation 23505"


def test_a_worker_that_died_leaves_its_row_to_another_when_the_lease_ends(skyline: int, kinds: dict[str, Any]) -> None:
    done: list[int] = []
    kinds["tests.work"] = lambda: done.append(1)
    with time_machine.travel(NOON, tick=False) as clock:
        schedule(max_tries=2)
        assert len(jobs.claim_jobs(skyline)) == 1
        assert jobs.claim_jobs(skyline) == []
        clock.shift(jobs.LEASE + timedelta(seconds=1))
        assert drain_tenant(skyline) == 1
    assert done == [1]


def test_a_worker_that_was_overtaken_leaves_the_row_alone(skyline: int, kinds: dict[str, Any]) -> None:
    """A row may wait for its turn behind slow ones for longer than its lease: whoever claimed it since does it."""
    done: list[str] = []
    kinds["tests.work"] = lambda: done.append("mailed")
    with time_machine.travel(NOON, tick=False) as clock:
        schedule()
        late = jobs.claim_jobs(skyline)
        clock.shift(jobs.LEASE + timedelta(seconds=1))
        (claimed,) = jobs.claim_jobs(skyline)
        jobs.run_claimed(school("skyline"), late[0])
        assert done == []
        jobs.run_claimed(school("skyline"), claimed)
        jobs.run_claimed(school("skyline"), claimed)
    assert done == ["mailed"]
    assert row().done_at


def test_a_row_that_is_being_done_is_done_by_nobody_else(committing_app: Flask, kinds: dict[str, Any]) -> None:
    """Not even when the lease has ended: a slow mail server would be sent the same mail twice."""
    done: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        begun.set()
        assert go_on.wait(10)
        done.append(1)

    kinds["tests.work"] = slowly
    place = school("skyline")
    with at_school("skyline"):
        forget_all_work()
        schedule()
    (claimed,) = jobs.claim_jobs(place.id)
    slow = threading.Thread(target=jobs.run_claimed, args=(place, claimed))
    slow.start()
    assert begun.wait(10)
    with time_machine.travel(datetime.now(UTC) + jobs.LEASE * 2):
        assert jobs.claim_jobs(place.id) == []
        jobs.run_claimed(place, claimed)
        go_on.set()
        slow.join(10)
    assert done == [1]


def test_a_drain_begins_nothing_when_its_time_is_up(skyline: int, kinds: dict[str, Any]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        kinds["tests.work"] = lambda: clock.shift(jobs.LONGEST_DRAIN)
        schedule(key="first")
        schedule(key="second")
        assert drain_tenant(skyline) == 1
        assert row("first").done_at
        assert (row("second").tries, row("second").claimed_until) == (0, None)
        assert drain_tenant(skyline) == 1
    assert row("second").done_at


def test_work_that_kills_its_worker_every_time_is_parked(skyline: int, kinds: dict[str, Any]) -> None:
    kinds["tests.work"] = lambda: None
    with time_machine.travel(NOON, tick=False) as clock:
        schedule(max_tries=2)
        for _ in range(2):
            assert jobs.claim_jobs(skyline)
            clock.shift(jobs.LEASE + timedelta(seconds=1))
        drain_tenant(skyline)
    assert "died every time" in (row().error or "")
    assert row().dead_at


def test_stuck_work_is_shown_to_its_school_s_admins_and_replayed(app: Flask, kinds: dict[str, Any]) -> None:
    broken = [True]

    def work() -> None:
        if broken:
            raise GiveUp("the runway is closed")

    kinds["tests.work"] = work
    with at_school("skyline") as place:
        schedule()
    drain_tenant(place.id)
    assert LintingClient(app).sign_in(LEO).get("/skyline/stuck-work").status == 403
    assert "runway" not in LintingClient(app).sign_in(HAL).get("/harbour/stuck-work").text
    page = LintingClient(app).sign_in(ANA).get("/skyline/stuck-work")
    assert "the runway is closed" in page.text
    broken.clear()
    assert "It will be tried again now." in page.form("Try again").submit().text
    drain_tenant(place.id)
    assert row().done_at
    with at_school("skyline"):
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "work.replayed")).one()
    assert page.form("Try again").submit().status == 404


def park(number: int, kind: str = "tests.work", error: str = "the runway is closed", **args: Any) -> None:
    """A row of Skyline's that was given up. `number` tells it from the others."""
    with at_school("skyline") as place:
        session.add(
            Job(
                tenant_id=place.id, kind=kind, key=f"parked:{number}", args=args, run_at=LONG_AGO, dead_at=clock.now(),
                error=f"{error} ({number:03})",
            )
        )  # fmt: skip
        session.commit()


def test_stuck_work_of_long_ago_is_reached_page_by_page(app: Flask) -> None:
    forget_all_work()
    for number in range(SIZE + 3):
        park(number)
    client = LintingClient(app).sign_in(ANA)
    with count_statements() as statements:
        page = client.get("/skyline/stuck-work")
    assert len(statements) <= 6
    assert [option.text for option in page.find_all(".//select/option")] == ["All", "tests.work"]
    assert len(page.find_all(".//tbody/tr")) == SIZE
    assert "(000)" not in page.text
    last = page.link("Next").follow()
    assert len(last.find_all(".//tbody/tr")) == 3
    assert "(000)" in last.text
    assert "(027)" in last.link("Previous").follow().text


def test_stuck_work_is_narrowed_by_its_kind_and_searched_in_its_error(app: Flask) -> None:
    forget_all_work()
    park(1)
    park(2, "notifications.mail_notification", error="SMTPServerDisconnected")
    park(3, jobs.REACTION, event="BookingApproved", reaction="notifications.reactions.on_booking_approved")
    client = LintingClient(app).sign_in(ANA)
    page = client.get("/skyline/stuck-work")
    words = [option.text for option in page.find_all(".//select/option")]
    assert words == ["All", "Mail of a notification", "Telling of an approved booking", "tests.work"]
    for kind, number in (("notifications.mail_notification", 2), ("notifications.reactions.on_booking_approved", 3)):
        one = page.form("Apply").fill(kind=kind).submit()
        assert [f"({n:03})" in one.text for n in (1, 2, 3)] == [n == number for n in (1, 2, 3)]
    found = page.form("Apply").fill(search="disconnected").submit()
    assert [f"({n:03})" in found.text for n in (1, 2, 3)] == [False, True, False]
    assert "Nothing stuck matches" in client.get("/skyline/stuck-work?search=100%25").text


def test_every_kind_of_work_is_in_words(app: Flask) -> None:
    folder = Path(__file__).parents[2] / "jobs"
    for path in folder.glob("*.py"):
        importlib.import_module(f"jobs.{path.stem}")
    reactions = {name for some in events._reactions.values() for name in some}
    ours = {kind for kind in jobs._kinds if not kind.startswith("tests.")}
    assert {name for name in reactions if not name.startswith("tests.")} | ours <= WORK.keys()


def test_the_last_of_a_kind_is_tried_again_and_its_list_says_so(app: Flask) -> None:
    forget_all_work()
    park(1, "notifications.mail")
    park(2)
    client = LintingClient(app).sign_in(ANA)
    narrowed = client.get("/skyline/stuck-work?kind=notifications.mail")
    nothing = narrowed.form("Try again").submit()
    assert nothing.path == narrowed.path
    assert "Nothing stuck matches" in nothing.text
    assert "(002)" in nothing.link("Show all stuck work").follow().text
    assert client.get("/skyline/stuck-work?kind=%00x").status == 400


def test_the_schools_with_work_are_found(app: Flask, kinds: dict[str, Any]) -> None:
    forget_all_work()
    with at_school("harbour") as harbour:
        schedule(run_at=LONG_AGO)
    with tenancy.tenant_scope(None):
        assert jobs.tenants_with_work() == [harbour.id]
        assert jobs.oldest_waiting() == LONG_AGO


def test_nothing_waits_when_all_is_drained(app: Flask) -> None:
    forget_all_work()
    assert jobs.oldest_waiting() is None
    assert jobs.tenants_with_work() == []


def test_a_school_that_is_gone_ends_the_work(app: Flask) -> None:
    with pytest.raises(GiveUp):
        drain_tenant(999_999)


def test_a_tenant_job_enters_its_school_and_commits(app: Flask) -> None:
    @tenant_job
    def add(name: str) -> str:
        session.add(Department(name=name))
        return tenancy.required().slug

    assert add(school("harbour").id, "Airships") == "harbour"
    assert tenancy.current() is None
    with at_school("harbour"):
        assert session.scalars(select(Department).where(Department.name == "Airships")).one()


def test_the_limit_ends_a_drain(skyline: int, kinds: dict[str, Any]) -> None:
    kinds["tests.work"] = lambda: None
    for number in range(12):
        schedule(key=f"k{number}")
    assert drain_tenant(skyline, limit=10) == 10
    assert drain_tenant(skyline) == 2


def test_workers_never_do_one_row_twice(committing_app: Flask, kinds: dict[str, Any]) -> None:
    """Four workers on connections of their own drain one school at once: each row is done once."""
    forget_all_work()
    done: list[int] = []
    kinds["tests.work"] = lambda number: done.append(number)
    with at_school("skyline") as place, unit_of_work():
        for number in range(60):
            schedule_job("tests.work", key=f"row:{number}", number=number)
    workers = [threading.Thread(target=_drain_in_context, args=(committing_app, place.id)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert sorted(done) == list(range(60))


def _drain_in_context(app: Flask, tenant_id: int) -> None:
    with app.app_context():
        drain_tenant(tenant_id)
