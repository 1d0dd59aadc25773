"""Asking to join a school: the same words for every e-mail, a confirmation that proves whose account it is, and how one stands."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.identity.models import Membership
from app.identity.operations.erasure import erase_person
from app.identity.queries import find_standing_member, find_user_by_email
from app.tenants.queries import school_settings
from tests.cast import ANA, HAL, LEO, LOU, PASSWORD, Person, actor, at_school, member
from tests.client import LintingClient, Page
from tests.identity.mailbox import Mail, assert_snapshot, sent

NIA = Person("nia@elsewhere.example", "skyline")
CHOSEN = "gusting from the west"


def ask_to_join(app: Flask, email: str = NIA.email, slug: str = "skyline") -> Page:
    page = LintingClient(app).get(f"/{slug}/register")
    return page.form("Ask to join").fill(name="Nia Obi", email=email, password=CHOSEN).submit()


def confirm(app: Flask, mail: Mail, password: str | None = CHOSEN) -> Page:
    form = LintingClient(app).get(mail.path).form("Confirm")
    return (form.fill(password=password) if password else form).submit()


def sign_in(app: Flask, email: str = NIA.email, password: str = CHOSEN) -> LintingClient:
    client = LintingClient(app)
    form = client.get("/login?next=/").form("/login")
    assert form.fill(email=email, password=password, next="").submit(follow=False).status == 303
    return client


def standing_of(email: str, slug: str = "skyline") -> str | None:
    with at_school(slug):
        user = find_user_by_email(email)
        found = find_standing_member(user.id) if user else None
        return found.status if found else None


def set_status(person: Person, status: str) -> None:
    with at_school(person.slug):
        found = member(person)
        found.status, found.standing_reason = status, "Your medical has lapsed."
        session.commit()


def actions(slug: str = "skyline") -> list[str]:
    with at_school(slug):
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(5)))


def test_a_stranger_registers_confirms_and_reads_how_they_stand(app: Flask) -> None:
    page = ask_to_join(app)
    assert page.h1 == "Check your mailbox"
    (mail,) = sent(app)
    assert mail.to == NIA.email
    assert_snapshot(mail, "confirm_email")
    assert standing_of(NIA.email) == "pending"

    page = confirm(app, mail)
    assert page.h1 == "Sign in"
    page = page.form("Sign in").fill(email=NIA.email, password=CHOSEN).submit()
    assert page.h1 == "Your request is with the school"
    assert actions()[:2] == ["session.opened", "registration.confirmed"]
    assert session.query(OutboxEvent).filter_by(name="JoinRequested").count() == 1


def test_the_schools_of_a_pending_person_say_how_they_stand(app: Flask) -> None:
    ask_to_join(app)
    page = sign_in(app).get("/schools")
    assert page.link("Confirm your e-mail first").follow().h1 == "Confirm your e-mail first"


def test_every_page_of_the_school_leads_a_pending_person_to_where_they_stand(app: Flask) -> None:
    ask_to_join(app)
    client = sign_in(app)
    assert client.get("/skyline/stuck-work").location == "/skyline/standing"
    assert client.get("/skyline/stuck-work", follow=True).h1 == "Confirm your e-mail first"
    assert client.post("/skyline/stuck-work/1/replay").status == 403
    assert client.get("/harbour/stuck-work").status == 404


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("invited", "You are invited"),
        ("declined", "The school has not let you in"),
        ("suspended", "Your access is suspended"),
    ],
)
def test_the_others_who_are_not_let_in_read_why(app: Flask, status: str, heading: str) -> None:
    client = LintingClient(app).sign_in(LEO)
    set_status(LEO, status)
    page = client.get("/skyline/stuck-work", follow=True)
    assert page.h1 == heading
    assert ("Your medical has lapsed." in page.text) is (status != "invited")
    assert client.get("/skyline/register", follow=True).h1 == heading


def test_nobody_else_has_a_standing(app: Flask) -> None:
    assert LintingClient(app).get("/skyline/standing").location.startswith("/login")
    assert LintingClient(app).sign_in(LEO).get("/skyline/standing").location == "/skyline/"
    assert LintingClient(app).sign_in(LEO).get("/harbour/standing").status == 404
    set_status(LEO, "erased")
    assert sign_in(app, LEO.email, PASSWORD).get("/skyline/standing").status == 404


def test_a_known_address_reads_the_same_and_is_told_by_mail(app: Flask) -> None:
    unknown, known = ask_to_join(app), ask_to_join(app, LEO.email)
    assert unknown.text == known.text
    mails = {mail.to: mail for mail in sent(app)}
    assert set(mails) == {NIA.email, LEO.email}
    assert_snapshot(mails[LEO.email], "known_already")
    assert actions()[0] == "registration.repeated"
    sign_in(app, LEO.email, PASSWORD)  # neither password nor standing changed
    assert standing_of(LEO.email) == "active"


def test_whoever_registers_with_anothers_address_gains_nothing(app: Flask) -> None:
    """The owner of the mailbox presses Confirm in good faith, but does not know the stranger's password."""
    ask_to_join(app)
    (mail,) = sent(app)
    page = confirm(app, mail, "the owner's own idea")
    assert page.status == 422
    assert "not the password that was chosen" in page.text
    user = find_user_by_email(NIA.email)
    assert user
    assert user.email_confirmed_at is None
    assert confirm(app, mail).h1 == "Sign in"  # the link was not used up


