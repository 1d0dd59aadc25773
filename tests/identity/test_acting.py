"""Acting as a person: for half an hour, with a reason, told, seen on every page and recorded under both names."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from app.audit.models import AuditEntry, PlatformEntry
from app.foundation import clock, tenancy
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.identity.models import Membership, User, UserSession
from app.identity.operations.acting import end_acting_that_is_over
from app.identity.queries import find_user_by_email
from app.tenants.queries import school_settings
from tests.cast import ANA, BEA, HAL, IVY, LEO, LOU, MAX, OPERATOR, PASSWORD, Person, at_school, member
from tests.client import LintingClient, Page

OVER = "You are yourself again: acting as another person is over."
REASON = "Leo sees no slots; looking with his eyes"


def id_of(person: Person) -> int:
    with at_school(person.slug):
        return member(person).id


def act_as(client: LintingClient, person: Person, reason: str = REASON) -> Page:
    page = client.get(f"/skyline/people/{id_of(person)}/acting")
    return page.form("Begin").fill(reason=reason).submit(follow=False)


def acting(app: Flask, person: Person = LEO) -> LintingClient:
    client = LintingClient(app).sign_in(ANA)
    begun = act_as(client, person)
    assert (begun.status, begun.location) == (303, "/skyline/")
    return client


def banner(client: LintingClient) -> str:
    page = client.get("/skyline/profile")
    assert page.status == 200
    found = page.find(".//aside[@class='acting']")
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def form_token(client: LintingClient) -> str:
    """What the forms of a school's page carry just now."""
    return client.get("/skyline/profile").form("/skyline/profile").value("csrf_token")


def end_by_time(seconds: int = 1) -> None:
    """Let half an hour be over for everybody who acts."""
    ended = clock.now() - timedelta(seconds=seconds)
    session.execute(update(UserSession).where(UserSession.acting_until.is_not(None)).values(acting_until=ended))
    session.commit()


def entries(action: str) -> list[AuditEntry]:
    with at_school("skyline"):
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def make_operator(person: Person) -> None:
    user = find_user_by_email(person.email)
    assert user
    session.execute(update(User).where(User.id == user.id).values(is_operator=True))
    session.commit()


def change_member(person: Person, **values: object) -> None:
    number = id_of(person)
    with at_school("skyline"):
        session.execute(update(Membership).where(Membership.id == number).values(**values))
        session.commit()


def test_an_admin_sees_what_the_person_sees_under_a_banner(app: Flask) -> None:
    client = acting(app)
    said = banner(client)
    assert said.startswith("You act as Leo")
    assert "Stop" in said
    assert client.get("/skyline/people").status == 403


