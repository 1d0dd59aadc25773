"""The people of a school: who finds whom, who is let in, suspended or given roles, and that an admin always remains."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session, unit_of_work
from app.foundation.models import OutboxEvent
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership, UserSession
from app.identity.operations.accounts import add_member, add_user
from app.identity.operations.people import (
    LastAdmin,
    approve_members,
    change_roles,
    reinstate_member,
    suspend_member,
)
from app.identity.queries import find_user_by_email, list_admin_ids
from app.tenants.operations import add_department
from app.tenants.queries import list_departments
from tests.cast import ADA, ANA, BEA, BO, HAL, LEO, LOU, MAX, OLGA, OPERATOR, PASSWORD, Person, actor, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.identity.mailbox import assert_snapshot, sent


def somebody(status: str = "pending", name: str = "Ines Roy", *, confirmed: bool = True, **over: Any) -> int:
    """A person of Skyline in some state."""
    with at_school("skyline"):
        email = over.pop("email", f"{name.replace(' ', '.').lower()}@elsewhere.example")
        user = add_user(email, password=PASSWORD, cost=4)
        user.email_confirmed_at = clock.now() if confirmed else None
        made = add_member(user, name=name, roles=over.pop("roles", [Role.LEARNER]), actor=Actor())
        made.status = status
        for key, value in over.items():
            setattr(made, key, value)
        session.commit()
        return made.id


def standing(member_id: int) -> str:
    with at_school("skyline"):
        session.expire_all()
        return session.get_one(Membership, member_id).status


def entries(action: str) -> list[AuditEntry]:
    with at_school("skyline"):
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def events() -> list[str]:
    return list(session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id)))


def names(page: Page) -> list[str]:
    return ["".join(link.itertext()) for link in page.find_all(".//tbody//th/a")]


def identity_of(person: Person) -> int:
    with at_school(person.slug):
        return member(person).id


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


# -- the litany ----------------------------------------------------------------------------------------------------

DEEDS = ("approval", "refusal", "suspension", "reinstatement", "roles", "invitation")


def test_the_litany_of_the_pages(app: Flask) -> None:
    leo, lou = identity_of(LEO), identity_of(LOU)
    for person, status in ((ANA, 200), (MAX, 200), (BEA, 403), (ADA, 403), (LEO, 403), (HAL, 404)):
        client = LintingClient(app).sign_in(person)
        assert client.get("/skyline/people").status == status, person
        assert client.get(f"/skyline/people/{leo}").status == status, person
    assert LintingClient(app).get("/skyline/people").status == 303
    client = LintingClient(app).sign_in(ANA)
    assert client.get(f"/skyline/people/{lou}").status == 404
    assert client.get("/skyline/people/999999999").status == 404
    assert client.get("/skyline/people/leo").status == 404
    assert client.post("/skyline/people").status == 405


@pytest.mark.parametrize("deed", DEEDS)
def test_the_litany_of_the_deeds(app: Flask, deed: str) -> None:
    leo, lou = identity_of(LEO), identity_of(LOU)
    fields = {"reason": "Because", "roles": "learner"}
    for person in (MAX, BEA, LEO):
        assert LintingClient(app).sign_in(person).post(f"/skyline/people/{leo}/{deed}", fields).status == 403
    assert LintingClient(app).sign_in(HAL).post(f"/skyline/people/{leo}/{deed}", fields).status == 404
    client = LintingClient(app).sign_in(ANA)
    assert client.post(f"/skyline/people/{lou}/{deed}", fields).status == 404
    assert client.post("/skyline/people/999999999/" + deed, fields).status == 404
    assert client.get(f"/skyline/people/{leo}/{deed}").location == f"/skyline/people/{leo}"
    assert client.post(f"/skyline/people/{leo}/{deed}", fields, csrf=False).status == 400


# -- finding -------------------------------------------------------------------------------------------------------


def test_people_are_found_by_name_mail_and_phone(ana: LintingClient) -> None:
    somebody("active", "Łucja Ósma", email="pilot@sky.example", phone="+1 (555) 010-7788")

    def found(search: str) -> list[str]:
        page = ana.get("/skyline/people").form("Apply").fill(search=search).submit()
        return names(page)

    assert found("lucja") == ["Łucja Ósma"]
    assert found("PILOT@sky") == ["Łucja Ósma"]
    assert found("5550107788") == ["Łucja Ósma"]
    assert found("%") == []
    assert "Lou Finch" not in found("o")
    assert "Nobody like that" in ana.get("/skyline/people?search=zzzz").text


def test_filters_narrow_and_a_department_includes_those_below_it(app: Flask, ana: LintingClient) -> None:
    with app.test_request_context(), at_school("skyline"):
        top = list_departments()[0]
        below = add_department("Night flying", actor=actor(ANA), parent=top)
        lowest = add_department("Moonless", actor=actor(ANA), parent=below)
        session.commit()
    somebody("suspended", "Low Lee", department_id=lowest.id)
    assert names(ana.get("/skyline/people?status=suspended")) == ["Low Lee"]
    assert set(names(ana.get("/skyline/people?role=manager"))) == {"Max Abara"}
    assert "Low Lee" in names(ana.get(f"/skyline/people?department={top.id}&search=lee"))
    assert names(ana.get(f"/skyline/people?department={below.id}")) == ["Low Lee"]
    assert ana.get("/skyline/people?status=erased").status == 400
    assert ana.get("/skyline/people?department=999999").status == 400


def test_pages_hold_everybody_once_in_either_order(ana: LintingClient) -> None:
    for sort in ("name", "newest"):
        page, seen = ana.get(f"/skyline/people?sort={sort}"), []
        seen += names(page)
        while "Next" in page.links():
            page = page.link("Next").follow()
            seen += names(page)
        assert len(seen) == len(set(seen)) == 37
    assert names(ana.get("/skyline/people"))[:2] == sorted(names(ana.get("/skyline/people"))[:2])


def test_pages_ask_little_of_the_database(ana: LintingClient) -> None:
    leo = identity_of(LEO)
    ana.get("/skyline/people")
    with count_statements() as list_statements:
        ana.get("/skyline/people")
    with count_statements() as person_statements:
        ana.get(f"/skyline/people/{leo}")
    assert len(list_statements) <= 6, list_statements
    assert len(person_statements) <= 6, person_statements


# -- letting in ----------------------------------------------------------------------------------------------------


def test_a_waiting_person_is_approved_and_told(app: Flask, ana: LintingClient) -> None:
    ines = somebody()
    page = ana.get("/skyline/people").link("1 person waits to be let in").follow().link("Ines Roy").follow()
    page = page.form("Approve").submit()
    assert "Ines Roy is in." in page.text
    assert standing(ines) == "active"
    (entry,) = entries("member.approved")
    assert (entry.subject_id, entry.before, entry.after) == (ines, {"status": "pending"}, {"status": "active"})
    assert "MemberApproved" in events()
    assert [(mail.to, mail.subject) for mail in sent(app)] == [
        ("ines.roy@elsewhere.example", "You are in at Skyline Flight School")
    ]
    with at_school("skyline"):
        assert session.get_one(Membership, ines).approved_at


def test_who_has_not_confirmed_their_mail_cannot_be_approved(ana: LintingClient) -> None:
    """Else somebody who typed another's address would come in under that name."""
    ines = somebody(confirmed=False)
    page = ana.get(f"/skyline/people/{ines}")
    assert "once they have confirmed their e-mail" in page.text
    refused = ana.post(f"/skyline/people/{ines}/approval")
    assert refused.status == 409
    assert "has not confirmed their e-mail" in refused.text
    at_once = ana.post("/skyline/people/approvals", {"member": ines})
    assert at_once.status == 409
    assert "1 person has not confirmed their e-mail yet" in at_once.text
    assert "somebody else decided first" not in at_once.text
    assert standing(ines) == "pending"