def test_guessing_the_password_of_a_confirmation_ends(app: Flask) -> None:
    ask_to_join(app)
    (mail,) = sent(app)
    assert [confirm(app, mail, f"guess number {n}").status for n in range(11)][-2:] == [422, 429]


def test_a_person_of_another_school_joins_by_their_own_account(app: Flask) -> None:
    assert ask_to_join(app, LOU.email).h1 == "Check your mailbox"
    (mail,) = sent(app)
    assert mail.subject == "Confirm your e-mail for Skyline Flight School"
    page = LintingClient(app).get(mail.path).form("Confirm").fill(name="Lou Finch", password=PASSWORD).submit()
    assert page.h1 == "Sign in"
    assert standing_of(LOU.email) == "pending"
    assert actions()[0] == "registration.confirmed"
    assert sign_in(app, LOU.email, PASSWORD).get("/skyline/standing").h1 == "Your request is with the school"
    person = LintingClient(app).sign_in(ANA).get("/skyline/people?status=pending").link("Lou Finch").follow()
    person.form("Approve").submit()
    assert standing_of(LOU.email) == "active"


def as_an_admin_reads_it(app: Flask, email: str) -> list[str]:
    """What Skyline's admin reads about somebody who waits with this address: pages, trail, export; without ids and the address."""
    client = LintingClient(app).sign_in(ANA)
    listed = client.get("/skyline/people?status=pending")
    person = listed.link("Nia Obi").follow()
    declined = person.form("Decline request").fill(reason="Who is this?").submit()
    refused = client.post(f"{person.path}/reinstatement")
    pages = [page.text.replace(email, "…") for page in (listed, person, declined, refused)]
    found = client.get(f"/skyline/people?search={email}").text.replace(email, "…")
    told = client.browser.get(f"{person.path}/export.json").text.replace(email, "…")
    return [*pages, found, *actions()[:3], re.sub(r"[0-9a-f]{32}|[0-9]+", "0", told)]


def test_an_admin_who_registers_an_address_does_not_learn_whether_it_is_known_elsewhere(app: Flask) -> None:
    """At the admin's own open school both wait, unconfirmed; neither the list, the person's page nor the trail tells them apart."""
    read: list[list[object]] = []
    for email in ("nobody@harbour.example", LOU.email):
        answer = ask_to_join(app, email.upper()).text
        # Whoever knows the account's password signs in: that is in no trail of Skyline's. Nor are wrong ones.
        form = LintingClient(app).get("/login").form("Sign in")
        form.fill(email=email, password="not the password").submit()
        form.fill(email=LOU.email, password=PASSWORD).submit()
        mails = [mail.subject for mail in sent(app) if mail.to == email]
        pages = as_an_admin_reads_it(app, email)
        read.append([answer, *pages, *mails])
        with at_school("skyline"):
            user = find_user_by_email(email)
            assert user
            asked = find_standing_member(user.id)
            assert asked
            asked.status = "erased"
            session.commit()
    assert read[0] == read[1]


def test_what_a_stranger_asks_for_is_not_shown_to_the_accounts_person(app: Flask) -> None:
    """Lou of Harbour did not ask to join Skyline: it is none of her schools, and what she proves elsewhere confirms nothing."""
    ask_to_join(app, LOU.email)
    (mail,) = sent(app)
    lou = LintingClient(app).sign_in(LOU)
    assert "Skyline" not in lou.get("/schools?stay=1").text
    assert lou.get("/skyline/standing").status == 404
    assert lou.get("/skyline/people").status == 404
    assert confirm(app, mail, CHOSEN).status == 422  # the stranger's password
    assert confirm(app, mail, None).status == 422
    page = LintingClient(app).get("/password/forgotten")
    page.form("Send the link").fill(email=LOU.email).submit()
    (reset,) = sent(app, "harbour")
    LintingClient(app).get(reset.path).form("Change the password").fill(password="rain at the far end").submit()
    admin = LintingClient(app).sign_in(ANA)
    person = admin.get("/skyline/people?status=pending").link("Nia Obi").follow()
    assert admin.post(f"{person.path}/approval").status == 409
    with at_school("skyline"):
        assert session.query(OutboxEvent).filter_by(name="JoinRequested").count() == 0


