"""Sixty learners want one hour, and sixty approvals of it arrive at once: over HTTP, against gunicorn and a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.operations.accounts import add_member, add_user
from app.scheduling.models import Booking, Claim
from tests.browser import ONCE, Answer, Browser
from tests.cast import ANA, BEA, PASSWORD, Person
from tests.live import LiveServer
from tests.measured import measured
from tests.pace import check_seconds, slowdown
from tests.scheduling.booking_makers import aircraft, an_hour, person, work_only

RIVALS = 60
LONGEST_WAIT = 1.0  # seconds, on a machine that does nothing else


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    server = LiveServer("contention", workers=2, threads=8)
    yield server
    server.stop()


def learners() -> list[Person]:
    """Sixty new ones."""
    everybody = [Person(f"rival{n:02}@skyline.example", "skyline") for n in range(RIVALS)]
    for n, one in enumerate(everybody):
        user = add_user(one.email, password=PASSWORD, cost=4)
        add_member(user, name=f"Rival {n:02}", roles=[Role.LEARNER], actor=SYSTEM)
    return everybody


def at_once(deeds: list[Callable[[], Answer]]) -> list[Answer]:
    """Do all of these at the same moment, each in a thread of its own."""
    start = Barrier(len(deeds))

    def one(deed: Callable[[], Answer]) -> Answer:
        start.wait(20)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(one, deeds))


def in_words(answers: list[Answer]) -> str:
    waits = sorted(answer.seconds for answer in answers)
    return (
        f"{dict(Counter(answer.status for answer in answers))}, "
        f"median {waits[len(waits) // 2]:.3f} s, slowest {waits[-1]:.3f} s"
    )


def warm_up(learner: Browser, admin: Browser, instructor: int, live: LiveServer) -> None:
    """Let each process of the server load what it needs once, as it has after its first minute: templates, statements."""
    for _ in range(4 * live.settings.web_concurrency):
        key = ONCE.search(learner.ask("GET", "/skyline/bookings/new").text)
        assert key
        day = an_hour(days=7).date().isoformat()
        made = learner.post(
            "/skyline/bookings", once=key.group(1), day=day, time="10:00", minutes="60", activity="ground",
            instructor=instructor, note="",
        )  # fmt: skip
        if made.status == 303:
            admin.post(f"{made.location}/approval")
            admin.post(f"{made.location}/approval")


def test_sixty_ask_for_one_hour_and_one_gets_it(live: LiveServer, the_app: Flask) -> None:
    host = urlsplit(live.url).netloc
    with live.inside("skyline", app=the_app):
        rivals = learners()
        bea = person(BEA).id
        aircraft()
        work_only(BEA, 9 * 60, 17 * 60)
        session.commit()
    admin = Browser(host).sign_in(ANA)
    with ThreadPoolExecutor(4) as pool:
        browsers = list(pool.map(lambda who: Browser(host).sign_in(who), rivals))
        forms = list(pool.map(lambda one: one.ask("GET", "/skyline/bookings/new").text, browsers))
    wanted = {
        "day": an_hour().date().isoformat(), "time": "10:00", "minutes": "60", "activity": "dual_flight",
        "instructor": bea, "note": "",
    }  # fmt: skip
    keys = [found.group(1) for found in map(ONCE.search, forms) if found]

    warm_up(browsers[0], admin, bea, live)

    asked = at_once([
        lambda one=one, key=key: one.post("/skyline/bookings", once=key, **wanted)
        for one, key in zip(browsers, keys, strict=True)
    ])  # fmt: skip
    measured(f"{RIVALS} requests at once: {in_words(asked)}")
    assert [answer.status for answer in asked] == [303] * RIVALS
    pages = sorted({answer.location for answer in asked})
    assert len(pages) == RIVALS
    told = browsers[0].ask("GET", asked[0].location).text
    assert f"{RIVALS - 1} others have asked for this hour" in told

    shared = slowdown()
    decided = at_once([lambda path=path: admin.post(f"{path}/approval") for path in pages])
    shared = max(shared, slowdown())
    measured(f"{RIVALS} approvals at once: {in_words(decided)}, on a machine shared {shared:.1f} ways")
    assert Counter(answer.status for answer in decided) == {303: 1, 409: RIVALS - 1}
    assert all("The next free one is 11:00" in answer.text for answer in decided if answer.status == 409)

    with live.inside("skyline", app=the_app):
        of_hour = select(Booking.status, func.count()).where(Booking.starts_at == an_hour()).group_by(Booking.status)
        assert dict(session.execute(of_hour).all()) == {"approved": 1, "requested": RIVALS - 1}
        firm = select(func.count()).where(
            Claim.resource_id == bea, Claim.state == "firm", Claim.during.contains(an_hour())
        )
        assert session.scalar(firm) == 1
    check_seconds(max(answer.seconds for answer in decided), limit=LONGEST_WAIT, shared=shared)


def test_one_booking_is_approved_cancelled_and_declined_at_once(live: LiveServer, the_app: Flask) -> None:
    """Whichever comes first, the booking ends in a state that some order of the three leads to, with claims to match."""
    host = urlsplit(live.url).netloc
    with live.inside("skyline", app=the_app):
        bea = person(BEA).id
    leo, admin = Browser(host).sign_in(Person("learner@skyline.example", "skyline")), Browser(host).sign_in(ANA)
    for day in range(1, 6):
        key = ONCE.search(leo.ask("GET", "/skyline/bookings/new").text)
        assert key
        made = leo.post(
            "/skyline/bookings", once=key.group(1), day=an_hour(day).date().isoformat(), time="10:00", minutes="60",
            activity="ground", instructor=bea, note="",
        )  # fmt: skip
        assert made.status == 303
        path = made.location
        answers = at_once([
            lambda: admin.post(f"{path}/approval"),  # noqa: B023
            lambda: leo.post(f"{path}/cancellation", reason="Ill"),  # noqa: B023
            lambda: admin.post(f"{path}/decline", reason="No"),  # noqa: B023
            lambda: admin.post(f"{path}/assignment", instructor=bea, craft=""),  # noqa: B023
        ])  # fmt: skip
        assert {answer.status for answer in answers} <= {303, 409}
        assert any(answer.status == 303 for answer in answers)
        with live.inside("skyline", app=the_app):
            booking = session.get_one(Booking, int(path.rsplit("/", 1)[1]))
            claims = {claim.state for claim in booking.claims}
            assert claims == ({"firm"} if booking.status in ("approved", "assigned") else {"released"})
