"""People who are added outright: they are in at once, and whoever holds an account with their e-mail is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership, User
from app.identity.operations.adding import add_outright
from app.identity.operations.erasure import erase_person
from app.identity.operations.people import LastAdmin, approve_members, change_roles, reinstate_member, suspend_member
from app.identity.operations.registration import KnownHere
from app.identity.queries import find_standing_member, find_user_by_email, is_let_in_elsewhere
from app.scheduling.queries.resources import list_instructors
from tests.cast import ANA, HAL, LEO, LOU, MAX, OLGA, actor, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.identity.mailbox import assert_snapshot, sent
from tests.identity.test_import import lines, people, reviewed
from tests.identity.test_invite import invited
from tests.identity.test_people import somebody
from tests.identity.test_register import ask_to_join, sign_in, standing_of

EMAIL, NEW = "ines@elsewhere.example", "/skyline/people/new"
CHOSEN = "gusting from the west"
LIST = "Name;E-mail;Role\nJan Tal;jan@elsewhere.example;\nKim Oda;kim@elsewhere.example;Instructor\n"


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


def add(client: LintingClient, email: str = EMAIL, *roles: str, name: str = "Ines Roy") -> Page:
    form = client.get(NEW).form("Add person")
    return form.fill(name=name, email=email, roles=list(roles) or ["instructor"]).submit()


def entries(action: str) -> list[Any]:
    """Who did that to whom, and what was so after."""
    facts = select(AuditEntry.actor_id, AuditEntry.subject_id, AuditEntry.after)
    with at_school("skyline"):
        return list(session.execute(facts.where(AuditEntry.action == action).order_by(AuditEntry.id)))


def instructors() -> list[str]:
    with at_school("skyline"):
        return [one.name for one in list_instructors()]


# -- one person ----------------------------------------------------------------------------------------------------


def test_who_is_added_is_in_at_once_can_be_booked_and_chooses_a_password(app: Flask, ana: LintingClient) -> None:
    page = add(ana)
    assert page.h1 == "Ines Roy"
    assert "Ines Roy is in. A mail with a link to choose a password is on its way." in page.text
    assert standing_of(EMAIL) == "active"
    assert people()[EMAIL].approved_at
    *_before, (by, whom, roles) = [(e.actor_id, e.subject_id, e.after["roles"]) for e in entries("member.added")]
    assert (by, whom, roles) == (member_id(ANA.email), member_id(EMAIL), ["instructor"])
    assert "MemberAdded" in set(session.scalars(select(OutboxEvent.name)))
    (mail,) = sent(app)
    assert_snapshot(mail, "added")
    assert "Ines Roy" in instructors()
    assert "Ines Roy" in LintingClient(app).sign_in(LEO).get("/skyline/bookings/new").text

    client = LintingClient(app)
    page = client.get(mail.path)
    assert "the school has added you" in page.text
    assert page.form("Come in").fill(password=CHOSEN).submit().h1 == "Today"
    assert client.get("/skyline/availability").status == 200
    (came,) = entries("member.came")
    assert came.actor_id == member_id(EMAIL)
    assert client.get(mail.path).status == 410
    assert find_user(EMAIL).email_confirmed_at
    assert "have not come by their link" not in ana.get(f"/skyline/people/{member_id(EMAIL)}").text


def test_who_has_not_come_yet_is_found_until_they_have(app: Flask, ana: LintingClient) -> None:
    """Where there is no mail, somebody has to hand each of them a link."""
    assert add(ana).status == 200
    listed = ana.get("/skyline/people?status=not_come_yet")
    assert [link for link in listed.links() if link.startswith("Ines")] == ["Ines Roy"]
    assert "Leo Hart" not in listed.html
    assert "Has not come in yet" in listed.words_of(f"membership-{member_id(EMAIL)}")
    with at_school("skyline"):
        session.get_one(Membership, member_id(EMAIL)).has_come()
        session.commit()
    assert "Ines Roy" not in ana.get("/skyline/people?status=not_come_yet").html
    assert "Has not come in yet" not in ana.get("/skyline/people").words_of(f"membership-{member_id(EMAIL)}")


def member_id(email: str) -> int:
    return people()[email].id


def find_user(email: str) -> User:
    session.expire_all()
    user = find_user_by_email(email)
    assert user
    return user


def test_adding_at_once_is_what_the_form_means_unless_told_otherwise(ana: LintingClient) -> None:
    assert ana.get(NEW).form("Add person").value("how") == "at_once"
    page = ana.get(NEW).form("Add person").fill(name="Ines", email=EMAIL, how=None).submit()
    assert page.status == 422
    assert EMAIL not in people()


def test_a_double_click_adds_once(ana: LintingClient) -> None:
    form = ana.get(NEW).form("Add person").fill(name="Ines Roy", email=EMAIL)
    first, again = form.submit(follow=False), form.submit(follow=False)
    assert (first.status, first.location) == (again.status, again.location)
    assert [entry.subject_id for entry in entries("member.added")].count(member_id(EMAIL)) == 1


def test_who_is_known_here_is_not_added_and_who_was_invited_is_let_in(app: Flask, ana: LintingClient) -> None:
    page = add(ana, LEO.email.upper())
    assert page.status == 409
    assert "is known here already, as Leo Hart" in page.text
    invited(app)
    (invitation,) = sent(app)
    add(ana, EMAIL, "instructor", "author")
    assert people()[EMAIL].status == "active"
    assert people()[EMAIL].roles == ["author", "instructor"]
    page = LintingClient(app).get(invitation.path).form("Come in").fill(password=CHOSEN).submit()
    assert page.h1 == "Today"
    with app.test_request_context(), at_school("skyline"):
        suspend_member(session.get_one(Membership, member_id(EMAIL)), reason="x", actor=actor(ANA))
        with pytest.raises(KnownHere):
            add_outright(email=EMAIL, name="Ines", roles=[Role.LEARNER], actor=actor(ANA))
        with pytest.raises(Refusal):
            add_outright(email="nobody", name="Ines", roles=[Role.LEARNER], actor=actor(ANA))


def test_the_link_is_sent_again_from_their_page(app: Flask, ana: LintingClient) -> None:
    page = add(ana)
    assert "have not come by their link yet" in page.text
    page = page.form("Send the link again").submit()
    assert "A link is on its way to Ines Roy." in page.text
    assert sent(app)[-1].to == EMAIL


def test_who_teaches_from_now_on_can_be_booked_however_they_came(app: Flask) -> None:
    """Before they have said when: by an accepted invitation, an approval, a new role, or a return."""
    invited(app)
    (mail,) = sent(app)
    LintingClient(app).get(mail.path).form("Accept the invitation").fill(password=CHOSEN).submit()
    waiting = somebody(name="Jan Tal", roles=[Role.INSTRUCTOR])
    back = somebody("suspended", "Kim Oda", roles=[Role.INSTRUCTOR])
    with app.test_request_context(), at_school("skyline"):
        approve_members([waiting], actor=actor(ANA))
        reinstate_member(session.get_one(Membership, back), actor=actor(ANA))
        change_roles(member(MAX), [Role.MANAGER, Role.INSTRUCTOR], actor=actor(ANA))
        session.commit()
    sent(app)
    assert {"Ines Roy", "Jan Tal", "Kim Oda", "Max Abara"} <= set(instructors())


# -- whoever has an account ----------------------------------------------------------------------------------------


def test_a_person_of_another_school_keeps_their_account_and_is_told(app: Flask, ana: LintingClient) -> None:
    before = find_user(LOU.email)
    kept = (before.password_hash, before.email, before.email_confirmed_at)
    there = LintingClient(app).sign_in(LOU)
    unknown, known = add(ana, name="Ines Roy"), add(ana, LOU.email, name="Ines Roy")
    plain = [re.sub(r"[\w.]+@[\w.]+|-?\d+", "", "".join(page.find(".//main").itertext())) for page in (unknown, known)]
    assert plain[0] == plain[1], "the admin sees who has an account elsewhere"
    after = find_user(LOU.email)
    assert (after.password_hash, after.email, after.email_confirmed_at) == kept
    mails = {mail.to: mail for mail in sent(app)}
    assert mails[LOU.email].subject == mails[EMAIL].subject == "Skyline Flight School has added you"
    assert there.get("/skyline/").location == "/skyline/standing"
    page = LintingClient(app).get(mails[LOU.email].path)
    assert "password" not in page.form("Come in").names()
    page = page.form("Come in").submit()
    assert page.path.startswith("/login"), "a link opens no account that has a password"


def test_signing_in_elsewhere_tells_a_school_that_added_somebody_nothing(app: Flask, ana: LintingClient) -> None:
    """Any admin may add anybody's address. Lou never heard of Skyline, which learns neither that she has an account nor where
    she signs in, nor by which address, and gets no hold on it."""
    page = add(ana, LOU.email)
    lou = LintingClient(app).sign_in(LOU)
    LintingClient(app).sign_in_form().fill(email=LOU.email, password="not the password").submit()
    user = find_user(LOU.email)
    user.email = "lou.finch@harbour.example"
    session.commit()
    seen = ana.get(page.path)
    assert "have not come by their link yet" in seen.text
    assert (LOU.email in seen.text, user.email in seen.text) == (True, False)
    trail = [entry.subject_id for action in ("session.opened", "session.refused") for entry in entries(action)]
    assert member_id_of(user) not in trail
    assert lou.get("/skyline/").location == "/skyline/standing"
    with app.test_request_context(), at_school("skyline"):
        added = session.get_one(Membership, member_id_of(user))
        erase_person(added, actor=actor(ANA))
        session.commit()
    assert find_user("lou.finch@harbour.example")


def member_id_of(user: User) -> int:
    with at_school("skyline"):
        found = find_standing_member(user.id)
        assert found
        return found.id


def test_who_has_an_account_of_theirs_comes_in_by_a_press(app: Flask, ana: LintingClient) -> None:
    page = add(ana, LOU.email)
    lou = LintingClient(app).sign_in(LOU)
    assert LintingClient(app).sign_in(LOU, school="").get("/").status == 303
    standing = lou.get("/schools?stay=1").link("It waits for you to come in").follow()
    assert standing.h1 == "You are invited"
    home = standing.form("Come in").submit()
    assert (home.path, home.h1) == ("/skyline/", "Today")
    assert "have not come by their link yet" not in ana.get(page.path).text
    (came,) = entries("member.came")
    assert came.actor_id == came.subject_id == member_id(LOU.email)
    again = lou.post("/skyline/standing")
    assert (again.status, again.location) == (303, "/skyline/")


@pytest.mark.parametrize("status", ["pending", "invited", "declined", "suspended"])
def test_nobody_comes_in_by_a_press_who_was_not_added(app: Flask, ana: LintingClient, status: str) -> None:
    lou = LintingClient(app).sign_in(LOU)
    assert lou.post("/skyline/standing").status == 404
    assert LintingClient(app).post("/skyline/standing").status == 401
    somebody_added = add(ana, LOU.email).path
    with at_school("skyline"):
        session.get_one(Membership, int(somebody_added.rsplit("/", 1)[1])).status = status
        session.commit()
    assert not any("Come in" in form.buttons() for form in lou.get("/skyline/standing").forms())
    assert lou.post("/skyline/standing").status == 409
    assert standing_of(LOU.email) == status
    assert lou.post("/skyline/standing", {}, csrf=False).status == 400


def test_whoever_registered_with_their_address_reads_nothing_of_who_was_added(app: Flask, ana: LintingClient) -> None:
    """Until the mailbox is proven the account may be a stranger's: what the school keeps is its owner's."""
    ask_to_join(app, EMAIL, slug="harbour")
    stranger = sign_in(app, EMAIL)
    add(ana, EMAIL)
    assert_told_nothing(stranger)


def assert_told_nothing(stranger: LintingClient) -> None:
    standing = stranger.get("/skyline/standing")
    assert standing.status == 200
    assert not {"Download your data", "Ask to be erased"} & standing.links().keys()
    assert not any("Come in" in form.buttons() for form in standing.forms())
    assert stranger.get("/skyline/profile/export.json").status == 409
    assert stranger.get("/skyline/profile/erasure").status == 409
    assert stranger.post("/skyline/profile/erasure").status == 409
    assert stranger.post("/skyline/standing").status == 409


def test_whoever_registered_with_their_address_elsewhere_does_not_come_in(app: Flask, ana: LintingClient) -> None:
    """A stranger registers with another's e-mail at an open school, and waits for a school to add its owner."""
    ask_to_join(app, EMAIL, slug="harbour")
    stranger = sign_in(app, EMAIL)
    add(ana, EMAIL, "admin")
    assert stranger.get("/skyline/people").location == "/skyline/standing"
    assert stranger.get("/skyline/standing").h1 == "You are invited"
    assert sign_in(app, EMAIL).get("/skyline/people").status == 303
    (mail,) = [mail for mail in sent(app) if mail.to == EMAIL]
    owner = LintingClient(app)
    owner.get(mail.path).form("Come in").fill(password="rain at the far end").submit()
    assert owner.get("/skyline/people").status == 200
    assert stranger.get("/skyline/people").location.startswith("/login")