def test_of_several_those_who_are_left_out_are_told(ana: LintingClient) -> None:
    ready, not_yet = somebody(name="Ines Roy"), somebody(name="Not Yet", confirmed=False)
    page = ana.post("/skyline/people/approvals", {"member": [str(ready), str(not_yet)]}, follow=True)
    assert "1 person is in. 1 person has not confirmed their e-mail yet" in page.text
    assert [standing(ready), standing(not_yet)] == ["active", "pending"]
    again = ana.post("/skyline/people/approvals", {"member": ready})
    assert "somebody else decided first" in again.text


def test_several_are_approved_at_once(ana: LintingClient) -> None:
    ids = [somebody(name=name) for name in ("Ines Roy", "Jan Tal", "Kim Oda")]
    unconfirmed = somebody(name="Not Yet", confirmed=False)
    page = ana.get("/skyline/people?status=pending")
    assert set(page.form("Approve selected").choices("member")) == {str(number) for number in ids}
    page = page.form("Approve selected").fill(member=[str(ids[0]), str(ids[2])]).submit()
    assert "2 people are in." in page.text
    assert [standing(number) for number in (*ids, unconfirmed)] == ["active", "pending", "active", "pending"]
    assert len(entries("member.approved")) == events().count("MemberApproved") == 2
    page = page.form("Approve selected").submit()
    assert page.status == 422
    assert "Choose at least one person." in page.text
    assert set(page.form("Approve selected").choices("member")) == {str(ids[1])}
    assert "Leo Hart" not in page.text  # the list is still of those who wait


