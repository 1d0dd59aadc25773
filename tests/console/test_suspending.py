"""A suspended school: its people are told on every page, nobody else learns of it, and all is there when it ends."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.console.operations import NotInThatState, suspend_school
from app.foundation import clock, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.refusals import Refusal
from app.identity.models import Membership, UserSession
from app.tenants.models import Tenant
from tests.cast import ANA, BO, HAL, LEO, LOU, OPERATOR, PASSWORD, Person, at_school, member, school
from tests.client import PARTIAL, LintingClient, Page
from tests.console.schools import REASON, entries, operator, operator_actor, platform_entries, suspend, tenant
from tests.identity.mailbox import sent

SKYLINE = "/operator/schools/skyline"
TOLD = "Skyline Flight School is suspended"


def suspend_on_the_page(client: LintingClient, reason: str = REASON) -> Page:
    return client.get(SKYLINE).form("Suspend school").fill(reason=reason).submit()


def signed_in_before(app: Flask, *people: Person) -> list[LintingClient]:
    return [LintingClient(app).sign_in(person) for person in people]


def test_an_operator_suspends_a_school_and_ends_it(app: Flask) -> None:
    (leo,) = signed_in_before(app, LEO)
    client = operator(app)
    page = suspend_on_the_page(client)
    assert page.path == SKYLINE
    assert "Skyline Flight School is suspended." in page.text
    assert REASON in page.text
    assert "Act as them" not in page.text
    told = leo.get("/skyline/courses")
    assert (told.status, told.h1) == (403, TOLD)
    page = page.form("End the suspension").submit()
    assert "Skyline Flight School is open again." in page.text
    assert REASON not in page.text
    assert leo.get("/skyline/courses").status == 200
    assert (tenant("skyline").suspended_at, tenant("skyline").suspended_reason) == (None, None)


def test_both_trails_name_the_deeds_and_the_reason(app: Flask) -> None:
    client = operator(app)
    suspend_on_the_page(client).form("End the suspension").submit()
    began, ended = entries("skyline", "school.suspended", "school.resumed")
    assert (began.action, ended.action) == ("school.suspended", "school.resumed")
    assert began.after == {"suspension_reason": REASON, "operator_id": operator_actor().user_id}
    noted = platform_entries("school.suspended", "school.resumed")
    assert [(entry.user_id, entry.school_id) for entry in noted] == [(operator_actor().user_id, began.tenant_id)] * 2
    history = client.get(SKYLINE).text
    assert "School resumed operator@groundschool.example" in history
    assert "School suspended operator@groundschool.example" in history


@pytest.mark.parametrize("path", ["", "week", "bookings/new", "people", "profile", "standing", "register", "audit.csv"])
@pytest.mark.parametrize("person", [LEO, ANA])
def test_its_people_are_told_on_every_page(app: Flask, path: str, person: Person) -> None:
    (client,) = signed_in_before(app, person)
    suspend("skyline")
    page = client.get(f"/skyline/{path}")
    assert (page.status, page.h1) == (403, TOLD)
    assert "turn to whoever runs Groundschool for you" in page.text
    assert REASON not in page.text
    way_out = page.find(".//main//a")
    assert way_out is not None
    assert way_out.get("href") == "/schools?stay=1"
    part = client.get(f"/skyline/{path}", headers=PARTIAL)
    assert part.status == 403
    assert part.headers["HX-Retarget"] == "#flash"
    assert TOLD in part.text


@pytest.mark.parametrize("path", ["bookings", "profile", "acting/end", "register"])
def test_what_they_post_is_refused(app: Flask, path: str) -> None:
    (client,) = signed_in_before(app, LEO)
    suspend("skyline")
    page = client.post(f"/skyline/{path}", {"name": "Leo Changed"})
    assert (page.status, page.h1) == (403, TOLD)
    with at_school("skyline"):
        assert session.scalars(select(Membership.name).where(Membership.name == "Leo Changed")).first() is None


def test_whoever_waits_to_be_let_in_is_told_too_and_whoever_was_erased_is_not(app: Flask) -> None:
    (leo,) = signed_in_before(app, LEO)
    with at_school("skyline"):
        number = member(LEO).id
    suspend("skyline")
    for status, answer in (("pending", 403), ("suspended", 403), ("erased", 404)):
        with at_school("skyline"):
            session.execute(update(Membership).where(Membership.id == number).values(status=status))
            session.commit()
        assert leo.get("/skyline/week").status == answer


def test_strangers_find_nothing(app: Flask) -> None:
    (lou,) = signed_in_before(app, LOU)
    suspend("skyline")
    for path in ("", "week", "register", "standing", "invitation/nothing"):
        assert lou.get(f"/skyline/{path}").status == 404, path
    nobody = LintingClient(app)
    for path in ("register", "standing", "invitation/nothing", "registration"):
        assert nobody.get(f"/skyline/{path}").status == 404, path
    assert nobody.post("/skyline/register", {"name": "X", "email": "x@y.example"}).status == 404
    assert nobody.get("/skyline/week").location.startswith("/login?next=")
    assert nobody.get("/harbour/register").status == 200


def test_signing_in_leads_to_the_list_that_says_so(app: Flask) -> None:
    suspend("skyline")
    form = LintingClient(app).get("/login?next=/").form("/login")
    page = form.fill(email=LEO.email, password=PASSWORD, tenant="skyline", next="").submit()
    assert page.path == "/schools"
    assert "The school is suspended: nobody can come in" in page.text
    assert page.link("Skyline Flight School").follow().h1 == TOLD
    asked = LintingClient(app).get("/login?next=/skyline/week").form("/login")
    assert asked.fill(email=LEO.email, password=PASSWORD).submit().h1 == TOLD


def test_who_has_another_school_is_led_there(app: Flask) -> None:
    suspend("skyline")
    form = LintingClient(app).get("/login?next=/").form("/login")
    page = form.fill(email=BO.email, password=PASSWORD, tenant="skyline", next="").submit()
    assert (page.path, page.status) == ("/harbour/", 200)
    listed = page.client.get("/schools?stay=1")
    assert "Harbour Aviation Academy" in listed.text
    assert "The school is suspended" in listed.text
    assert page.client.get("/account").status == 200


def test_people_are_told_at_once_where_the_school_is_still_in_the_cache(app: Flask) -> None:
    """Another process suspended it: this one still has it in its cache as open, and the other way round."""
    leo, hal = signed_in_before(app, LEO, HAL)
    assert leo.get("/skyline/week").status == hal.get("/harbour/week").status == 200
    with tenancy.tenant_scope(None):
        session.execute(update(Tenant).where(Tenant.slug == "skyline").values(suspended_at=clock.now()))
        session.commit()
    assert not school_in_cache("skyline").is_suspended
    assert leo.get("/skyline/week").status == 403
    assert hal.get("/harbour/week").status == 200
    tenancy.forget_tenants()
    assert leo.get("/skyline/week").status == 403
    with tenancy.tenant_scope(None):
        session.execute(update(Tenant).where(Tenant.slug == "skyline").values(suspended_at=None))
        session.commit()
    assert school_in_cache("skyline").is_suspended
    assert leo.get("/skyline/week").status == 200


def school_in_cache(slug: str) -> tenancy.TenantRef:
    found = tenancy.find_by_slug(slug)
    assert found
    return found


def test_its_page_names_whom_to_write_to(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    settings = replace(app.config["SETTINGS"], support_email="help@groundschool.example")
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    (ana,) = signed_in_before(app, ANA)
    suspend("skyline")
    assert ana.get("/skyline/").links()["help@groundschool.example"] == "mailto:help@groundschool.example"


def test_mail_that_is_under_way_arrives(app: Flask) -> None:
    (ana,) = signed_in_before(app, ANA)
    ana.get("/skyline/settings").form("Send a test mail").submit()
    suspend("skyline")
    assert [mail.subject for mail in sent(app)] == ["A test mail from Skyline Flight School"]


def test_nobody_acts_as_its_people_any_more(app: Flask) -> None:
    client = operator(app)
    form = client.get(SKYLINE).link("Act as them (Ana Ruiz)").follow().form("Begin")
    assert (form.value("school"), form.value("email")) == ("skyline", ANA.email)
    assert form.fill(reason=REASON).submit().path == "/skyline/"
    assert client.get("/skyline/people").status == 200
    waiting = client.get(f"/acting?school=skyline&email={LEO.email}").form("Begin").fill(reason=REASON)
    suspend_on_the_page(client)
    assert client.get("/skyline/people").status == 404
    assert session.scalars(select(UserSession).where(UserSession.acting_until.is_not(None))).first() is None
    refused = waiting.submit()
    assert refused.status == 409
    assert "Skyline Flight School is suspended" in refused.text


def test_stopping_to_act_leads_an_operator_back_to_the_console(app: Flask) -> None:
    client = operator(app)
    client.get(f"/acting?school=skyline&email={LEO.email}").form("Begin").fill(reason=REASON).submit()
    page = client.get("/skyline/profile").form("Stop").submit()
    assert page.path == "/operator/schools"


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "fees", "x" * 301])
def test_a_reason_is_needed(app: Flask, reason: str) -> None:
    page = suspend_on_the_page(operator(app), reason)
    assert page.status == 422
    assert page.form("Suspend school").value("reason") == reason
    assert tenant("skyline").suspended_at is None


def test_a_second_suspension_and_a_second_end_are_refused(app: Flask) -> None:
    client = operator(app)
    suspend_form = client.get(SKYLINE).form("Suspend school").fill(reason=REASON)
    suspend_form.submit()
    since = tenant("skyline").suspended_at
    again = suspend_form.fill(reason="Another reason altogether").submit()
    assert again.status == 409
    assert "is suspended already" in again.text
    assert (tenant("skyline").suspended_at, tenant("skyline").suspended_reason) == (since, REASON)
    end_form = again.form("End the suspension")
    end_form.submit()
    assert end_form.submit().status == 409
    assert len(platform_entries("school.suspended", "school.resumed")) == 2


def test_two_operators_suspend_at_once_and_one_does(committing_app: Flask) -> None:
    who, number = operator_actor(), school("skyline").id
    session.rollback()
    start, done, refused = threading.Barrier(2), [], []

    def deed(reason: str) -> None:
        with committing_app.app_context(), tenancy.tenant_scope(None):
            try:
                with unit_of_work():
                    found = session.get_one(Tenant, number)
                    start.wait(10)
                    suspend_school(found, reason=reason, actor=who)
                done.append(reason)
            except Refusal as refusal:
                refused.append(refusal)

    threads = [threading.Thread(target=deed, args=(f"The reason of {name}",)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(done) == len(refused) == 1
    assert isinstance(refused[0], NotInThatState)
    assert tenant("skyline").suspended_reason == done[0]
    assert len(entries("skyline", "school.suspended")) == 1
    assert len(platform_entries("school.suspended")) == 1


def test_an_operator_who_is_a_member_is_told_like_everybody(app: Flask) -> None:
    with at_school("skyline"):
        operator_id = operator_actor().user_id
        session.execute(update(Membership).where(Membership.id == member(LEO).id).values(user_id=operator_id))
        session.commit()
    client = LintingClient(app).sign_in(OPERATOR)
    assert client.get("/schools").location == "/skyline/"
    assert "Operator’s console" in client.get("/skyline/").links()
    suspend("skyline")
    told = client.get("/skyline/week")
    assert told.status == 403
    assert told.link("Operator’s console").follow().path == "/operator/schools"