def test_it_begins_on_the_persons_page(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    page = client.get(f"/skyline/people/{id_of(LEO)}").link("Act as them").follow()
    assert page.h1.startswith("Act as Leo")


def test_reason_and_names_are_in_the_trail_and_the_person_is_told(app: Flask) -> None:
    acting(app)
    (begun,) = entries("acting.begun")
    assert (begun.actor_id, begun.subject_id) == (id_of(ANA), id_of(LEO))
    assert begun.after
    assert begun.after["acting_reason"] == REASON
    event = session.scalars(select(OutboxEvent).where(OutboxEvent.name == "ActedAs")).one()
    assert (event.payload["membership_id"], event.payload["by_id"]) == (id_of(LEO), id_of(ANA))
    assert REASON not in str(event.payload)


def test_a_deed_is_recorded_under_both_names(app: Flask) -> None:
    client = acting(app)
    client.get("/skyline/profile").form("Stop").submit()
    (ended,) = entries("acting.ended")
    assert (ended.actor_id, ended.on_behalf_of_id) == (id_of(ANA), id_of(LEO))


def test_stopping_leads_back_to_the_persons_page(app: Flask) -> None:
    client = acting(app)
    page = client.get("/skyline/profile").form("Stop").submit()
    assert page.path == f"/skyline/people/{id_of(LEO)}"
    assert "You are yourself again." in page.text
    assert banner(client) == ""


def test_it_ends_by_itself_after_half_an_hour(app: Flask) -> None:
    client = acting(app)
    opened = session.scalars(select(UserSession).where(UserSession.acting_until.is_not(None))).one()
    assert timedelta(minutes=29) < opened.acting_until - clock.now() <= timedelta(minutes=30)
    session.execute(update(UserSession).values(acting_until=clock.now() - timedelta(seconds=1)))
    session.commit()
    assert banner(client) == OVER
    assert client.get("/skyline/people").status == 200


@pytest.mark.parametrize(
    ("whose", "values"),
    [
        (ANA, {"roles": ["manager"]}),
        (LEO, {"roles": ["admin"]}),
        (LEO, {"status": "suspended", "standing_reason": "fees"}),
    ],
)
def test_it_ends_with_what_either_of_the_two_may_be(app: Flask, whose: Person, values: dict[str, object]) -> None:
    client = acting(app)
    change_member(whose, **values)
    assert banner(client) == OVER


def test_a_suspended_admin_is_out_also_while_acting(app: Flask) -> None:
    client = acting(app)
    change_member(ANA, status="suspended", standing_reason="left")
    assert client.get("/skyline/profile").status != 200


def test_while_acting_nobody_decides_about_people_or_acts_further(app: Flask) -> None:
    make_operator(HAL)
    client = LintingClient(app).sign_in(HAL)
    form = client.get("/acting").form("Begin").fill(school="skyline", email=ANA.email, reason=REASON)
    assert form.submit(follow=False).location == "/skyline/"
    assert client.get("/skyline/people").status == 200
    token = {"reason": REASON, "roles": "learner", "csrf_token": form_token(client)}
    for deed in ("suspension", "roles", "acting"):
        assert client.post(f"/skyline/people/{id_of(LEO)}/{deed}", token).status == 403
    assert entries("member.suspended") == []


def test_an_admin_acts_neither_as_another_admin_nor_as_themself(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    assert client.post(f"/skyline/people/{id_of(ANA)}/acting", {"reason": REASON}).status == 403
    change_member(BEA, roles=["admin", "instructor"])
    assert client.post(f"/skyline/people/{id_of(BEA)}/acting", {"reason": REASON}).status == 403
    assert "Act as them" not in client.get(f"/skyline/people/{id_of(BEA)}").text
    assert entries("acting.begun") == []


def test_a_suspended_person_and_a_missing_reason_are_refused(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    assert act_as(client, LEO, "").status == 422
    assert act_as(client, LEO, "look").status == 422
    form = client.get(f"/skyline/people/{id_of(LEO)}/acting").form("Begin").fill(reason=REASON)
    change_member(LEO, status="suspended", standing_reason="fees")
    assert form.submit().status == 409
    assert entries("acting.begun") == []


def test_others_may_not(app: Flask) -> None:
    path = f"/skyline/people/{id_of(LEO)}/acting"
    for person in (MAX, BEA):
        assert LintingClient(app).sign_in(person).post(path, {"reason": REASON}).status == 403
    assert LintingClient(app).sign_in(HAL).post(path, {"reason": REASON}).status == 404
    assert LintingClient(app).get(path).location.startswith("/login")
    ana = LintingClient(app).sign_in(ANA)
    assert ana.post(path, {"reason": REASON}, csrf=False).status == 400
    assert ana.get("/skyline/people/99999999/acting").status == 404
    assert ana.get(f"/skyline/people/{id_of(HAL)}/acting").status == 404
    assert ana.request("PUT", path).status == 405


def test_an_operator_acts_in_a_school_of_which_they_are_no_member(app: Flask) -> None:
    make_operator(LOU)
    client = LintingClient(app).sign_in(LOU)
    assert client.get("/skyline/profile").status == 404
    form = client.get("/acting").form("Begin").fill(school="skyline", email=LEO.email, reason=REASON)
    form.submit(follow=False)
    assert banner(client).startswith("You act as Leo")
    assert client.get("/harbour/profile").status == 200  # at home still themself
    stopped = client.get("/skyline/profile").form("Stop").submit(follow=False)
    assert stopped.location == "/schools"
    assert client.get("/skyline/profile").status == 404
    (begun,) = entries("acting.begun")
    assert begun.actor_id is None
    lou = find_user_by_email(LOU.email)
    assert lou
    notes = session.scalars(select(PlatformEntry.user_id).where(PlatformEntry.action == "acting.begun")).all()
    assert notes == [lou.id]


def test_an_operator_is_told_when_there_is_nobody(app: Flask) -> None:
    make_operator(LOU)
    client = LintingClient(app).sign_in(LOU)
    for school, email in (("nowhere", LEO.email), ("skyline", "nobody@skyline.example"), ("skyline", HAL.email)):
        form = client.get("/acting").form("Begin").fill(school=school, email=email, reason=REASON)
        assert form.submit().status == 409


def test_the_operators_page_is_not_there_for_others(app: Flask) -> None:
    assert LintingClient(app).sign_in(ANA).get("/acting").status == 404
    assert LintingClient(app).sign_in(ANA).post("/acting", {"reason": REASON}).status == 404
    assert LintingClient(app).get("/acting").location.startswith("/login")


def test_ending_what_has_ended_leads_on(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    assert client.post("/skyline/acting/end").location == "/schools"
    assert client.get("/skyline/acting/end").location == "/skyline/"


# -- a form belongs to whoever it was shown for ------------------------------------------------------------------------


def name_of(person: Person) -> str:
    with at_school("skyline"):
        session.expire_all()
        return member(person).name


def test_a_form_shown_while_acting_is_not_done_as_oneself_afterwards(app: Flask) -> None:
    client = acting(app)
    form = client.get("/skyline/profile").form("/skyline/profile").fill(name="Leopold Hart")
    end_by_time()
    refused = form.submit()
    assert refused.status == 409
    assert "shown to you as another person" in refused.text
    assert (name_of(ANA), name_of(LEO)) == ("Ana Ruiz", "Leo Hart")
    again = refused.link("Open the page again").follow()
    assert again.form("/skyline/profile").value("name") == name_of(ANA)


def test_stopping_in_another_tab_makes_the_forms_of_this_one_void(app: Flask) -> None:
    client = acting(app)
    form = client.get("/skyline/profile").form("/skyline/profile").fill(name="Leopold Hart")
    client.get("/skyline/profile").form("Stop").submit()
    assert form.submit(partial=True).status == 409
    assert name_of(ANA) == "Ana Ruiz"


def test_a_form_shown_as_oneself_is_not_done_as_the_person_one_acts_as_by_now(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    form = client.get("/skyline/profile").form("/skyline/profile").fill(name="Anna Ruiz")
    act_as(client, LEO)
    assert form.submit().status == 409
    assert (name_of(ANA), name_of(LEO)) == ("Ana Ruiz", "Leo Hart")


def test_a_form_shown_as_one_person_is_not_done_as_the_next(app: Flask) -> None:
    client = acting(app)
    form = client.get("/skyline/profile").form("/skyline/profile").fill(name="Leopold Hart")
    client.get("/skyline/profile").form("Stop").submit()
    act_as(client, BEA)
    assert form.submit().status == 409


def test_a_bent_token_is_still_no_token(app: Flask) -> None:
    client = acting(app)
    token = form_token(client)
    assert client.post("/skyline/profile", {"name": "x", "csrf_token": token[:-2] + "xx"}).status == 400
    assert client.post("/skyline/profile", {"name": "x"}, csrf=False).status == 400


def test_while_acting_forms_work_and_one_may_sign_out(app: Flask) -> None:
    client = acting(app)
    page = client.get("/skyline/profile")
    assert page.form("/skyline/profile").fill(name="Leopold Hart").submit().status == 200
    assert name_of(LEO) == "Leopold Hart"
    assert page.form("/logout").submit(follow=False).location == "/login?left=1"


def test_what_was_cut_off_while_acting_is_not_kept(app: Flask) -> None:
    client = acting(app)
    form = client.get("/skyline/profile").form("/skyline/profile").fill(name="Leopold Hart")
    session.execute(update(UserSession).values(seen_at=clock.now() - timedelta(hours=13)))
    session.commit()
    cut_off = form.submit()
    assert (cut_off.status, cut_off.form("/login").value("resume")) == (401, "")
    cut_off.form("/login").fill(email=ANA.email, password=PASSWORD).submit()
    assert (name_of(ANA), name_of(LEO)) == ("Ana Ruiz", "Leo Hart")


# -- how it ends is recorded once --------------------------------------------------------------------------------------


def endings() -> list[tuple[int | None, int | None, str]]:
    """Who had acted as whom, and how it ended."""
    return [(e.actor_id, e.on_behalf_of_id, (e.after or {})["how"]) for e in entries("acting.ended")]


def prune() -> None:
    tenancy.enter(None)
    with at_school("harbour"):
        end_acting_that_is_over()
        session.commit()


def test_that_time_ended_it_is_recorded_by_the_next_page_and_said_there(app: Flask) -> None:
    client = acting(app)
    end_by_time()
    assert banner(client) == OVER
    assert endings() == [(id_of(ANA), id_of(LEO), "time")]
    assert banner(client) == ""
    prune()
    assert len(endings()) == 1


def test_also_on_a_page_outside_the_school(app: Flask) -> None:
    client = acting(app)
    end_by_time()
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        assert client.get("/account").status == 200
    assert endings() == [(id_of(ANA), id_of(LEO), "time")]


def test_a_refused_request_does_not_lose_the_entry(app: Flask) -> None:
    client = acting(app)
    end_by_time()
    assert client.get("/skyline/nowhere-at-all").status == 404
    assert client.get("/skyline/people/99999999").status == 404
    assert banner(client) == OVER
    assert [how for _who, _whom, how in endings()] == ["time"]


def test_the_daily_job_records_what_nobody_came_back_to_see(app: Flask) -> None:
    client = acting(app)
    end_by_time()
    prune()
    prune()
    assert endings() == [(id_of(ANA), id_of(LEO), "time")]
    assert banner(client) == OVER
    assert len(endings()) == 1


def test_stopping_signing_out_and_losing_access_are_told_apart(app: Flask) -> None:
    acting(app).get("/skyline/profile").form("Stop").submit()
    acting(app).get("/skyline/profile").form("/logout").submit()
    client = acting(app)
    change_member(LEO, status="suspended", standing_reason="fees")
    banner(client)
    assert [how for _who, _whom, how in endings()] == ["stopped", "signed_out", "access"]
    assert "session.ended" in {entry.action for entry in entries("session.ended")}


def test_beginning_to_act_elsewhere_ends_what_was_begun_before(app: Flask) -> None:
    client = operating(app)
    form = client.get("/acting").form("Begin").fill(school="harbour", email=IVY.email, reason=REASON)
    assert form.submit(follow=False).location == "/harbour/"
    (ended,) = entries("acting.ended")
    assert (ended.actor_id, ended.on_behalf_of_id) == (None, id_of(LEO))
    assert (ended.after or {})["how"] == "replaced"
    assert client.get("/skyline/profile").status == 404


# -- operators ---------------------------------------------------------------------------------------------------------


def operating(app: Flask) -> LintingClient:
    """The platform's operator as Leo."""
    client = LintingClient(app).sign_in(OPERATOR)
    form = client.get("/acting").form("Begin").fill(school="skyline", email=LEO.email, reason=REASON)
    assert form.submit(follow=False).location == "/skyline/"
    return client


def user_id(person: Person) -> int:
    user = find_user_by_email(person.email)
    assert user
    return user.id


def test_both_trails_name_the_operator_and_the_person(app: Flask) -> None:
    operating(app).get("/skyline/profile").form("/skyline/profile").fill(phone="+1 555 0100").submit()
    (begun,), (changed,) = entries("acting.begun"), entries("profile.changed")
    assert begun.operator_id == changed.operator_id == user_id(OPERATOR)
    assert OPERATOR.email not in str((begun.after, changed.after))
    note = session.scalars(select(PlatformEntry).where(PlatformEntry.action == "profile.changed")).one()
    assert (note.user_id, note.on_behalf_of_id, note.subject_type, note.subject_id) == (
        user_id(OPERATOR), id_of(LEO), "Membership", id_of(LEO),
    )  # fmt: skip
    begun_note = session.scalars(select(PlatformEntry).where(PlatformEntry.action == "acting.begun")).one()
    assert (begun_note.user_id, begun_note.subject_id) == (user_id(OPERATOR), id_of(LEO))
    page = LintingClient(app).sign_in(ANA).get("/skyline/audit?action=profile.changed")
    assert f"An operator ({OPERATOR.email}) as Leo Hart" in page.text


def test_an_operator_acts_in_a_school_that_asks_for_a_second_factor_only_with_one(app: Flask) -> None:
    with at_school("skyline"):
        school_settings().admins_need_second_factor = True
        session.commit()
    client = LintingClient(app).sign_in(OPERATOR)
    form = client.get("/acting").form("Begin").fill(school="skyline", email=LEO.email, reason=REASON)
    refused = form.submit()
    assert refused.status == 409
    assert refused.link("Set up a second factor").follow().path.startswith("/account/second-factor")
    assert entries("acting.begun") == []
    session.execute(update(UserSession).where(UserSession.ended_at.is_(None)).values(second_factor_at=clock.now()))
    session.commit()
    assert form.submit(follow=False).location == "/skyline/"
    assert client.get("/skyline/profile").status == 200


@pytest.mark.parametrize("path", ["/skyline/audit", "/skyline/audit.csv", "/skyline/audit.jsonl"])
def test_the_trail_is_not_read_while_acting(app: Flask, path: str) -> None:
    client = LintingClient(app).sign_in(OPERATOR)
    form = client.get("/acting").form("Begin").fill(school="skyline", email=ANA.email, reason=REASON)
    form.submit(follow=False)
    assert client.get(path).status == 403


def test_stop_leads_on_also_when_it_has_ended_by_itself(app: Flask) -> None:
    client = acting(app)
    page = client.get("/skyline/profile")
    end_by_time()
    assert page.form("Stop").submit(follow=False).status == 303


# -- what is nobody else's: one's own account, and what a result says one knows ------------------------------------------

NOT_NOW = "Not while you act for somebody. Stop acting first."
ACCOUNT_PAGES = [
    "/account",
    "/account/password",
    "/account/email",
    "/account/sessions",
    "/account/second-factor",
    "/schools",
]


@pytest.mark.parametrize("path", ACCOUNT_PAGES)
def test_the_banner_stands_on_the_pages_of_ones_own_account_too(app: Flask, path: str) -> None:
    client = acting(app)
    page = client.get(f"{path}?stay=1")
    assert page.status == 200
    assert "You act as Leo" in page.text
    assert page.form("Stop").submit().path == f"/skyline/people/{id_of(LEO)}"
    assert "You act as" not in client.get(f"{path}?stay=1").text


@pytest.mark.parametrize("deed", ["password", "email", "sessions/end-others", "sessions/end-all", "second-factor"])
def test_while_acting_nothing_of_ones_own_account_is_changed(app: Flask, deed: str) -> None:
    client = acting(app)
    token = client.get("/account/password").form("/account/password").value("csrf_token")
    typed = {
        "csrf_token": token,
        "current": PASSWORD,
        "password": "a much better one 7",
        "email": "new@skyline.example",
    }
    refused = client.post(f"/account/{deed}", typed)
    assert refused.status == 403
    assert NOT_NOW in refused.text
    refused.form("Stop").submit()
    assert LintingClient(app).sign_in(ANA).get("/account").status == 200


def test_whoever_stops_being_admin_acts_no_longer_outside_of_the_school_either(app: Flask) -> None:
    client = acting(app)
    change_member(ANA, roles=["manager"])
    assert "You act as" not in client.get("/account").text


def test_the_profile_shows_neither_account(app: Flask) -> None:
    page = acting(app).get("/skyline/profile")
    assert ANA.email not in page.text
    assert "Download" not in page.text
    assert "Download" in LintingClient(app).sign_in(LEO).get("/skyline/profile").text


@pytest.mark.parametrize("path", ["/skyline/profile/export.json", "/skyline/profile/erasure"])
def test_what_is_never_done_while_acting_says_so(app: Flask, path: str) -> None:
    refused = acting(app).get(path)
    assert (refused.status, NOT_NOW in refused.text) == (403, True)


def test_so_do_the_settings_and_what_the_role_lacks_says_that(app: Flask) -> None:
    assert NOT_NOW not in acting(app).get("/skyline/settings").text
    client = LintingClient(app).sign_in(OPERATOR)
    form = client.get("/acting").form("Begin").fill(school="skyline", email=ANA.email, reason=REASON)
    form.submit(follow=False)
    refused = client.get("/skyline/settings")
    assert (refused.status, NOT_NOW in refused.text) == (403, True)
