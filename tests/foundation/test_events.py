"""Events: told in the transaction in which they happened, relayed to each reaction once, also after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.foundation import events, jobs, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.events import Event, announce, reactions_to, reacts_to
from app.foundation.logs import begin_correlation, correlation_id
from app.foundation.models import Job, OutboxEvent
from tests.cast import at_school
from tests.foundation.work import forget_all_work


@dataclass(frozen=True)
class Landed(Event):
    """An aircraft came down."""

    aircraft_id: int
    runway: str = "27"


@pytest.fixture
def told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two reactions to Landed, which write down what they were told."""
    forget_all_work()
    monkeypatch.setattr(events, "_reactions", {})
    heard: list[Any] = []

    @reacts_to(Landed)
    def first(event: Landed) -> None:
        heard.append(("first", event, tenancy.required().slug, correlation_id()))

    @reacts_to(Landed)
    def second(event: Landed) -> None:
        heard.append(("second", event, tenancy.required().slug, correlation_id()))

    return heard


def say(aircraft_id: int = 7) -> int:
    with at_school("skyline") as place, unit_of_work():
        announce(Landed(aircraft_id))
    return place.id


def test_each_reaction_hears_of_it_once(app: Flask, told: list[Any]) -> None:
    mark = begin_correlation()
    place = say()
    jobs.drain_tenant(place)
    jobs.drain_tenant(place)
    assert sorted(told) == [("first", Landed(7), "skyline", mark), ("second", Landed(7), "skyline", mark)]


def test_what_is_rolled_back_never_happened(app: Flask, told: list[Any]) -> None:
    def fail() -> None:
        with at_school("skyline"), unit_of_work():
            announce(Landed(7))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not session.scalars(select(OutboxEvent).where(OutboxEvent.name == "Landed")).all()


def test_one_reaction_that_fails_does_not_stop_the_other(app: Flask, told: list[Any]) -> None:
    @reacts_to(Landed)
    def third(_event: Landed) -> None:
        raise ValueError("no")

    place = say()
    jobs.drain_tenant(place)
    assert {name for name, *_ in told} == {"first", "second"}
    failed = session.scalars(select(Job).where(Job.error.is_not(None))).one()
    assert failed.args["reaction"].endswith(".third")


def test_an_event_relayed_twice_makes_its_rows_once(app: Flask, told: list[Any]) -> None:
    """A relay that died between two commits leaves the event waiting: the effect keys hold."""
    place = say()
    jobs.relay_events(place)
    for event in session.scalars(select(OutboxEvent).where(OutboxEvent.name == "Landed")):
        event.relayed_at = None
    session.commit()
    jobs.drain_tenant(place)
    assert len(told) == 2


def test_an_older_row_without_a_field_takes_the_default(app: Flask, told: list[Any]) -> None:
    place = say()
    for event in session.scalars(select(OutboxEvent).where(OutboxEvent.name == "Landed")):
        event.payload = {"aircraft_id": 9, "gone": True}
    session.commit()
    jobs.drain_tenant(place)
    assert {event for _name, event, *_ in told} == {Landed(9, "27")}


def test_an_event_that_nobody_hears_is_relayed_all_the_same(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_reactions", {})
    place = say()
    assert reactions_to("Landed") == []
    assert jobs.relay_events(place) >= 1
    assert jobs.relay_events(place) == 0


def test_an_event_outside_a_school_is_a_bug(app: Flask) -> None:
    with pytest.raises(tenancy.NoTenant):
        announce(Landed(7))


def test_the_sweep_finds_what_a_crash_left(app: Flask, told: list[Any]) -> None:
    from rq import Queue

    from app.foundation import queue
    from jobs import relay

    queue.redis().flushdb()
    place = say()
    queue.redis().flushdb()
    relay.sweep()
    waiting = Queue(connection=queue.redis()).jobs
    assert ("jobs.relay.drain", (place,)) in {(job.func_name, job.args) for job in waiting}
    relay.drain(place)
    assert len(told) == 2
    queue.redis().flushdb()
