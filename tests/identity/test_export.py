"""The export: everything that is kept about a person, and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import personal_data
from app.foundation.db import session
from app.foundation.models import Base
from app.notifications.models import Notification
from app.scheduling.models import Booking, Claim
from app.scheduling.operations.resources import ensure_person_resource
from tests.cast import ANA, BO, LEO, LOU, Person, at_school, member
from tests.client import LintingClient

SOON = datetime(2027, 3, 1, 9, tzinfo=UTC)


def booked(person: Person, note: str) -> int:
    """A booking of a person, decided by Ana, with a claim and a notification."""
    with at_school(person.slug):
        learner = member(person)
        mine = ensure_person_resource(learner)
        booking = Booking(
            learner_id=learner.id, status="approved", starts_at=SOON, ends_at=SOON + timedelta(hours=2), note=note
        )
        booking.decided_by_id = member(ANA).id
        session.add(booking)
        session.flush()
        from sqlalchemy.dialects.postgresql import Range

        during = Range(booking.starts_at, booking.ends_at)
        session.add(Claim(booking_id=booking.id, resource_id=mine.id, role="learner", state="soft", during=during))
        session.add(
            Notification(membership_id=learner.id, kind="booking", cause=f"b:{booking.id}", facts={"by": "Ana"})
        )
        session.commit()
        return booking.id


def export(app: Flask, person: Person, slug: str = "skyline") -> dict[str, Any]:
    client = LintingClient(app).sign_in(person, school=slug)
    answer = client.browser.get(f"/{slug}/profile/export.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{slug}-')
    assert answer.headers["Cache-Control"] == "private, no-store"
    return json.loads(answer.text)


def test_it_tells_everything_about_the_person(app: Flask) -> None:
    booking_id = booked(LEO, "crosswind landings")
    told = export(app, LEO)
    assert told["account"]["email"] == LEO.email
    assert told["account"]["signed_in"][0]["created_at"]
    assert told["membership"][0]["name"] == "Leo Hart"
    assert [(b["id"], b["note"], b["starts_at"]) for b in told["booking"]] == [
        (booking_id, "crosswind landings", "2027-03-01T09:00:00+00:00")
    ]
    assert told["claim"][0]["role"] == "learner"
    assert told["notification"][0]["facts"] == {"by": "Ana"}
    assert "session.opened" in {entry["action"] for entry in told["audit_entry"]}


def test_it_tells_nothing_of_others(app: Flask) -> None:
    booked(LEO, "crosswind landings")
    text = json.dumps(export(app, ANA))
    assert "gusty crosswinds" not in text  # she decided the booking; it is not hers
    assert LEO.email not in text
    assert "Leo Hart" not in text


def test_each_school_tells_its_own(app: Flask) -> None:
    skyline, harbour = export(app, BO, "skyline"), export(app, BO, "harbour")
    assert skyline["membership"][0]["roles"] == ["instructor"]
    assert harbour["membership"][0]["roles"] == ["learner"]
    assert skyline["membership"][0]["id"] != harbour["membership"][0]["id"]


def test_it_is_whole_and_in_order_however_many_batches_it_takes(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [booked(LEO, f"flight {n}") for n in range(7)]
    once = export(app, LEO)
    monkeypatch.setattr(personal_data, "BATCH", 3)
    told = export(app, LEO)
    assert [booking["id"] for booking in told["booking"]] == numbers
    assert list(told) == list(once)
    assert {table: len(told[table]) for table in personal_data.THEIRS if table in once} == {
        # Signing in again and the first export are told as well.
        table: len(once[table]) + (2 if table == "audit_entry" else 0) for table in personal_data.THEIRS if table in once
    }  # fmt: skip


def test_no_secret_is_in_it(app: Flask) -> None:
    text = json.dumps(export(app, LEO))
    for secret in ("password", "token", "cipher", "hash", "tenant_id", "question_order"):
        assert secret not in text.replace("password.", "")


def test_that_it_was_asked_for_is_recorded(app: Flask) -> None:
    export(app, LEO)
    with at_school("skyline"):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "profile.exported")).one()
        assert (entry.actor_id, entry.subject_id) == (member(LEO).id, member(LEO).id)


def test_the_litany(app: Flask) -> None:
    path = "/skyline/profile/export.json"
    assert app.test_client().get(path).location.startswith("/login")
    assert LintingClient(app).sign_in(LOU).get(path).status == 404
    assert LintingClient(app).sign_in(LEO).post(path).status == 405


def test_every_column_that_names_a_member_is_accounted_for(the_app: Flask) -> None:
    """A new table that speaks of people must say whose its rows are."""
    lost = [
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info.get("tenant_ref", ("",))[0] == "membership"
        and (table.name, column.name) not in personal_data.NOT_THEIRS
        and column.name not in getattr(personal_data.THEIRS.get(table.name), "by", ())
    ]
    assert lost == [], "say in app/foundation/personal_data.py whose these rows are"


def test_every_table_below_a_persons_rows_is_accounted_for(the_app: Flask) -> None:
    """Rows that go when a person's row goes hang below it: an answer below an attempt."""
    lost = [
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if (reference := column.info.get("tenant_ref"))
        and reference[0] in personal_data.THEIRS.keys() - {"membership"}
        and reference[1] == "CASCADE"
        and table.name not in personal_data.THEIRS
    ]
    assert lost == [], "say in app/foundation/personal_data.py whose these rows are"


def test_the_lists_name_what_there_is(the_app: Flask) -> None:
    tables = Base.metadata.tables
    for name, theirs in personal_data.THEIRS.items():
        named = {*theirs.by, *theirs.without, *theirs.blank}
        assert named <= set(tables[name].columns.keys()), name
    for table, column in personal_data.NOT_THEIRS:
        assert column in tables[table].columns
