"""Erasure: who somebody is goes, what the school must show keeps an id."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text

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
from app.identity.queries import find_user_by_email
from app.notifications.models import Notification
from app.scheduling.models import Booking
from tests.cast import ANA, BO, HAL, LEO, LOU, MAX, OLGA, OPERATOR, Person, actor, at_school, member
from tests.client import LintingClient, Page
from tests.identity.mailbox import assert_snapshot, sent
from tests.identity.test_export import booked

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


def test_a_person_asks_and_the_admins_are_told(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    page = client.get("/skyline/profile").link("Ask to be erased").follow()
    page = page.form("Send the request").submit()
    assert "have your request" in page.text
    page.link("Ask to be erased").follow().form("Send the request").submit()
    mails = sent(app)
    assert sorted(mail.to for mail in mails) == [ANA.email, OLGA.email]
    assert f"/skyline/people/{id_of(LEO)}" in mails[0].text
    assert row(id_of(LEO)).status == "active"
    assert_snapshot(next(mail for mail in mails if mail.to == ANA.email), "erasure_request")


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
