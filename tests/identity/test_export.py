"""The export: everything that is kept about a person, and nobody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.audit.models import AuditEntry
from app.foundation import clock, personal_data
from app.foundation.db import session
from app.foundation.models import Base
from app.identity.models import User
from app.identity.operations.profile import tell
from app.notifications.models import Notification
from app.scheduling.models import Booking, Claim
from app.scheduling.operations.resources import ensure_person_resource
from app.tenants.models import Tenant
from tests.cast import ANA, BO, HAL, LEO, LOU, MAX, Person, actor, at_school, member
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


def export(app: Flask, person: Person, slug: str = "skyline", *, address: str = "127.0.0.1") -> dict[str, Any]:
    client = LintingClient(app, address=address).sign_in(person, school=slug)
    return download(client, f"/{slug}/profile/export.json")


def download(client: LintingClient, path: str) -> dict[str, Any]:
    answer = client.browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{path.split("/")[1]}-')
    assert answer.headers["Cache-Control"] == "private, no-store"
    return json.loads(answer.text)


def person_path(person: Person) -> str:
    with at_school(person.slug):
        return f"/{person.slug}/people/{member(person).id}"


def now_is(person: Person, status: str, **user: Any) -> None:
    """As if a person stood otherwise in their school, and their account were otherwise."""
    with at_school(person.slug):
        found = member(person)
        found.status = status
        for name, value in user.items():
            setattr(session.get_one(User, found.user_id), name, value)
        session.commit()


def test_it_tells_everything_about_the_person(app: Flask) -> None:
    booking_id = booked(LEO, "crosswind landings")
    told = export(app, LEO)
    assert told["account"]["email"] == LEO.email
    assert told["user_session"][0]["created_at"]
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
    more = {"audit_entry": 2, "user_session": 1}  # signing in again and the first export are told as well
    there = [table for table in personal_data.THEIRS if table in once]
    assert {table: len(told[table]) - len(once[table]) for table in there} == {t: more.get(t, 0) for t in there}


def test_no_secret_is_in_it(app: Flask) -> None:
    ask_for_reset(app, LEO)
    told = export(app, LEO)
    assert told["one_use_token"][0]["purpose"] == "reset_password"
    text = json.dumps(told).replace("password.", "").replace("reset_password", "").replace("one_use_token", "")
    for secret in ("password", "token", "cipher", "hash", "tenant_id", "question_order", "key_id"):
        assert secret not in text


def ask_for_reset(app: Flask, person: Person, *, address: str = "203.0.113.9") -> None:
    LintingClient(app, address=address).get("/password/forgotten").form("Send the link").fill(
        email=person.email
    ).submit()


def test_they_read_from_which_addresses_they_came(app: Flask) -> None:
    """Of what others did to them, not from where those did it."""
    admin = LintingClient(app, address="198.51.100.7").sign_in(ANA)
    admin.get(person_path(LEO)).form("Save roles").fill(roles=["learner", "author"]).submit()
    ask_for_reset(app, LEO)
    told = export(app, LEO, address="192.0.2.44")
    opened = next(e for e in told["audit_entry"] if e["action"] == "session.opened")
    assert (opened["ip"], "user_agent" in opened) == ("192.0.2.44", True)
    changed = next(e for e in told["audit_entry"] if e["action"] == "member.roles_changed")
    assert changed.keys() & {"ip", "user_agent"} == set()
    assert "198.51.100.7" not in json.dumps(told)


def test_from_where_somebody_tried_their_address_is_not_told(app: Flask) -> None:
    """Anybody may ask for another's new password or try one: where they sit is theirs."""
    ask_for_reset(app, LEO)
    tried = LintingClient(app, address="203.0.113.77").sign_in_form()
    tried.fill(email=LEO.email, password="not the password").submit()
    told = export(app, LEO)
    entries = [*told["platform_entry"], *told["audit_entry"]]
    asked = [e for e in entries if e["action"] in ("password.reset_asked", "session.refused")]
    assert len(asked) == 2
    assert not any(e.keys() & {"ip", "user_agent"} for e in asked)
    assert "203.0.113" not in json.dumps(told)


def test_an_address_whose_key_is_gone_is_no_stumbling_block(app: Flask) -> None:
    export(app, LEO)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, secret_key="another secret of thirty-two characters", audit_keys="")
    try:
        with app.test_request_context(), at_school("skyline"):
            rows = [row for table, row in tell(member(LEO), actor=actor(LEO)).rows if table == "audit_entry"]
    finally:
        app.config["SETTINGS"] = settings
    assert next(row["ip"] for row in rows if row["action"] == "session.opened") is None


# -- an admin, for somebody who asked by phone ---------------------------------------------------------------------


