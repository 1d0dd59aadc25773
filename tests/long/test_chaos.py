"""Each part of the product is stopped, frozen and killed while people use it: what they see, and that nothing is lost."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
import pytest
import redis

from tests.browser import Answer, Browser
from tests.cast import ANA, LEO, PASSWORD, Person
from tests.launcher.processes import frozen, wait_until
from tests.long import rounds
from tests.long.lessons import Lessons
from tests.long.product import (
    PROGRAMS,
    Ground,
    Product,
    check_escalated_once,
    children_of,
    let_it_be_late,
    let_leases_end,
    number_of,
    request_hour,
    wait_until_drained,
)
from tests.measured import measured

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="these look at processes through /proc"),
]

PATIENCE = 3.0  # seconds in which every answer comes, whatever is away
POSTS_BETWEEN_KILLS = 4
POSTERS = 3
PAGES = ("/skyline/", "/skyline/courses", "/skyline/week", "/skyline/bookings", "/schools?stay=1")


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    try:
        made.stop()
    finally:
        made.remove()


# -- nothing that was answered is lost -----------------------------------------------------------------------------


def test_no_answered_post_is_lost_when_a_process_is_killed(ground: Ground) -> None:
    """Each process in turn is killed with -9 in the middle of posts, and in the end bin/run itself."""
    product = ground.on_embedded_servers()
    late: list[int] = []
    posts = Posts()
    for _round in range(rounds(10)):
        with posts.going_on(product):
            for name, victim in in_any_order(victims(product)):
                late += one_that_is_late(product, name)
                posts.wait_for_more()
                began, before = time.monotonic(), posts.count
                product.kill(victim())
                posts.wait_for_more()
                measured(
                    f"{name} killed: after {time.monotonic() - began:.1f} s {posts.count - before} more posts were answered"
                )
            product.kill(product.started.process.pid)
        ground.forget()
        product = ground.on_embedded_servers()
    measured(f"answers: {dict(sorted(posts.statuses.items()))}")
    assert set(posts.statuses) <= {303, 503}, posts.odd
    kept = {note for (note,) in product.rows("select note from booking where note like 'chaos %%'")}
    assert posts.answered - kept == set()
    let_leases_end(product)
    wait_until_drained(product)
    check_escalated_once(product, late)


def victims(product: Product) -> dict[str, Callable[[], int]]:
    programs = {name: lambda name=name: product.pid(name) for name in ("web", "worker", "cron", "redis", "postgres")}
    return {**programs, "one web process": product.web_process, "a job in hand": product.job_in_hand}


def in_any_order(parts: dict[str, Any]) -> list[tuple[str, Any]]:
    return random.sample([*parts.items()], len(parts))


def one_that_is_late(product: Product, note: str) -> list[int]:
    """A booking whose escalation is due just when the next process is killed."""
    booking = number_of(request_hour(product.browser(LEO), f"late: {note}"))
    let_it_be_late(product, booking)
    return [booking]


@dataclass
class Posts:
    """People who go on posting. `answered` are the notes of the requests that were answered with their booking's page."""

    answered: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def count(self) -> int:
        return len(self.answered)

    @contextmanager
    def going_on(self, product: Product) -> Iterator[None]:
        self.over.clear()
        people = [Person(f"learner{number:02}@skyline.example", "skyline") for number in range(1, POSTERS + 1)]
        browsers = [product.browser(person) for person in people]
        with ThreadPoolExecutor(POSTERS) as pool:
            going = [pool.submit(self._post_on, browser, number) for number, browser in enumerate(browsers)]
            try:
                yield
            finally:
                self.over.set()
        for one in going:
            one.result()

    def wait_for_more(self) -> None:
        """Until people have been answered some more times."""
        enough = self.count + POSTS_BETWEEN_KILLS
        wait_until(lambda: self.count >= enough, seconds=60)

    def _post_on(self, browser: Browser, number: int) -> None:
        turn = 0
        while not self.over.is_set():
            turn += 1
            note = f"chaos {os.getpid()} {number} {time.monotonic_ns()}"
            try:
                answer = request_hour(browser, note, number=turn % 400)
            except (OSError, http.client.HTTPException):
                self.over.wait(0.05)  # Nobody answers just now, as a person sees who tries again.
                continue
            self.statuses[answer.status] += 1
            if answer.status == 303 and "/bookings/" in answer.location:
                self.answered.add(note)
            elif answer.status != 503:
                self.odd.append(f"{answer.status} {answer.location} {answer.text[:300]}")


# -- people go on while a part is away -----------------------------------------------------------------------------