def test_bulk_approval_stays_in_its_school(app: Flask) -> None:
    ines = somebody()
    client = LintingClient(app).sign_in(HAL)
    assert client.post("/harbour/people/approvals", {"member": ines}).status == 409
    assert standing(ines) == "pending"
    assert LintingClient(app).sign_in(MAX).post("/skyline/people/approvals", {"member": ines}).status == 403
    assert LintingClient(app).sign_in(ANA).get("/skyline/people/approvals").location == "/skyline/people"
    assert LintingClient(app).sign_in(ANA).post("/skyline/people/approvals", {"member": "x"}).status == 422


def test_declining_needs_a_reason_which_the_person_reads(app: Flask, ana: LintingClient) -> None:
    ines = somebody()
    page = ana.get(f"/skyline/people/{ines}").form("Decline request").fill(reason=" ").submit()
    assert page.status == 422
    assert "Give a reason." in page.text
    page = page.form("Decline request").fill(reason="The course is full").submit()
    assert "Ines Roy is declined." in page.text
    (mail,) = sent(app)
    assert_snapshot(mail, "declined")
    (entry,) = entries("member.declined")
    assert entry.after == {"status": "declined", "reason": "changed"}
    assert "MemberDeclined" in events()
    page = page.form("Let in after all").submit()
    assert standing(ines) == "active"


# -- suspending ----------------------------------------------------------------------------------------------------


def test_a_suspended_persons_next_request_is_their_last(app: Flask, ana: LintingClient) -> None:
    max_id, there = identity_of(MAX), LintingClient(app).sign_in(MAX)
    assert there.get("/skyline/people").status == 200
    page = ana.get(f"/skyline/people/{max_id}").form("Suspend access").fill(reason="Flew under a bridge").submit()
    assert "Max Abara is suspended." in page.text
    led = there.get("/skyline/people").follow()
    assert led.path == "/login?next=/skyline/people"
    assert "Your access was suspended, and you are signed out." in led.text
    led = led.form("Sign in").fill(email=MAX.email, password=PASSWORD).submit()
    assert (led.path, led.h1) == ("/skyline/standing", "Your access is suspended")
    assert "Flew under a bridge" in led.text
    refused = there.post(f"/skyline/people/{max_id}/roles", {"roles": "admin"})
    assert (refused.status, refused.h1) == (403, "Your access is suspended")
    (mail,) = sent(app)
    assert_snapshot(mail, "suspended")
    page.form("Reinstate").submit()
    (mail,) = sent(app)
    assert_snapshot(mail, "reinstated")
    assert LintingClient(app).sign_in(MAX).get("/skyline/people").status == 200
    assert {"MemberSuspended", "MemberReinstated"} <= set(events())
    assert len(entries("member.suspended")) == len(entries("member.reinstated")) == 1


