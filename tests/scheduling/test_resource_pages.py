"""Aircraft, simulators and rooms: admins add, rename and retire them; what is retired is offered to nobody."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.scheduling.models import Resource
from app.scheduling.queries.resources import list_aircraft
from tests.cast import ANA, BEA, HAL, LEO, at_school
from tests.client import LintingClient, Page
from tests.scheduling import booking_makers as bookings


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


def add(client: LintingClient, name: str, *, kind: str = "aircraft", detail: str = "Cessna 172") -> Page:
    form = client.get("/skyline/school").link("Aircraft and rooms").follow().form("Add it")
    return form.fill(kind=kind, name=name, detail=detail).submit()


def number_of(name: str) -> int:
    with at_school("skyline"):
        return session.scalars(select(Resource.id).where(Resource.name == name)).one()


def actions_on(number: int) -> list[str]:
    with at_school("skyline"):
        about = (AuditEntry.subject_type == "Resource", AuditEntry.subject_id == number)
        return list(session.scalars(select(AuditEntry.action).where(*about).order_by(AuditEntry.id)))


@pytest.mark.parametrize("kind", ["aircraft", "simulator", "room"])
def test_an_admin_adds_one_of_each_kind(ana: LintingClient, kind: str) -> None:
    page = add(ana, "  N77GS ", kind=kind)
    assert "N77GS is added." in page.text
    with at_school("skyline"):
        made = session.scalars(select(Resource).where(Resource.name == "N77GS")).one()
        assert (made.kind, made.detail, made.retired_at) == (kind, "Cessna 172", None)
    assert actions_on(made.id) == [f"{kind}.added"]


def test_the_same_name_twice_is_refused_and_kept_for_mending(ana: LintingClient) -> None:
    add(ana, "N77GS")
    refused = add(ana, "N77GS", detail="Piper")
    assert (refused.status, "There is “N77GS” already." in refused.text) == (409, True)
    assert refused.form("Add it").value("detail") == "Piper"
    add(ana, "N78GS")
    rename = ana.get(f"/skyline/resources/{number_of('N78GS')}").form("Save").fill(name="N77GS")
    assert rename.submit().status == 409


def test_a_nameless_one_is_refused(ana: LintingClient) -> None:
    assert add(ana, "   ").status == 422


def test_a_new_name_holds_everywhere_and_is_in_the_trail(ana: LintingClient) -> None:
    add(ana, "N77GS")
    number = number_of("N77GS")
    ana.get(f"/skyline/resources/{number}").form("Save").fill(name="N79GS").submit()
    ana.get(f"/skyline/resources/{number}").form("Save").submit()
    with at_school("skyline"):
        assert "N79GS" in [one.name for one in list_aircraft()]
    assert actions_on(number) == ["aircraft.added", "resource.changed"]


def test_what_is_retired_is_not_offered_and_names_its_coming_bookings(ana: LintingClient) -> None:
    with at_school("skyline"):
        bookings.make_assigned()
        bookings.make_request(at=bookings.an_hour(days=2))
        session.commit()
    number = number_of("N1TEST")
    assert "N1TEST" in ana.get("/skyline/requests").text
    page = ana.get(f"/skyline/resources/{number}").form("Retire it now").submit()
    assert "N1TEST is retired. 1 coming booking still has it." in page.text
    coming = page.find(".//section[@aria-labelledby='coming']")
    assert coming is not None
    assert "Leo" in "".join(coming.itertext())
    assert "N1TEST" not in ana.get("/skyline/requests").text
    ana.post(f"/skyline/resources/{number}/retirement", {"csrf_token": page.form("Save").value("csrf_token")})
    assert actions_on(number) == ["resource.retired"]
    page.form("Put it into service again").submit()
    assert "N1TEST" in ana.get("/skyline/requests").text
    assert actions_on(number) == ["resource.retired", "resource.returned"]


def test_people_are_kept_elsewhere(ana: LintingClient) -> None:
    with at_school("skyline"):
        number = bookings.person(BEA).id
        session.commit()
    assert ana.get(f"/skyline/resources/{number}").status == 404


def test_only_admins_keep_them(app: Flask) -> None:
    for person, status in ((LEO, 403), (BEA, 403), (HAL, 404)):
        assert LintingClient(app).sign_in(person).get("/skyline/resources").status == status


def test_the_same_form_sent_twice_adds_one(ana: LintingClient) -> None:
    form = ana.get("/skyline/resources").form("Add it").fill(kind="room", name="Briefing 2", detail="")
    form.submit()
    form.submit()
    with at_school("skyline"):
        assert session.scalar(select(func.count()).where(Resource.name == "Briefing 2")) == 1