def test_people_go_on_without_redis_worker_or_cron(ground: Ground) -> None:
    """Stopped, killed, frozen, emptied, one at a time; afterwards everything that had to happen has happened once."""
    product = ground.on_servers_of_its_own()
    people = People(product)
    late: list[int] = []
    for _round in range(rounds(10)):
        for name, away in in_any_order(ABSENCES):
            with away(ground, product):
                booking = people.use_everything(name)
                let_it_be_late(product, booking)
                check_degraded(product, name, booking)
                late.append(booking)
        let_leases_end(product)
        wait_until_drained(product)
        check_escalated_once(product, late)
    wait_until(lambda: readiness(product, 200)["status"] == "ready", seconds=60)


def check_degraded(product: Product, name: str, booking: int) -> None:
    """/readyz names what is away, and work that is late, unless a worker that was under way has just taken that."""
    report = readiness(product, 200)
    expected = {part for part in ("redis", "worker", "cron") if name.startswith(part)}
    waiting = "select 1 from job where key like %s and done_at is null and coalesce(claimed_until, now()) <= now()"
    if product.rows(waiting, f"%:escalate:{booking}:1"):
        expected = {*expected, "queue"}
    missed = {part for part in expected if report[part] != "degraded"}
    assert not missed, (name, report)
    assert report["status"] == "degraded" or not expected, (name, report)


@contextmanager
def redis_stopped(ground: Ground, _product: Product) -> Iterator[None]:
    assert ground.redis
    ground.redis.stop()
    yield
    ground.redis.start()


@contextmanager
def redis_frozen(ground: Ground, _product: Product) -> Iterator[None]:
    assert ground.redis
    assert ground.redis.process
    with frozen(ground.redis.process.pid):
        yield


@contextmanager
def redis_emptied(ground: Ground, product: Product) -> Iterator[None]:
    """All that Redis knew is gone: who is due, who works, what waits."""
    assert ground.redis
    with frozen(product.pid("worker")):
        yield
        redis.Redis.from_url(ground.redis.url).flushall()


@contextmanager
def program_frozen(_ground: Ground, product: Product, *, kind: str) -> Iterator[None]:
    """One that is there and does nothing: its heartbeat grows old."""
    pid = product.pid(kind)
    while not _froze_between_heartbeats(product, kind, pid):
        pass
    with frozen(pid):
        yield


def _froze_between_heartbeats(product: Product, kind: str, pid: int) -> bool:
    """Freeze it and let its heartbeat be old; one that is caught while it writes it would hold that row for good."""
    os.kill(pid, signal.SIGSTOP)
    try:
        _age_heartbeat(product, kind)
    except psycopg2.errors.LockNotAvailable:
        os.kill(pid, signal.SIGCONT)
        return False
    return True


@contextmanager
def program_gone(_ground: Ground, product: Product, *, kind: str) -> Iterator[None]:
    """Killed, and nobody there to start it again: a host without supervision, or a program that dies at each start."""
    with frozen(product.started.process.pid):
        product.kill(product.pid(kind))
        wait_until(lambda: not product.started.pid(*PROGRAMS[kind]))
        _age_heartbeat(product, kind)
        yield
        assert not product.started.pid(*PROGRAMS[kind]), f"{kind} came back by itself"


def _age_heartbeat(product: Product, kind: str) -> None:
    """As if minutes had passed since it was last alive."""
    product.rows(
        "update worker_heartbeat set seen_at = seen_at - interval '5 minutes' where name like %s returning name",
        f"{kind}:%",
    )


ABSENCES = {
    "redis stopped": redis_stopped,
    "redis frozen": redis_frozen,
    "what redis knew": redis_emptied,
    "worker frozen": partial(program_frozen, kind="worker"),
    "worker gone": partial(program_gone, kind="worker"),
    "cron frozen": partial(program_frozen, kind="cron"),
    "cron gone": partial(program_gone, kind="cron"),
}
"""What begins with a part's name is degraded in /readyz."""


class People:
    """Leo, who learns and asks for hours, and Ana, who approves."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.leo, self.ana, self.hours = product.browser(LEO), product.browser(ANA), 100
        courses = product.rows(
            "select c.id from course c join tenant t on t.id = c.tenant_id where t.slug = 'skyline' and c.slug = 'airspace'"
        )
        self.lessons = Lessons(self.leo, f"/skyline/courses/{courses[0][0]}")
        self.first = self.lessons.begin()
        self.quiz = self.lessons.quiz_after(self.first)

    def use_everything(self, without: str) -> int:
        """Sign in, look round, take a step, answer a quiz, ask for two hours, have one approved. Returns the other's id."""
        answers = [self.leo.ask("GET", path) for path in PAGES]
        assert {answer.status for answer in answers} == {200}
        seen = len(self.lessons.answers)
        self.lessons.read_step(self.first)
        question = self.lessons.open_quiz(self.quiz)
        assert "/steps/" in self.lessons.answer(question, question.options[0]).location
        answers += self.lessons.answers[seen:]
        again = Browser(self.product.host).sign_in(LEO)
        asked = request_hour(again, f"approved without {without}", number=self._another_hour())
        answers += [asked, self.ana.post(f"{asked.location}/approval")]
        assert answers[-1].status == 303, answers[-1].text[:400]
        waiting = request_hour(again, f"waits without {without}", number=self._another_hour())
        slowest = max(answer.seconds for answer in [*answers, waiting])
        measured(f"without {without}: {len(answers) + 1} answers, the slowest after {slowest:.2f} s")
        assert slowest < PATIENCE
        return number_of(waiting)

    def _another_hour(self) -> int:
        """Leo is not asked to be in two places."""
        self.hours += 1
        return self.hours