def test_after_reinstatement_a_suspended_person_signs_in_again(ana: LintingClient, app: Flask) -> None:
    """Also where they asked for nothing meanwhile: what opened the school before does not open it again by itself."""
    max_id, there, partial = identity_of(MAX), LintingClient(app).sign_in(MAX), LintingClient(app).sign_in(MAX)
    page = ana.get(f"/skyline/people/{max_id}").form("Suspend access").fill(reason="Fees").submit()
    answer = partial.partial("/skyline/people")
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login?next=/skyline/people")
    page.form("Reinstate").submit()
    assert there.get("/skyline/people").location == "/login?next=/skyline/people"
    with at_school("skyline"):
        reasons = session.scalars(select(UserSession.ended_reason).where(UserSession.user_id == member(MAX).user_id))
        assert list(reasons) == ["suspended", "suspended"]


def test_what_a_suspended_person_typed_is_kept_and_refused_after_signing_in(ana: LintingClient, app: Flask) -> None:
    form = LintingClient(app).sign_in(MAX).get("/skyline/profile").form("Save profile").fill(phone="+1 604 555 0123")
    page = ana.get(f"/skyline/people/{identity_of(MAX)}").form("Suspend access").fill(reason="Fees").submit()
    asked = form.submit()
    assert asked.status == 401
    assert "Your access was suspended" in asked.text
    assert "what you typed is kept" in asked.text
    page.form("Reinstate").submit()
    done = asked.form("Sign in").fill(email=MAX.email, password=PASSWORD).submit()
    assert done.status == 200
    with at_school("skyline"):
        session.expire_all()
        assert member(MAX).phone == "+1 604 555 0123"


def test_a_person_whom_another_school_lets_in_stays_signed_in_there(app: Flask) -> None:
    there = LintingClient(app).sign_in(BO)
    ana, bo = LintingClient(app).sign_in(ANA), identity_of(BO)
    ana.get(f"/skyline/people/{bo}").form("Suspend access").fill(reason="Fees").submit()
    assert there.get("/harbour/profile").status == 200
    assert there.get("/skyline/profile").location == "/skyline/standing"
    with at_school("harbour"):
        suspend_member(member(BO), reason="Fees", actor=actor(HAL))
        session.commit()
    assert there.get("/harbour/profile").location == "/login?next=/harbour/profile"


