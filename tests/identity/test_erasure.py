"""Erasure: who somebody is goes, what the school must show keeps an id."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

import jobs.notifications  # noqa: F401 — makes its rows known
from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership, User
from app.identity.operations.accounts import add_user
from app.identity.operations.erasure import erase_person
from app.identity.operations.profile import change_profile
from app.identity.operations.registration import invite
from app.identity.queries import ASKS_ERASURE, find_user_by_email, list_people
from app.notifications.models import Notification
from app.scheduling.models import Booking
from app.scheduling.operations.ending import cancel_booking
from tests.cast import ANA, BEA, BO, HAL, LEO, LOU, MAX, OLGA, OPERATOR, PASSWORD, Person, actor, at_school, member
from tests.client import LintingClient, Page
from tests.identity.mailbox import assert_snapshot, sent
from tests.identity.test_export import booked
from tests.notifications.bookings import make_booking

TYPED = {"name": "Leo Hart", "phone": "+1 555 0100", "emergency_contact": "Mum Hart", "certificate_number": "C-17"}


def id_of(person: Person) -> int:
    with at_school(person.slug):
        return member(person).id


def row(member_id: int, slug: str = "skyline") -> Membership:
    with at_school(slug):
        found = session.get(Membership, member_id)
        assert found
        return found


def fill(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        change_profile(member(LEO), TYPED, actor=actor(ANA))
        session.commit()


def erase(app: Flask, member_id: int, name: str) -> Page:
    client = LintingClient(app).sign_in(ANA)
    return client.get(f"/skyline/people/{member_id}/erasure").form("Erase").fill(name=name).submit()


def test_nothing_of_the_person_is_left_but_an_id(app: Flask) -> None:
    fill(app)
    booking_id, leo = booked(LEO, "crosswind landings"), id_of(LEO)
    his = LintingClient(app).sign_in(LEO)
    page = erase(app, leo, "leo  HART")
    assert "Leo Hart is erased" in page.text
    gone = row(leo)
    assert (gone.status, gone.name, gone.phone, gone.emergency_contact) == ("erased", "Erased person", None, None)
    assert (gone.roles, gone.certificate_number) == (["learner"], None)
    assert find_user_by_email(LEO.email) is None
    assert his.get("/schools").location.startswith("/login")
    with at_school("skyline"):
        booking = session.get(Booking, booking_id)
        assert booking
        assert (booking.learner_id, booking.note) == (leo, "")
        assert session.query(Notification).filter_by(membership_id=leo).count() == 0
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "member.erased")).one()
        assert (entry.subject_id, entry.actor_id) == (leo, id_of(ANA))
    assert session.query(OutboxEvent).filter_by(name="MemberErased").count() == 1


def test_no_table_of_the_school_still_knows_them(app: Flask) -> None:
    """Whatever column it is in: the name, the address, the number."""
    fill(app)
    booked(LEO, "crosswind landings")
    erase(app, id_of(LEO), "Leo Hart")
    with at_school("skyline"):
        tables = (
            session.execute(
                text(
                    "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
                )
            )
            .scalars()
            .all()
        )
        for table in tables:
            if (
                table == "alembic_version"
                or not session.execute(text(f"select has_table_privilege('{table}', 'select')")).scalar()
            ):
                continue
            for trace in ("Leo Hart", LEO.email, "555 0100", "Mum Hart", "gusty crosswinds"):
                found = session.execute(
                    text(f'select count(*) from "{table}" t where t::text like :trace'), {"trace": f"%{trace}%"}
                )
                assert found.scalar() == 0, f"{trace!r} is still in {table}"


def test_the_account_stays_for_the_other_school(app: Flask) -> None:
    at_harbour = Person(BO.email, "harbour")
    kept = id_of(at_harbour)
    erase(app, id_of(BO), "Bo Castellano")
    assert row(kept, "harbour").status == "active"
    client = LintingClient(app).sign_in(at_harbour)
    assert client.get("/harbour/profile").status == 200
    assert client.get("/skyline/profile").status == 404
    assert "Skyline" not in client.get("/schools?stay=1").text
    page = client.get("/skyline/register").form("Ask to join").fill(name="Bo").submit()
    assert page.path == "/skyline/standing"  # they may come back, as somebody new


def invited_at_harbour(app: Flask, email: str) -> int:
    with app.test_request_context(), at_school("harbour"):
        made = invite(email=email, name="Somebody", roles=[Role.LEARNER], actor=actor(HAL))
        session.commit()
        return made.id


def erase_at_harbour(app: Flask, member_id: int) -> Page:
    page = LintingClient(app).sign_in(HAL).get(f"/harbour/people/{member_id}/erasure")
    return page.form("Erase").fill(name="Somebody").submit()


def test_an_invitation_is_no_hold_on_an_operators_account(app: Flask) -> None:
    """An operator belongs to no school: any admin could invite them, and erase what they invited."""
    invited = invited_at_harbour(app, OPERATOR.email)
    erase_at_harbour(app, invited)
    session.expire_all()
    user = find_user_by_email(OPERATOR.email)
    assert user
    assert (user.is_operator, user.erased_at) == (True, None)
    gone = row(invited, "harbour")
    assert (gone.status, gone.user_id == user.id) == ("erased", False)


def test_an_operators_account_outlives_every_school(app: Flask) -> None:
    with at_school("skyline"):
        user_id = member(LEO).user_id
        session.get_one(User, user_id).is_operator = True
        session.commit()
    erase(app, id_of(LEO), "Leo Hart")
    session.expire_all()
    assert session.get_one(User, user_id).email == LEO.email


@pytest.mark.parametrize("status", ["invited", "pending", "declined"])
def test_who_never_came_in_keeps_an_account_that_is_theirs(app: Flask, status: str) -> None:
    user = add_user("nia@elsewhere.example", password=None, cost=4)
    user.email_confirmed_at = clock.now()
    invited = invited_at_harbour(app, user.email)
    with at_school("harbour"):
        session.get_one(Membership, invited).status = status
        session.commit()
    erase_at_harbour(app, invited)
    session.expire_all()
    assert find_user_by_email("nia@elsewhere.example")


def test_an_invited_address_that_nobody_confirmed_is_forgotten(app: Flask) -> None:
    erase_at_harbour(app, invited_at_harbour(app, "nia@elsewhere.example"))
    assert find_user_by_email("nia@elsewhere.example") is None


def test_nobody_stands_in_the_way_of_an_erasure(app: Flask) -> None:
    """The address of the erased cannot be guessed, nor taken by a registration."""
    form = LintingClient(app).get("/harbour/register").form("Ask to join")
    page = form.fill(name="Eve", email=f"member-{id_of(BO)}@erased.invalid", password="gusting from the west").submit()
    assert page.status == 422
    assert "No mail arrives below" in page.text
    add_user(f"member-{id_of(BO)}@erased.invalid", password=None, cost=4)
    session.commit()
    assert erase(app, id_of(BO), "Bo Castellano").status == 200


def test_who_is_erased_may_register_again(app: Flask) -> None:
    erase(app, id_of(LEO), "Leo Hart")
    page = LintingClient(app).get("/skyline/register").form("Ask to join")
    page.fill(name="Leo Hart", email=LEO.email, password="gusting from the west").submit()
    assert [mail.to for mail in sent(app)][-1] == LEO.email
    assert find_user_by_email(LEO.email)


def test_the_wrong_name_erases_nobody(app: Flask) -> None:
    page = erase(app, id_of(LEO), "Lea Hart")
    assert page.status == 422
    assert "This is not the name" in page.text
    assert row(id_of(LEO)).status == "active"


def test_the_last_admin_and_oneself_are_refused(app: Flask) -> None:
    page = erase(app, id_of(ANA), "Ana Ruiz")
    assert page.status == 409
    with app.test_request_context(), at_school("skyline"):
        member(OLGA).roles = ["instructor"]
        session.flush()
        system_like = actor(ANA)
        with pytest.raises(Refusal, match="cannot erase yourself"):
            erase_person(member(ANA), actor=system_like)
        from app.foundation.actor import SYSTEM

        with pytest.raises(Refusal, match="needs an admin"):
            erase_person(member(ANA), actor=SYSTEM)


def test_erased_is_erased(app: Flask) -> None:
    leo = id_of(LEO)
    erase(app, leo, "Leo Hart")
    assert erase(app, leo, "Erased person").status == 409
    assert session.query(User).filter(User.email.like("%@erased.invalid")).count() == 1


def test_what_they_wrote_at_bookings_goes_from_the_notifications_of_others_too(app: Flask) -> None:
    with at_school("skyline"), app.test_request_context():
        booking = make_booking(status="approved", approved_at="2026-11-20T00:00Z")
        cancel_booking(booking, reason="My knee again", actor=actor(LEO))
        session.commit()
        booking_id = booking.id
    work_off(app)
    leo, bea = id_of(LEO), id_of(BEA)
    with at_school("skyline"):
        reasons = select(Notification.facts["reason"].as_string()).where(Notification.membership_id == bea)
        assert list(session.scalars(reasons)) == ["My knee again"]
    erase(app, leo, "Leo Hart")
    work_off(app)
    with at_school("skyline"):
        assert list(session.scalars(reasons)) == [""]
        assert session.get_one(Booking, booking_id).reason == "Erased."


def test_the_pages_say_what_goes_and_what_stays(app: Flask) -> None:
    own = LintingClient(app).sign_in(LEO).get("/skyline/profile/erasure")
    theirs = LintingClient(app).sign_in(ANA).get(f"/skyline/people/{id_of(LEO)}/erasure")
    for page, whose in ((own, "your"), (theirs, "their")):
        said = page.words_of("erasure-terms")
        assert f"a number instead of {whose} name" in said
        for word in ("phone", "emergency contact", "notifications", "password", "Bookings", "quiz answers", "trail"):
            assert word in said


# -- asking for it -------------------------------------------------------------------------------------------------


def ask(client: LintingClient) -> Page:
    page = client.get("/skyline/profile").link("Ask to be erased").follow()
    return page.form("/skyline/profile/erasure").submit()


def work_off(app: Flask) -> None:
    sent(app)


def told_of(member_id: int) -> list[int]:
    """Which admins have a notification that this person asks to be erased."""
    with at_school("skyline"):
        asked = select(Notification.membership_id).where(
            Notification.kind == "member.asks_erasure", Notification.subject_id == member_id
        )
        return sorted(session.scalars(asked))


def requests_in_trail() -> int:
    with at_school("skyline"):
        return session.query(AuditEntry).filter_by(action="erasure.requested").count()


def test_a_person_asks_and_every_admin_is_told_once(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    assert "have your request" in ask(client).text
    ask(client)
    mails = sent(app)
    assert sorted(mail.to for mail in mails) == [ANA.email, OLGA.email]
    assert told_of(id_of(LEO)) == sorted([id_of(ANA), id_of(OLGA)])
    assert requests_in_trail() == 1
    assert row(id_of(LEO)).status == "active"
    mail = next(mail for mail in mails if mail.to == ANA.email)
    assert mail.path == f"/skyline/people/{id_of(LEO)}"
    assert_snapshot(replace(mail, text=mail.text.replace(mail.path, "/skyline/people/7")), "erasure_asked")


def test_without_mail_the_admins_find_it_in_the_app(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, demo=False, smtp_url="")
    try:
        ask(LintingClient(app).sign_in(LEO))
        assert sent(app) == []
    finally:
        app.config["SETTINGS"] = settings
    ana = LintingClient(app).sign_in(ANA)
    home = ana.get("/skyline/")
    assert "1 person asks to be erased" in home.text
    listed = home.link("1 person asks to be erased").follow()
    assert "Leo Hart" in listed.text
    assert "Bea Lindgren" not in listed.text
    page = ana.get("/skyline/notifications").form("Open: Leo Hart asks to be erased").submit()
    assert page.h1 == "Leo Hart"
    assert "Asks to be erased" in page.words_of("facts-" + page.path.rpartition("/")[2])
    assert page.link("Erase").follow().h1 == "Erase Leo Hart"


def test_asking_on_another_day_reminds_the_admins_and_does_not_move_since_when(app: Flask) -> None:
    with time_machine.travel("2037-03-01T23:50:00Z", tick=False) as now:
        ask(LintingClient(app).sign_in(LEO))
        now.move_to("2037-03-02T00:10:00Z")
        client = LintingClient(app).sign_in(LEO)
        assert "You asked on" in client.get("/skyline/profile/erasure").text
        ask(client)
        work_off(app)
        now.move_to("2037-03-04T00:10:00Z")
        work_off(app)
    assert requests_in_trail() == 2
    assert told_of(id_of(LEO)) == sorted([id_of(ANA), id_of(OLGA)] * 2)
    assert row(id_of(LEO)).erasure_asked_at == datetime(2037, 3, 1, 23, 50, tzinfo=UTC)


def test_an_admin_answers_and_nobody_waits_any_more(app: Flask) -> None:
    ask(LintingClient(app).sign_in(LEO))
    work_off(app)
    ana = LintingClient(app).sign_in(ANA)
    path = f"/skyline/people/{id_of(LEO)}"
    page = ana.get(path).form("Close request").submit()
    assert "is not waiting for an answer" in page.text
    assert "Close request" not in page.html
    assert "asks to be erased" not in ana.get("/skyline/").text
    assert row(id_of(LEO)).erasure_asked_at is None
    with at_school("skyline"):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "erasure.answered")).one()
        assert (entry.subject_id, entry.actor_id) == (id_of(LEO), id_of(ANA))
    assert ana.post(f"{path}/erasure/answer").status == 409
    ask(LintingClient(app).sign_in(LEO))  # they may ask again, also on the same day
    assert row(id_of(LEO)).erasure_asked_at


def test_who_is_answered_or_erased_before_the_worker_comes_is_no_news(app: Flask) -> None:
    leo = id_of(LEO)
    ask(LintingClient(app).sign_in(LEO))
    erase(app, leo, "Leo Hart")
    work_off(app)
    assert told_of(leo) == []


@pytest.mark.parametrize("status", ["pending", "invited", "declined", "suspended"])
def test_who_is_not_let_in_asks_all_the_same(app: Flask, status: str) -> None:
    leo = id_of(LEO)
    with at_school("skyline"):
        member(LEO).status = status
        session.commit()
    client = LintingClient(app).sign_in(LEO)
    page = client.get("/skyline/standing").link("Ask to be erased").follow()
    page = page.form("Send the request").submit()
    assert page.path == "/skyline/standing"
    assert "have your request" in page.text
    work_off(app)
    assert told_of(leo) == sorted([id_of(ANA), id_of(OLGA)])
    with at_school("skyline"):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "erasure.requested")).one()
        assert (entry.actor_id, entry.subject_id) == (leo, leo)
    assert client.get("/skyline/courses").location == "/skyline/standing"  # that door alone is open


def test_the_litany_of_asking_and_answering(app: Flask) -> None:
    answer = f"/skyline/people/{id_of(LEO)}/erasure/answer"
    assert LintingClient(app).post("/skyline/profile/erasure").status == 401
    assert LintingClient(app).sign_in(LOU).post("/skyline/profile/erasure").status == 404
    leo = LintingClient(app).sign_in(LEO)
    assert leo.post("/skyline/profile/erasure", csrf=False).status == 400
    assert app.test_client().delete("/skyline/profile/erasure").status_code == 405
    assert leo.post(answer).status == 403
    assert LintingClient(app).sign_in(MAX).post(answer).status == 403
    assert LintingClient(app).sign_in(HAL).post(answer).status == 404
    ana = LintingClient(app).sign_in(ANA)
    assert ana.post(answer, csrf=False).status == 400
    assert ana.get(answer).location == answer.removesuffix("/erasure/answer")
    assert ana.post("/skyline/people/999999/erasure/answer").status == 404
    assert row(id_of(LEO)).erasure_asked_at is None


def test_the_litany(app: Flask) -> None:
    path = f"/skyline/people/{id_of(LEO)}/erasure"
    fields = {"name": "Leo Hart"}
    assert LintingClient(app).get(path).location.startswith("/login")
    for stranger in (HAL, LOU):
        assert LintingClient(app).sign_in(stranger).post(path, fields).status == 404
    assert LintingClient(app).sign_in(HAL).post(path.replace("skyline", "harbour"), fields).status == 404
    for person in (LEO, MAX):
        assert LintingClient(app).sign_in(person).post(path, fields).status == 403
    ana = LintingClient(app).sign_in(ANA)
    assert ana.post(path, fields, csrf=False).status == 400
    assert ana.get("/skyline/people/999999/erasure").status == 404
    assert app.test_client().delete(path).status_code == 405
    assert LintingClient(app).sign_in(LOU).get("/skyline/profile/erasure").status == 404
    assert row(id_of(LEO)).status == "active"


def test_whoever_was_never_let_in_is_not_told_that_their_account_goes(app: Flask) -> None:
    invited = invited_at_harbour(app, LEO.email)
    leo, hal = LintingClient(app).sign_in(LEO), LintingClient(app).sign_in(HAL)
    assert "Your account stays" in leo.get("/harbour/profile/erasure").text
    assert "e-mail, password and sessions too" in leo.get("/skyline/profile/erasure").text
    assert "stays theirs" in hal.get(f"/harbour/people/{invited}/erasure").text
    with at_school("harbour"):
        lou = member(LOU).id
    assert "e-mail, password and sessions too" in hal.get(f"/harbour/people/{lou}/erasure").text
    assert "Your account goes with the last school." in leo.get("/account/deletion").text


def test_whom_schools_only_invited_is_told_to_end_the_account_themself(app: Flask) -> None:
    user = add_user("nia@elsewhere.example", password=PASSWORD, cost=4)
    user.email_confirmed_at = clock.now()
    invited_at_harbour(app, user.email)
    page = LintingClient(app).sign_in(Person(user.email, "")).get("/account/deletion")
    assert "Your account stays: end it here once it has." in page.text


def test_who_is_erased_asks_for_nothing(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        gone = member(LEO)
        gone.status, gone.erasure_asked_at = "erased", clock.now()
        session.commit()
        assert list_people(status=ASKS_ERASURE).rows == []