# -- nothing works without the records, and says so ----------------------------------------------------------------


def test_without_postgresql_every_page_says_so_and_comes_back_by_itself(ground: Ground) -> None:
    product = ground.product if ground.postgres and ground.product else ground.on_servers_of_its_own()
    assert ground.postgres
    leo = product.browser(LEO)
    web = product.pid("web")
    late: list[int] = []
    for number in range(rounds(10)):
        late += one_that_is_late(product, f"when the records went, round {number}")
        ground.postgres.stop()
        with ThreadPoolExecutor(8) as pool:
            asked = list(pool.map(lambda path: leo.ask("GET", path), [*PAGES, "/skyline/bookings/new", "/login"] * 3))
        asked += [request_hour(leo, "nobody is there"), leo.post("/login", email=LEO.email, password=PASSWORD)]
        slowest = max(answer.seconds for answer in asked)
        measured(
            f"without postgres: {dict(Counter(answer.status for answer in asked))}, the slowest after {slowest:.2f} s"
        )
        for answer in asked:
            check_rests(answer)
        assert product.ask("/healthz").status == 200
        assert product.ask("/static/nothing").status == 404
        assert readiness(product, 503)["database"] == "down"

        ground.postgres.start()
        began = time.monotonic()
        wait_until(lambda: leo.ask("GET", "/skyline/").status == 200, seconds=20)
        wait_until(lambda: product.ask("/readyz").status == 200, seconds=20)
        measured(f"back after {time.monotonic() - began:.2f} s")
    assert {leo.ask("GET", path).status for path in PAGES * 4} == {200}
    assert number_of(request_hour(leo, "they are back"))
    assert product.pid("web") == web
    let_leases_end(product)
    wait_until_drained(product)
    check_escalated_once(product, late)


def test_a_postgresql_that_hangs_is_as_good_as_gone(ground: Ground) -> None:
    """All its processes are frozen, as by a disk that does not answer: connections stay open and nothing comes through them."""
    product = ground.product if ground.postgres and ground.product else ground.on_servers_of_its_own()
    assert ground.postgres
    assert ground.postgres.process
    leo, late = product.browser(LEO), []
    for number in range(rounds(10)):
        late += one_that_is_late(product, f"when the records froze, round {number}")
        master = ground.postgres.process.pid
        with frozen(master, *children_of(master)):
            with ThreadPoolExecutor(8) as pool:
                asked = list(pool.map(lambda path: leo.ask("GET", path), [*PAGES, "/skyline/bookings/new"] * 3))
            slowest = max(answer.seconds for answer in asked)
            measured(
                f"with postgres frozen: {Counter(answer.status for answer in asked)}, the slowest after {slowest:.2f} s"
            )
            for answer in asked:
                check_rests(answer)
            assert product.ask("/healthz").status == 200
            assert readiness(product, 503)["database"] == "down"
        began = time.monotonic()
        wait_until(lambda: leo.ask("GET", "/skyline/").status == 200, seconds=20)
        wait_until(lambda: product.ask("/readyz").status == 200, seconds=20)
        measured(f"back after {time.monotonic() - began:.2f} s")
    let_leases_end(product)
    wait_until_drained(product)
    check_escalated_once(product, late)


def check_rests(answer: Answer) -> None:
    """503 in the product's look, with a code to quote, soon enough. Sign-in may show its form, which asks nobody."""
    assert answer.seconds < PATIENCE
    if answer.status == 200:
        assert "Sign in" in answer.text
        return
    assert answer.status == 503, answer.text[:400]
    assert "Groundschool is resting" in answer.text
    assert 'rel="stylesheet"' in answer.text
    assert "Code for support" in answer.text


def readiness(product: Product, status: int) -> dict[str, str]:
    """What /readyz reports, with the status it must have."""
    answer = product.ask("/readyz")
    assert answer.status == status, answer.text
    assert answer.seconds < PATIENCE
    report: dict[str, str] = json.loads(answer.text)
    return report