def test_a_suspended_operator_still_runs_the_platform(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        user = find_user_by_email(OPERATOR.email)
        assert user
        made = add_member(user, name="Op", roles=[Role.LEARNER], actor=Actor())
        session.commit()
        there = LintingClient(app).sign_in(OPERATOR, school="")
    with app.test_request_context(), at_school("skyline"):
        suspend_member(session.get_one(Membership, made.id), reason="Fees", actor=actor(ANA))
        session.commit()
    assert there.get("/operator/schools").status == 200


def test_an_admin_who_acts_as_a_suspended_person_is_themself_again(app: Flask) -> None:
    max_id, acting = identity_of(MAX), LintingClient(app).sign_in(ANA)
    acting.get(f"/skyline/people/{max_id}/acting").form("Begin").fill(reason="To look at it").submit()
    assert "You act as Max Abara" in acting.get("/skyline/profile").text
    other = LintingClient(app).sign_in(OLGA)
    other.get(f"/skyline/people/{max_id}").form("Suspend access").fill(reason="Fees").submit()
    page = acting.get("/skyline/profile")
    assert page.status == 200
    assert "You act as Max Abara" not in page.text


def test_a_deed_that_came_too_late_says_how_they_stand(ana: LintingClient) -> None:
    ines = somebody("suspended")
    answer = ana.post(f"/skyline/people/{ines}/suspension", {"reason": "Twice"})
    assert answer.status == 409
    assert "“Suspended” by now" in answer.text
    assert ana.post(f"/skyline/people/{ines}/approval").status == 409


def test_nobody_suspends_themself(ana: LintingClient) -> None:
    own = identity_of(ANA)
    assert "Suspend access" not in ana.get(f"/skyline/people/{own}").text
    assert ana.post(f"/skyline/people/{own}/suspension", {"reason": "Tired"}).status == 409


# -- roles ---------------------------------------------------------------------------------------------------------


def test_roles_are_changed_and_count_at_once(app: Flask, ana: LintingClient) -> None:
    leo, there = identity_of(LEO), LintingClient(app).sign_in(LEO)
    assert there.get("/skyline/people").status == 403
    page = ana.get(f"/skyline/people/{leo}").form("Save roles")
    page = page.fill(roles=["learner", "manager"]).submit()
    assert "The roles of Leo Hart are saved." in page.text
    assert there.get("/skyline/people").status == 200
    (entry,) = entries("member.roles_changed")
    assert (entry.before, entry.after) == ({"roles": ["learner"]}, {"roles": ["learner", "manager"]})
    assert "RolesChanged" in events()
    assert ana.get(f"/skyline/people/{leo}").form("Save roles").fill(roles=[]).submit().status == 422
    assert ana.post(f"/skyline/people/{leo}/roles", {"roles": "pilot"}).status == 422


def test_two_admins_who_give_different_roles_give_both(ana: LintingClient) -> None:
    leo = identity_of(LEO)
    first, second = (ana.get(f"/skyline/people/{leo}").form("Save roles") for _window in range(2))
    first.fill(roles=["learner", "manager"]).submit()
    second.fill(roles=["author"]).submit()
    with at_school("skyline"):
        assert sorted(session.get_one(Membership, leo).roles) == ["author", "manager"]


def test_two_admins_who_together_leave_no_role_are_told(ana: LintingClient) -> None:
    leo = identity_of(LEO)
    ana.get(f"/skyline/people/{leo}").form("Save roles").fill(roles=["learner", "instructor"]).submit()
    first, second = (ana.get(f"/skyline/people/{leo}").form("Save roles") for _window in range(2))
    first.fill(roles=["instructor"]).submit()
    refused = second.fill(roles=["learner"]).submit()
    assert (refused.status, "Somebody else changed the same" in refused.text) == (409, True)
    assert "are saved" in refused.form("Save roles").submit().text
    with at_school("skyline"):
        assert session.get_one(Membership, leo).roles == ["learner"]


def test_the_last_admin_stays_whatever_was_read(ana: LintingClient) -> None:
    ana_id, olga = identity_of(ANA), identity_of(OLGA)
    stale = ana.get(f"/skyline/people/{olga}").form("Save roles")
    with at_school("skyline"):
        session.get_one(Membership, ana_id).roles = ["admin", "manager"]
        session.commit()
    LintingClient(ana.app).sign_in(OLGA).post(
        f"/skyline/people/{ana_id}/roles", {"roles": "manager", "read": "admin,manager"}
    )
    with at_school("skyline"):
        assert session.get_one(Membership, ana_id).roles == ["manager"]
    answer = (
        LintingClient(ana.app)
        .sign_in(OLGA)
        .post(f"/skyline/people/{olga}/roles", {"roles": "author", "read": "admin,author,instructor", "sure": "yes"})
    )
    assert (answer.status, "A school needs an admin." in answer.text) == (409, True)
    assert "admin" in stale.data().getlist("roles")


def test_an_invited_person_is_invited_again(app: Flask, ana: LintingClient) -> None:
    ines = somebody("invited")
    page = ana.get(f"/skyline/people/{ines}").form("Invite again").submit()
    assert "An invitation is on its way to Ines Roy." in page.text
    assert [mail.to for mail in sent(app)] == ["ines.roy@elsewhere.example"]


def test_an_admin_who_gives_up_the_role_is_asked_once_and_led_where_they_may_be(app: Flask, ana: LintingClient) -> None:
    own = identity_of(ANA)
    page = ana.get(f"/skyline/people/{own}").form("Save roles").fill(roles=["admin", "author"]).submit()
    assert "The roles of Ana Ruiz are saved." in page.text
    asked = page.form("Save roles").fill(roles=["learner", "instructor"]).submit()
    assert asked.h1 == "Give up the admin role?"
    assert "From then on you are: Learner, Instructor." in asked.text
    with at_school("skyline"):
        session.expire_all()
        assert member(ANA).roles == ["admin", "author"]
    assert asked.link("Stay an admin").follow().h1 == "Ana Ruiz"
    page = asked.form("Give up the admin role").submit()
    assert (page.path, page.status) == ("/skyline/", 200)
    assert "You are no longer an admin here. You are now: Learner, Instructor." in page.text
    with at_school("skyline"):
        session.expire_all()
        assert member(ANA).roles == ["instructor", "learner"]
    assert asked.form("Give up the admin role").submit().status == 403


def test_who_stays_a_manager_stays_on_their_page(ana: LintingClient) -> None:
    own = identity_of(ANA)
    asked = ana.get(f"/skyline/people/{own}").form("Save roles").fill(roles=["manager"]).submit()
    page = asked.form("Give up the admin role").submit()
    assert (page.status, page.h1) == (200, "Ana Ruiz")


def test_taking_the_role_from_another_asks_nothing(ana: LintingClient) -> None:
    page = ana.get(f"/skyline/people/{identity_of(OLGA)}").form("Save roles").fill(roles=["learner"]).submit()
    assert "The roles of" in page.text


# -- the last admin ------------------------------------------------------------------------------------------------


def test_the_last_admin_stays(app: Flask, ana: LintingClient) -> None:
    own, olga = identity_of(ANA), identity_of(OLGA)
    ana.post(f"/skyline/people/{olga}/roles", {"roles": "instructor"})
    answer = ana.post(f"/skyline/people/{own}/roles", {"roles": "learner"})
    assert answer.status == 409
    assert "A school needs an admin." in answer.text
    with app.test_request_context(), at_school("skyline"):
        with pytest.raises(LastAdmin):
            suspend_member(member(ANA), reason="x", actor=Actor(is_system=True))
        assert list_admin_ids() == {own}


def test_a_suspended_admin_is_no_admin_to_count_on(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        suspend_member(member(OLGA), reason="x", actor=actor(ANA))
        session.flush()
        with pytest.raises(LastAdmin):
            change_roles(member(ANA), [Role.LEARNER], actor=actor(ANA))


def test_who_is_no_admin_any_more_decides_nothing(app: Flask) -> None:
    """The permission was looked up when the request began; somebody may have taken the role since."""
    with app.test_request_context(), at_school("skyline"):
        late = actor(OLGA)
        change_roles(member(OLGA), [Role.INSTRUCTOR], actor=actor(ANA))
        with pytest.raises(Refusal, match="no admin any more"):
            change_roles(member(LEO), [Role.ADMIN], actor=late)


@pytest.mark.parametrize("third", [False, True])
def test_two_admins_demote_each_other_at_the_same_instant_and_one_wins(committing_app: Flask, third: bool) -> None:
    with at_school("skyline"):
        ana, olga = actor(ANA), actor(OLGA)
        here = tenancy.required()
        if third:
            member(BEA).roles = ["admin", "instructor"]
            session.commit()
    start, won, refused = threading.Barrier(2), [], []

    def demote(who: Actor, whom: Actor) -> None:
        with committing_app.app_context(), tenancy.tenant_scope(here):
            try:
                with unit_of_work():
                    victim = session.get_one(Membership, whom.membership_id)
                    start.wait(10)
                    change_roles(victim, [Role.LEARNER], actor=who)
                won.append(who.name)
            except Refusal as refusal:
                refused.append(type(refusal).__name__)

    threads = [threading.Thread(target=demote, args=pair) for pair in ((ana, olga), (olga, ana))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(won) == len(refused) == 1
    with at_school("skyline"):
        session.expire_all()
        left = {ANA: member(ANA), OLGA: member(OLGA)}
        assert sum("admin" in found.roles for found in left.values()) == 1


def test_reinstating_is_for_who_is_out(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        with pytest.raises(Refusal):
            reinstate_member(member(LEO), actor=actor(ANA))
        assert approve_members([member(LEO).id], actor=actor(ANA)) == []


def test_the_sign_ins_of_a_suspended_person_stay_in_the_schools_trail(app: Flask, ana: LintingClient) -> None:
    leo = identity_of(LEO)
    ana.get(f"/skyline/people/{leo}").form("/suspension").fill(reason="Fees").submit()
    before = len(entries("session.opened"))
    assert LintingClient(app).sign_in(LEO).get("/skyline/week").status != 200
    assert [entry.subject_id for entry in entries("session.opened")][before:] == [leo]