def test_an_admin_takes_what_the_school_keeps_for_somebody_who_asked(app: Flask) -> None:
    booking_id = booked(LEO, "crosswind landings")
    ask_for_reset(app, LEO)
    LintingClient(app, address="192.0.2.44").sign_in(LEO)
    client = LintingClient(app).sign_in(ANA)
    told = download(client, client.get(person_path(LEO)).links()["Download their data"])
    assert told["account"] == {"email": LEO.email}
    assert [booking["id"] for booking in told["booking"]] == [booking_id]
    assert "session.opened" in {entry["action"] for entry in told["audit_entry"]}


def test_where_somebody_signs_in_is_not_the_admins_to_know(app: Flask) -> None:
    ask_for_reset(app, LEO)
    LintingClient(app, address="192.0.2.44").sign_in(LEO)
    told = download(LintingClient(app).sign_in(ANA), f"{person_path(LEO)}/export.json")
    assert told.keys() & {"user_session", "one_use_token", "platform_entry"} == set()
    assert not any("ip" in entry for entry in told["audit_entry"])
    assert "192.0.2.44" not in json.dumps(told)


def test_that_an_admin_took_it_is_in_the_trail_and_the_persons_history(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    download(client, f"{person_path(LEO)}/export.json")
    with at_school("skyline"):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "profile.exported")).one()
        assert (entry.actor_id, entry.subject_id) == (member(ANA).id, member(LEO).id)
    assert "Profile exported" in client.get(person_path(LEO)).text


def test_the_litany_of_an_admins_export(app: Flask) -> None:
    path = f"{person_path(LEO)}/export.json"
    assert app.test_client().get(path).location.startswith("/login")
    for stranger in (HAL, LOU):
        assert LintingClient(app).sign_in(stranger).get(path).status == 404
    assert LintingClient(app).sign_in(HAL).get(path.replace("skyline", "harbour")).status == 404
    for person in (LEO, MAX):
        assert LintingClient(app).sign_in(person).get(path).status == 403
    ana = LintingClient(app).sign_in(ANA)
    assert ana.get("/skyline/people/999999/export.json").status == 404
    assert ana.post(path).status == 405
    assert "Download their data" not in LintingClient(app).sign_in(MAX).get(person_path(LEO)).links()


# -- who is known, and not let in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "invited", "declined", "suspended"])
def test_who_is_not_let_in_takes_their_data_all_the_same(app: Flask, status: str) -> None:
    path = person_path(LEO)
    now_is(LEO, status)
    client = LintingClient(app).sign_in(LEO)
    told = download(client, client.get("/skyline/standing").links()["Download your data"])
    assert told["membership"][0]["name"] == "Leo Hart"
    assert told["audit_entry"]
    with at_school("skyline"):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "profile.exported")).one()
        assert f"/{entry.actor_id}" in path


@pytest.mark.parametrize(("status", "mails"), [("pending", True), ("invited", True), ("invited", False)])
def test_who_may_be_somebody_else_is_told_nothing(app: Flask, status: str, mails: bool) -> None:
    """Anybody may have registered elsewhere with the address that an admin typed."""
    now_is(LEO, status, email_confirmed_at=None)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = settings if mails else replace(settings, demo=False, smtp_url="")
    try:
        client = LintingClient(app).sign_in(LEO)
        assert "Download your data" not in client.get("/skyline/standing").links()
        for path in ("/skyline/profile/export.json", "/skyline/profile/erasure"):
            page = client.get(path)
            assert page.status == 409
            assert ("Confirm your e-mail" if mails else "Accept the invitation") in page.text
        assert client.post("/skyline/profile/erasure").status == 409
    finally:
        app.config["SETTINGS"] = settings


def test_where_no_mail_is_sent_who_waits_takes_their_data_unconfirmed(app: Flask) -> None:
    now_is(LEO, "pending", email_confirmed_at=None)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, demo=False, smtp_url="")
    try:
        assert export(app, LEO)["account"]["email"] == LEO.email
    finally:
        app.config["SETTINGS"] = settings


def test_a_suspended_school_is_closed_for_this_too(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    session.execute(update(Tenant).where(Tenant.slug == "skyline").values(suspended_at=clock.now()))
    session.commit()
    page = client.get("/skyline/profile/export.json")
    assert (page.status, page.h1) == (403, "Skyline Flight School is suspended")


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


def test_every_column_that_names_an_account_is_accounted_for(the_app: Flask) -> None:
    """Whatever says whose account it is about, with a foreign key or, since it outlives them, without."""
    lost = [
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if ("user_id" in column.name or any(key.column.table.name == "user_account" for key in column.foreign_keys))
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