def test_adding_gives_a_school_no_hold_on_an_account(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        added = add_outright(email="nobody@harbour.example", name="Ann", roles=[Role.LEARNER], actor=actor(ANA))
        user = session.get_one(User, added.user_id)
        user.email_confirmed_at, user.password_hash = func.now(), "x"
        session.flush()
        erase_person(added, actor=actor(ANA))
        session.refresh(user)
        assert (user.erased_at, user.email) == (None, "nobody@harbour.example")


def test_a_school_that_only_added_somebody_is_none_that_lets_them_in(app: Flask, ana: LintingClient) -> None:
    """A stranger who holds an account with their address reads neither that they are in nor why they are out."""
    ask_to_join(app, EMAIL, slug="harbour")
    stranger = sign_in(app, EMAIL)
    path = add(ana).path
    page = stranger.get("/schools?stay=1")
    assert page.link("You are invited").follow().h1 == "You are invited"
    with app.test_request_context(), at_school("harbour"):
        assert not is_let_in_elsewhere(find_user(EMAIL).id)
    ana.get(path).form("Suspend access").fill(reason="Her medical has lapsed").submit()
    page = stranger.get("/skyline/standing")
    assert page.h1 == "Your access is suspended"
    assert "medical" not in page.text


def test_a_school_that_only_added_somebody_does_not_sign_them_out(app: Flask, ana: LintingClient) -> None:
    ask_to_join(app, EMAIL, slug="harbour")
    theirs = sign_in(app, EMAIL)
    ana.get(add(ana).path).form("Suspend access").fill(reason="x").submit()
    assert theirs.get("/account").status == 200


@pytest.mark.parametrize("how", ["at_once", "invite"])
def test_a_guess_does_not_tell_that_two_addresses_are_of_one_person(app: Flask, ana: LintingClient, how: str) -> None:
    """Ines was invited by an address that she has left since. Whoever types the new one is not led to her page."""
    invited(app)
    find_user(EMAIL).email = "ines.new@elsewhere.example"
    session.commit()
    form = ana.get(NEW).form("Add person")
    page = form.fill(name="Somebody", email="ines.new@elsewhere.example", roles=["author"], how=how).submit()
    assert page.status == 409
    assert "ines.new@elsewhere.example cannot be added here." in page.text
    assert (EMAIL in page.text, "Ines Roy" in page.text) == (False, False)
    (row,) = [who for who in people().values() if who.known_as == EMAIL]
    assert (row.name, row.roles) == ("Ines Roy", ["instructor"])


@pytest.mark.parametrize(("how", "said"), [("at_once", "1 person is added."), ("invite", "1 person is invited.")])
def test_a_list_says_who_was_left_out_after_all(app: Flask, ana: LintingClient, how: str, said: str) -> None:
    invited(app)
    find_user(EMAIL).email = "ines.new@elsewhere.example"
    session.commit()
    rows = "Name;E-mail\nSomebody;ines.new@elsewhere.example\nJan Tal;jan@elsewhere.example\n"
    page = reviewed(ana, rows, how=how).form("Carry out").submit()
    assert said in page.text
    assert "1 line was left out" in page.text
    (done,) = entries("import.carried_out")
    assert done.after == {"added": 1, "refused": 1}


# -- the last admin ------------------------------------------------------------------------------------------------


def test_an_admin_who_has_not_come_yet_is_none_to_rely_on(app: Flask, ana: LintingClient) -> None:
    add(ana, EMAIL, "admin")
    with app.test_request_context(), at_school("skyline"):
        change_roles(member(OLGA), [Role.INSTRUCTOR], actor=actor(ANA))
        with pytest.raises(LastAdmin, match="have not come in by their link yet"):
            change_roles(member(ANA), [Role.LEARNER], actor=actor(ANA))
        session.commit()
    (mail,) = [mail for mail in sent(app) if mail.to == EMAIL]
    LintingClient(app).get(mail.path).form("Come in").fill(password=CHOSEN).submit()
    with app.test_request_context(), at_school("skyline"):
        assert change_roles(member(ANA), [Role.LEARNER], actor=actor(ANA)).roles == ["learner"]


def test_a_second_factor_that_the_school_asks_for_is_asked_of_who_was_added(app: Flask, ana: LintingClient) -> None:
    with at_school("skyline"):
        from app.tenants.queries import school_settings

        add(ana, EMAIL, "admin")
        school_settings().admins_need_second_factor = True
        session.commit()
    (mail,) = [mail for mail in sent(app) if mail.to == EMAIL]
    page = LintingClient(app).get(mail.path).form("Come in").fill(password=CHOSEN).submit()
    assert "second-factor" in page.path


# -- a list --------------------------------------------------------------------------------------------------------


def test_a_list_is_added_at_once(app: Flask, ana: LintingClient) -> None:
    page = reviewed(ana, LIST, how="at_once")
    assert "These people are in at once" in page.text
    assert len(lines(page, "added")) == 2
    page = page.form("Carry out").submit()
    assert "2 people are added." in page.text
    assert [people()[f"{who}@elsewhere.example"].status for who in ("jan", "kim")] == ["active", "active"]
    assert {mail.subject for mail in sent(app)} == {"Skyline Flight School has added you"}
    assert "Kim Oda" in instructors()
    assert "Jan Tal" not in instructors()
    names = list(session.scalars(select(OutboxEvent.name)))
    assert (names.count("MemberAdded"), names.count("MemberInvited")) == (2, 0)


def test_a_list_lets_in_who_was_invited_and_says_so_before(app: Flask, ana: LintingClient) -> None:
    invited(app)
    sent(app)
    page = reviewed(ana, f"Name;E-mail\nInes Roy;{EMAIL}\nLeo Hart;{LEO.email}\n", how="at_once")
    assert lines(page, "changed") == [["Ines Roy", EMAIL, "2", "let in at once"]]
    assert lines(page, "same") == [["Leo Hart", LEO.email, "3"]]
    assert lines(reviewed(ana, f"Name;E-mail\nInes Roy;{EMAIL}\n"), "changed") == []
    page.form("Carry out").submit()
    assert people()[EMAIL].status == "active"
    assert len(entries("profile.changed")) == 0


def test_a_long_list_takes_few_statements(ana: LintingClient) -> None:
    rows = "\n".join(f"Person {n};person{n}@elsewhere.example" for n in range(300))
    form = reviewed(ana, f"Name;E-mail\n{rows}", how="at_once").form("Carry out")
    with count_statements() as statements:
        form.submit(follow=False)
    assert len(statements) < 40, len(statements)
    assert sum(who.link_awaited for who in people().values()) == 300


# -- where there is no mail ----------------------------------------------------------------------------------------


@pytest.fixture
def no_mail(app: Flask) -> Iterator[None]:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, demo=False, smtp_url="")
    yield
    app.config["SETTINGS"] = settings