def test_who_asks_themself_takes_over_what_a_stranger_asked_for(app: Flask) -> None:
    ask_to_join(app, LOU.email)
    client = LintingClient(app).sign_in(LOU)
    page = client.get("/skyline/register").form("Ask to join").fill(name="Lou Finch").submit()
    assert page.h1 == "Your request is with the school"
    admin = LintingClient(app).sign_in(ANA)
    admin.get("/skyline/people?status=pending").link("Lou Finch").follow().form("Approve").submit()
    assert standing_of(LOU.email) == "active"


def test_what_a_stranger_asked_for_neither_ends_an_account_nor_keeps_it(app: Flask) -> None:
    """Skyline erases who it never knew; Harbour's erasure ends the account, though Skyline has a request with its address."""
    lou = find_user_by_email(LOU.email)
    assert lou
    lou.email_confirmed_at = None
    session.commit()
    ask_to_join(app, LOU.email)
    with app.test_request_context(), at_school("skyline"):
        asked = find_standing_member(lou.id)
        assert asked
        erase_person(asked, actor=actor(ANA))
        session.commit()
    assert find_user_by_email(LOU.email)
    ask_to_join(app, LOU.email)
    with app.test_request_context(), at_school("harbour"):
        erase_person(member(LOU), actor=actor(HAL))
        session.commit()
    assert find_user_by_email(LOU.email) is None


def test_an_address_that_the_account_has_now_is_not_in_what_a_school_tells_that_never_let_it_in(app: Flask) -> None:
    ask_to_join(app, LOU.email)
    lou = find_user_by_email(LOU.email)
    assert lou
    lou.email = "lou.finch@harbour.example"
    session.commit()
    admin = LintingClient(app).sign_in(ANA)
    person = admin.get("/skyline/people?status=pending").link("Nia Obi").follow()
    told = admin.browser.get(f"{person.path}/export.json").text
    assert (LOU.email in told, lou.email in told) == (True, False)


def test_what_a_stranger_asked_for_goes_with_the_account(app: Flask) -> None:
    """Nobody is left who could ask for it, and the address would stay."""
    ask_to_join(app, LOU.email)
    lou = find_user_by_email(LOU.email)
    assert lou
    with at_school("skyline"):
        found = find_standing_member(lou.id)
        assert found
        asked_id = found.id
    with app.test_request_context(), at_school("harbour"):
        erase_person(member(LOU), actor=actor(HAL))
        session.commit()
    with at_school("skyline"):
        asked = session.get_one(Membership, asked_id)
        assert (asked.status, asked.name, asked.known_as) == ("erased", "Erased person", None)
    assert actions()[0] == "member.erased"
    assert "Nia Obi" not in LintingClient(app).sign_in(ANA).get("/skyline/people").text


def test_an_admin_erases_a_row_whose_account_is_gone(app: Flask) -> None:
    ask_to_join(app)
    gone = find_user_by_email(NIA.email)
    assert gone
    gone.email, gone.erased_at = "0123@erased.invalid", clock.now()
    session.commit()
    with app.test_request_context(), at_school("skyline"):
        left = find_standing_member(gone.id)
        assert left
        erase_person(left, actor=actor(ANA))
        session.commit()
        assert (left.status, left.known_as) == ("erased", None)


def test_who_is_signed_in_gives_a_name_only(app: Flask) -> None:
    client = LintingClient(app).sign_in(LOU)
    form = client.get("/skyline/register").form("Ask to join")
    assert "password" not in form.names()
    page = form.fill(name="Lou Finch").submit()
    assert page.path == "/skyline/standing"
    assert standing_of(LOU.email) == "pending"
    again = client.post("/skyline/register", {"name": "Lou Finch"})
    assert again.location == "/skyline/standing"


def test_a_member_has_nothing_to_ask_for(app: Flask) -> None:
    assert LintingClient(app).sign_in(LEO).get("/skyline/register").location == "/skyline/"


