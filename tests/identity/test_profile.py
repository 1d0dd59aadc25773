"""The profile: a person's own part, and the part that admins keep."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.foundation.refusals import Refusal
from app.identity.models import Membership
from app.identity.operations.profile import change_profile
from app.tenants.queries import list_departments, school_settings
from tests.cast import ANA, BEA, HAL, LEO, LOU, MAX, Person, actor, at_school, member
from tests.client import LintingClient

OWN = {"name": "Leo Härt", "phone": "+1 555 0100", "zone": "America/Denver", "emergency_contact": "Mum, +1 555 0101"}


def of(person: Person) -> Membership:
    with at_school(person.slug):
        return member(person)


def last_entry() -> AuditEntry:
    with at_school("skyline"):
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).first()
        assert found
        return found


def offer_words() -> None:
    with at_school("skyline"):
        school_settings().levels, school_settings().tags = ["Student", "Private"], ["night", "glass cockpit"]
        session.commit()


@pytest.mark.parametrize("person", [LEO, BEA, ANA, MAX, LOU])
def test_everybody_edits_what_is_theirs(app: Flask, person: Person) -> None:
    client = LintingClient(app).sign_in(person)
    page = client.get(f"/{person.slug}/profile").form("Save profile").fill(OWN).submit()
    assert "Your profile is saved" in page.text
    assert {name: page.form("Save profile").value(name) for name in OWN} == OWN
    found = of(person)
    assert (found.name, found.name_key) == ("Leo Härt", "leo hart")


def test_the_trail_says_that_personal_data_changed_and_not_what_it_is(app: Flask) -> None:
    LintingClient(app).sign_in(LEO).get("/skyline/profile").form("Save profile").fill(OWN).submit()
    entry = last_entry()
    assert entry.action == "profile.changed"
    assert entry.after == {
        "name": "changed", "phone": "changed", "emergency_contact": "changed", "zone": "America/Denver",
    }  # fmt: skip
    assert session.query(OutboxEvent).filter_by(name="ProfileChanged").count() == 1


def test_saving_nothing_new_records_nothing(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    before = last_entry().id
    assert "saved" in client.get("/skyline/profile").form("Save profile").submit().text
    assert last_entry().id == before


def test_times_are_shown_in_the_zone_that_was_chosen(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    client.get("/skyline/profile").form("Save profile").fill(zone="Asia/Tokyo").submit()
    with at_school("skyline"):
        assert member(LEO).zone == "Asia/Tokyo"
    client.get("/skyline/profile").form("Save profile").fill(zone="").submit()
    with at_school("skyline"):
        assert member(LEO).zone is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 121),
        ("zone", "Mars/Olympus"),
        ("locale", "xx"),
        ("phone", "1" * 41),
        ("phone", "1\n2"),
    ],
)
def test_what_makes_no_sense_is_said_at_the_field(app: Flask, field: str, value: str) -> None:
    client = LintingClient(app).sign_in(LEO)
    page = client.post("/skyline/profile", {"name": "Leo Hart", "zone": "", "locale": "en", field: value})
    assert page.status == 422
    assert page.by_id(f"{field}-error") is not None
    assert of(LEO).name == "Leo Hart"


def test_nobody_makes_themself_an_admin_by_their_profile(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    fields = {**OWN, "locale": "en", "roles": "admin", "status": "active", "level": "Chief", "department_id": "1"}
    assert client.post("/skyline/profile", fields).status == 303
    found = of(LEO)
    assert (found.roles, found.level) == (["learner"], None)


def test_the_litany_of_the_own_profile(app: Flask) -> None:
    assert LintingClient(app).get("/skyline/profile").location.startswith("/login")
    assert LintingClient(app).sign_in(LOU).get("/skyline/profile").status == 404
    assert LintingClient(app).sign_in(LEO).get("/skyline/profile").status == 200
    assert app.test_client().delete("/skyline/profile").status_code == 405
    assert LintingClient(app).sign_in(LEO).post("/skyline/profile", OWN, csrf=False).status == 400


def test_admins_keep_the_facts(app: Flask) -> None:
    offer_words()
    bea, leo = of(BEA), of(LEO)
    client = LintingClient(app).sign_in(ANA)
    form = client.get(f"/skyline/people/{leo.id}/facts").form("Save")
    assert str(leo.id) not in form.choices("primary_instructor_id")
    page = form.fill(
        level="Private", tags=["night"], primary_instructor_id=bea.id, certificate_number="C-17", license_number="L 4"
    ).submit()
    assert "is saved" in page.text
    found = of(LEO)
    assert (found.level, found.tags, found.primary_instructor_id) == ("Private", ["night"], bea.id)
    entry = last_entry()
    assert entry.actor_id == of(ANA).id
    assert entry.after == {
        "level": "Private", "tags": ["night"], "primary_instructor_id": bea.id,
        "certificate_number": "changed", "license_number": "changed",
    }  # fmt: skip


def test_two_admins_who_change_different_facts_keep_both(app: Flask) -> None:
    offer_words()
    path = f"/skyline/people/{of(LEO).id}/facts"
    client = LintingClient(app).sign_in(ANA)
    first, second, third = (client.get(path).form("Save") for _window in range(3))
    crew = next(key for key, name in first.choices("department_id").items() if name == "Cabin crew")
    instrument = next(key for key, name in first.choices("department_id").items() if name == "Instrument")
    first.fill(department_id=crew, tags=["night"]).submit()
    assert "is saved" in second.fill(level="Private").submit().text
    found = of(LEO)
    assert (str(found.department_id), found.level, found.tags) == (crew, "Private", ["night"])
    refused = third.fill(department_id=instrument).submit()
    assert refused.status == 409
    assert "Somebody else changed the same while you did." in refused.text
    assert str(of(LEO).department_id) == crew
    again = refused.form("Save")
    assert again.value("department_id") == instrument
    assert (again.value("level"), again.data().getlist("tags")) == ("Private", ["night"]), "what others made of it"
    assert "Somebody else changed this to: Cabin crew." in refused.text
    again.submit()
    found = of(LEO)
    assert (str(found.department_id), found.level, found.tags) == (instrument, "Private", ["night"])


def test_tags_are_boxes_of_which_each_keeps_theirs(app: Flask) -> None:
    offer_words()
    path = f"/skyline/people/{of(LEO).id}/facts"
    client = LintingClient(app).sign_in(ANA)
    client.get(path).form("Save").fill(tags=["night"]).submit()
    first, second = (client.get(path).form("Save") for _window in range(2))
    first.fill(tags=["night", "glass cockpit"]).submit()
    assert "is saved" in second.fill(tags=[]).submit().text
    assert of(LEO).tags == ["glass cockpit"]


@pytest.mark.parametrize(
    ("read", "status"),
    [("", 303), ("{", 303), ("[1]", 303), ("7", 303), ("[" * 100_000, 303), ("{}", 303), ('{"level": ["x"]}', 409)],
)
def test_a_form_that_says_nothing_of_what_it_was_made_with_counts_as_a_whole(
    app: Flask, read: str, status: int
) -> None:
    offer_words()
    client, leo = LintingClient(app).sign_in(ANA), of(LEO)
    sent = {"read": read, "department_id": "", "level": "Private", "primary_instructor_id": "", "certificate_number": "",
            "license_number": ""}  # fmt: skip
    assert client.post(f"/skyline/people/{leo.id}/facts", sent).status == status
    assert of(LEO).level == ("Private" if status == 303 else None)


def test_a_level_that_the_school_dropped_stays_with_who_has_it(app: Flask) -> None:
    offer_words()
    with at_school("skyline"):
        leo = member(LEO)
        leo.level, leo.tags = "Cadet", ["veteran"]
        session.commit()
    client = LintingClient(app).sign_in(ANA)
    page = client.get(f"/skyline/people/{leo.id}/facts").form("Save").fill(certificate_number="C-18").submit()
    assert page.status == 200
    found = of(LEO)
    assert (found.level, found.tags, found.certificate_number) == ("Cadet", ["veteran"], "C-18")


def test_the_litany_of_the_facts(app: Flask) -> None:
    path = f"/skyline/people/{of(LEO).id}/facts"
    assert LintingClient(app).get(path).location.startswith("/login")
    assert LintingClient(app).sign_in(HAL).get(path).status == 404
    assert LintingClient(app).sign_in(HAL).get(path.replace("skyline", "harbour")).status == 404
    assert LintingClient(app).sign_in(LEO).get(path).status == 403
    assert LintingClient(app).sign_in(MAX).post(path, {"level": ""}).status == 403
    assert LintingClient(app).sign_in(ANA).get("/skyline/people/999999/facts").status == 404
    assert LintingClient(app).sign_in(ANA).post(path, {"level": "None of ours"}).status == 422


@pytest.mark.parametrize(
    "wrong", ["another school's department", "a learner", "themself", "a level", "a tag", "a zone"]
)
def test_the_deed_refuses_what_there_is_not(app: Flask, wrong: str) -> None:
    with at_school("harbour"):
        elsewhere = list_departments()[0].id
    with app.test_request_context(), at_school("skyline"):
        changes = {
            "another school's department": {"department_id": elsewhere},
            "a learner": {"primary_instructor_id": member(LEO).id},
            "themself": {"primary_instructor_id": member(BEA).id},
            "a level": {"level": "Ace"},
            "a tag": {"tags": ["ace"]},
            "a zone": {"zone": "Mars/Olympus"},
        }[wrong]
        with pytest.raises(Refusal):
            change_profile(member(BEA), changes, actor=actor(ANA))
        with pytest.raises(ValueError, match="roles"):
            change_profile(member(BEA), {"roles": ["admin"]}, actor=actor(ANA))