def link_on(page: Page) -> str:
    shown = re.search(r"https?://[^/\s]+(/\w+/invitation/[\w-]+)", page.text)
    assert shown, page.text
    return shown.group(1)


@pytest.mark.usefixtures("no_mail")
def test_without_mail_the_link_is_shown_once_to_hand_over(app: Flask, ana: LintingClient) -> None:
    page = add(ana)
    assert page.headers["Cache-Control"] == "no-store"
    first = link_on(page)
    again = link_on(page.link("To their page").follow().form("Make a link").submit())
    assert LintingClient(app).get(first).status == 410
    LintingClient(app).get(again).form("Come in").fill(password=CHOSEN).submit()
    assert sign_in(app, EMAIL, CHOSEN).get("/skyline/").status == 200


@pytest.mark.usefixtures("no_mail")
def test_without_mail_a_link_opens_no_account_that_has_a_password(app: Flask, ana: LintingClient) -> None:
    ask_to_join(app, EMAIL, slug="harbour")
    path = link_on(add(ana))
    assert sign_in(app, EMAIL).get("/skyline/people").location == "/skyline/standing"
    page = LintingClient(app).get(path).form("Come in").fill(current="the password of another").submit()
    assert page.status == 422
    page.form("Come in").fill(current=CHOSEN).submit()
    assert sign_in(app, EMAIL).get("/skyline/").status == 200


@pytest.mark.usefixtures("no_mail")
@pytest.mark.parametrize("status", ["active", "suspended"])
def test_without_mail_an_account_reads_nothing_of_who_was_added_until_they_come(
    app: Flask, ana: LintingClient, status: str
) -> None:
    ask_to_join(app, EMAIL, slug="harbour")
    add(ana)
    with at_school("skyline"):
        people()[EMAIL].status = status
        session.commit()
    assert_told_nothing(sign_in(app, EMAIL))


@pytest.mark.usefixtures("no_mail")
def test_without_mail_nobody_comes_in_by_a_press(app: Flask, ana: LintingClient) -> None:
    add(ana, LOU.email)
    lou = LintingClient(app).sign_in(LOU)
    assert "Open the link that Skyline Flight School gave you" in lou.get("/skyline/standing").text
    assert lou.post("/skyline/standing").status == 409


def test_the_other_school_sees_nothing_of_it(app: Flask, ana: LintingClient) -> None:
    number = add(ana).path
    assert LintingClient(app).sign_in(HAL).get(number).status == 404