def test_a_school_that_is_closed_says_whom_to_ask(app: Flask) -> None:
    with at_school("skyline"):
        school_settings().registration_open = False
        session.commit()
    client = LintingClient(app)
    page = client.get("/skyline/register")
    assert "by invitation only" in page.text
    assert not any(form.action.endswith("/register") for form in page.forms())
    refused = client.post("/skyline/register", {"name": "Nia", "email": NIA.email, "password": CHOSEN})
    assert refused.status == 403
    assert find_user_by_email(NIA.email) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("email", bad)
            for bad in ("nia", "nia@home", "nia @home.example", "", "ΟΔΟΣ@x.example", "nia@erased.invalid")
        ),
        *(("password", bad) for bad in ("short", "password", "nia", "x" * 129)),
        *(("name", bad) for bad in ("", "   ", "x" * 121)),
    ],
)
def test_what_makes_no_sense_is_said_at_the_field(app: Flask, field: str, value: str) -> None:
    form = LintingClient(app).get("/skyline/register").form("Ask to join")
    page = form.fill({"name": "Nia Obi", "email": NIA.email, "password": CHOSEN, field: value}).submit()
    assert page.status == 422
    assert page.by_id(f"{field}-error") is not None
    assert find_user_by_email(NIA.email) is None


def test_the_limit_stands_before_any_hash_or_mail(app: Flask) -> None:
    client = LintingClient(app)
    fields = {"name": "Nia", "email": "", "password": CHOSEN, "csrf_token": client.csrf_token()}
    answers = [client.post("/skyline/register", fields).status for _ in range(20)]
    assert set(answers) == {422}
    full = client.post("/skyline/register", {**fields, "email": NIA.email})
    assert full.status == 429
    assert int(full.headers["Retry-After"]) > 0
    assert find_user_by_email(NIA.email) is None


def test_a_forgotten_password_confirms_the_address_too(app: Flask) -> None:
    ask_to_join(app)
    sent(app)
    page = LintingClient(app).get("/password/forgotten")
    page.form("Send the link").fill(email=NIA.email).submit()
    (mail,) = sent(app)
    LintingClient(app).get(mail.path).form("Change the password").fill(password="rain at the far end").submit()
    client = sign_in(app, password="rain at the far end")
    assert client.get("/skyline/standing").h1 == "Your request is with the school"


def test_pages_answer_only_their_verbs(app: Flask) -> None:
    client = LintingClient(app)
    assert client.post("/skyline/registration").status == 405
    assert client.post("/skyline/standing").status == 401
    assert client.get("/nowhere/register").status == 404
    assert client.post("/skyline/register", {}, csrf=False).status == 400


def test_from_the_first_page_to_the_first_lesson_with_script_off(app: Flask) -> None:
    """Register, confirm, wait, be let in by an admin, sign in."""
    ask_to_join(app)
    (mail,) = sent(app)
    confirm(app, mail)
    mine = sign_in(app)
    assert mine.get("/skyline/profile", follow=True).h1 == "Your request is with the school"

    admin = LintingClient(app).sign_in(ANA)
    person = admin.get("/skyline/people?status=pending").link("Nia Obi").follow()
    page = person.form("Approve").submit()
    assert "Nia Obi is in" in page.text
    (told,) = [mail for mail in sent(app) if mail.to == NIA.email]
    assert "You are in at Skyline" in told.subject
    assert_snapshot(told, "let_in")

    assert mine.get("/skyline/profile").form("Save profile").value("name") == "Nia Obi"
    assert sign_in(app).get("/skyline/standing").location == "/skyline/"


def test_an_admin_does_not_let_in_who_has_not_confirmed(app: Flask) -> None:
    ask_to_join(app)
    admin = LintingClient(app).sign_in(ANA)
    person = admin.get("/skyline/people?status=pending").link("Nia Obi").follow()
    assert "confirmed" in person.text
    assert admin.post(f"{person.path}/approval").status == 409
    assert standing_of(NIA.email) == "pending"


def test_an_admin_does_not_let_in_after_all_who_has_not_confirmed(app: Flask) -> None:
    ask_to_join(app)
    admin = LintingClient(app).sign_in(ANA)
    person = admin.get("/skyline/people?status=pending").link("Nia Obi").follow()
    person = person.form("Decline request").fill(reason="Who is this?").submit()
    assert "once they have confirmed their e-mail" in person.text
    refused = admin.post(f"{person.path}/reinstatement")
    assert (refused.status, standing_of(NIA.email)) == (409, "declined")
    assert "has not confirmed their e-mail" in refused.text


def test_the_trail_of_a_school_says_that_somebody_it_knows_asked_again(app: Flask) -> None:
    ask_to_join(app, LEO.email)
    with at_school("skyline"):
        repeated = session.scalars(select(AuditEntry).where(AuditEntry.action == "registration.repeated")).one()
        assert (repeated.subject_type, repeated.subject_id) == ("Membership", member(LEO).id)


@pytest.mark.parametrize(
    ("path", "button", "fields"),
    [
        ("/account/second-factor", "Set it up", {}),
        ("/account/email", "Send the link", {"email": "stranger@elsewhere.example"}),
    ],
)
def test_until_the_mailbox_is_proven_nothing_is_set_that_outlives_the_password(
    app: Flask, path: str, button: str, fields: dict[str, str]
) -> None:
    """A stranger who registered with another's address would lock its owner out, or take invitations to it along."""
    ask_to_join(app)
    sent(app)
    stranger = sign_in(app)
    page = stranger.get(path).form(button).fill({"password": CHOSEN, **fields}).submit()
    assert page.status == 409
    assert "Confirm your e-mail first" in page.text
    user = find_user_by_email(NIA.email)
    assert user
    assert user.totp_cipher is None
    assert [mail.to for mail in sent(app)] == []


def decline(app: Flask) -> None:
    person = LintingClient(app).sign_in(ANA).get("/skyline/people?status=pending").link("Nia Obi").follow()
    person.form("Decline request").fill(reason="Who is this?").submit()


def test_nobody_is_refused_by_mail_what_they_never_asked_for(app: Flask) -> None:
    ask_to_join(app, LOU.email)
    sent(app)
    decline(app)
    assert sent(app) == []


@pytest.mark.parametrize("how", ["signed in", "by the link"])
def test_who_asks_themself_is_not_held_to_what_a_stranger_was_told(app: Flask, how: str) -> None:
    ask_to_join(app, LOU.email)
    decline(app)
    if how == "signed in":
        LintingClient(app).sign_in(LOU).get("/skyline/register").form("Ask to join").fill(name="Lou Finch").submit()
    else:
        ask_to_join(app, LOU.email)
        mail = sent(app)[-1]
        form = LintingClient(app).get(mail.path).form("Confirm")
        form.fill(name="Lou Finch", password=PASSWORD).submit()
    assert standing_of(LOU.email) == "pending"
    page = LintingClient(app).sign_in(LOU).get("/skyline/standing")
    assert page.h1 == "Your request is with the school"
    assert (
        "Who is this?"
        not in LintingClient(app).sign_in(ANA).get("/skyline/people?search=Lou").link("Lou Finch").follow().text
    )


@pytest.mark.parametrize("email", [LOU.email, NIA.email])
@pytest.mark.parametrize("declined", [False, True])
@pytest.mark.parametrize("how", ["invite", "at_once", "list"])
def test_a_request_that_anybody_may_have_typed_keeps_nobody_from_being_added(
    app: Flask, email: str, declined: bool, how: str
) -> None:
    """Whether the address had an account or not; under the name that the school gives them, not the stranger's."""
    ask_to_join(app, email)
    if declined:
        decline(app)
    sent(app)
    admin = LintingClient(app).sign_in(ANA)
    if how == "list":
        page = admin.get("/skyline/people/imports").form("Review the list")
        page = page.fill(pasted=f"Name,E-mail,Role\nIda Berg,{email},instructor\n", how="at_once").submit()
        assert "1 added" in page.text
        assert "1 person is added." in page.form("Carry out").submit().text
    else:
        form = admin.get("/skyline/people/new").form("Add person")
        page = form.fill(name="Ida Berg", email=email, roles=["instructor"], how=how).submit()
        assert (page.status, page.h1) == (200, "Ida Berg")
    user = find_user_by_email(email)
    assert user
    with at_school("skyline"):
        now = find_standing_member(user.id)
        assert now
        assert (now.name, now.roles, now.known_as) == ("Ida Berg", ["instructor"], email)
        assert (now.status, now.awaits_own_yes) == ("invited" if how == "invite" else "active", False)
        assert (now.link_awaited, now.standing_reason) == (how != "invite", None)
    (mail,) = sent(app)
    assert "/invitation/" in mail.path
    if email == NIA.email:
        button = "Accept the invitation" if how == "invite" else "Come in"
        LintingClient(app).get(mail.path).form(button).fill(password="rain at the far end").submit()
        assert sign_in(app, password="rain at the far end").get("/skyline/").status == 200


def test_a_request_of_somebody_who_confirmed_it_is_the_admins_to_answer(app: Flask) -> None:
    ask_to_join(app)
    confirm(app, sent(app)[0])
    form = LintingClient(app).sign_in(ANA).get("/skyline/people/new").form("Add person")
    page = form.fill(name="Ida Berg", email=NIA.email).submit()
    assert page.status == 409
    assert "is known here already, as Nia Obi" in page.text
