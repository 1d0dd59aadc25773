"""Invitations: a mail with a link that works once, for fourteen days."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership, RecoveryCode
from app.identity.operations.adding import add_outright
from app.identity.operations.links import issue_link
from app.identity.operations.registration import KnownHere, invite, invite_again
from app.identity.queries import find_user_by_email
from app.identity.rules import Purpose
from app.tenants.queries import list_departments
from tests.cast import ANA, HAL, LEO, LOU, PASSWORD, actor, at_school
from tests.client import LintingClient
from tests.identity.mailbox import assert_snapshot, sent
from tests.identity.test_register import ask_to_join, sign_in

EMAIL = "ines@elsewhere.example"
CHOSEN = "gusting from the west"


def invited(app: Flask, email: str = EMAIL, *roles: Role, slug: str = "skyline") -> int:
    with app.test_request_context(), at_school(slug):
        made = invite(
            email=email,
            name="Ines Roy",
            roles=roles or (Role.INSTRUCTOR,),
            department=list_departments()[0],
            actor=actor(ANA if slug == "skyline" else HAL),
        )
        session.commit()
        return made.id


def the_member(member_id: int) -> Membership:
    found = session.get(Membership, member_id)
    assert found
    return found


def test_an_invited_person_chooses_a_password_and_is_in(app: Flask) -> None:
    member_id = invited(app)
    (mail,) = sent(app)
    assert_snapshot(mail, "invitation")
    client = LintingClient(app)
    page = client.get(mail.path)
    assert "Ines Roy, you are invited" in page.text
    page = page.form("Accept the invitation").fill(password=CHOSEN).submit()
    assert "You are in" in page.text
    assert page.h1 == "Today"
    with at_school("skyline"):
        assert the_member(member_id).status == "active"
        assert the_member(member_id).roles == ["instructor"]
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "invitation.accepted")).all()
        assert [(e.actor_id, e.after) for e in entries] == [(member_id, {"status": "active"})]
    names = set(session.scalars(select(OutboxEvent.name)))
    assert {"MemberInvited", "MemberJoined"} <= names
    assert client.get(mail.path).status == 410


def test_a_person_of_another_school_keeps_their_password(app: Flask) -> None:
    invited(app, LOU.email)
    (mail,) = sent(app)
    page = LintingClient(app).get(mail.path)
    assert "password" not in page.form("Accept the invitation").names()
    page.form("Accept the invitation").submit()
    client = LintingClient(app).sign_in(LOU, school="")
    assert "Skyline Flight School" in client.get("/schools?stay=1").text


@pytest.mark.parametrize("status", ["active", "suspended", "declined", "erased"])
def test_an_invitation_that_was_withdrawn_lets_nobody_in(app: Flask, status: str) -> None:
    member_id = invited(app)
    (mail,) = sent(app)
    with at_school("skyline"):
        the_member(member_id).status = status
        session.commit()
    assert LintingClient(app).get(mail.path).status == 410
    assert LintingClient(app).post(mail.path, {"password": CHOSEN}).status == 410
    user = find_user_by_email(EMAIL)
    assert user
    assert user.password_hash is None


def test_the_link_is_of_its_school_and_of_its_fourteen_days(app: Flask) -> None:
    invited(app)
    (mail,) = sent(app)
    assert LintingClient(app).get(mail.path.replace("skyline", "harbour")).status == 410
    with time_machine.travel(clock.now() + timedelta(days=13, hours=23), tick=False):
        assert LintingClient(app).get(mail.path).status == 200
    with time_machine.travel(clock.now() + timedelta(days=14, minutes=1), tick=False):
        assert LintingClient(app).get(mail.path).status == 410


def test_of_two_invitations_either_lets_in_and_voids_the_other(app: Flask) -> None:
    """Whoever knows the address can have the school send another, by registering: the one in hand still works."""
    member_id = invited(app)
    (first,) = sent(app)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        assert invited(app) == member_id
        (second,) = sent(app)
        page = LintingClient(app).get(first.path).form("Accept the invitation").fill(password=CHOSEN).submit()
        assert page.h1 == "Today"
        assert LintingClient(app).get(second.path).status == 410


def test_who_is_known_is_not_invited(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        with pytest.raises(KnownHere):
            invite(email=LEO.email.upper(), name="Leo", roles=[Role.LEARNER], actor=actor(ANA))
        leo = session.scalars(select(Membership).where(Membership.name == "Leo Hart")).one()
        with pytest.raises(Refusal):
            invite_again(leo, actor=actor(ANA))


def as_brought_in(app: Flask, email: str, how: str) -> str:
    """What Skyline's admin reads of somebody whom they invite or add, the address in small letters left out."""
    client = LintingClient(app).sign_in(ANA)
    form = client.get("/skyline/people/new").form("Add person")
    page = form.fill(name="Ines Roy", email=email, how=how).submit()
    listed = client.get(f"/skyline/people?search={email}").text
    return f"{page.text} {listed}".replace(email.lower(), "…").replace(email, "…")


@pytest.mark.parametrize("how", ["invite", "at_once"])
def test_the_case_of_an_address_does_not_tell_whether_it_is_known_elsewhere(app: Flask, how: str) -> None:
    """Lou's is kept in small letters since Harbour made it. Kept as it was typed, a new one would stand on the page otherwise."""
    with time_machine.travel(clock.now(), tick=False):
        assert as_brought_in(app, "NOBODY@Harbour.example", how) == as_brought_in(app, LOU.email.upper(), how)
    user = find_user_by_email("nobody@harbour.example")
    assert user
    assert user.email == "nobody@harbour.example"


@pytest.mark.parametrize("how", ["invite", "at_once"])
def test_a_school_that_only_brought_somebody_in_does_not_follow_their_address(app: Flask, how: str) -> None:
    """Lou signs in with another address later. Skyline knows the one that it used, until she has come in."""
    if how == "invite":
        member_id = invited(app, LOU.email)
    else:
        with app.test_request_context(), at_school("skyline"):
            member_id = add_outright(email=LOU.email, name="Ines Roy", roles=[Role.LEARNER], actor=actor(ANA)).id
            session.commit()
    lou = find_user_by_email(LOU.email)
    assert lou
    lou.email = "secret@finch.example"
    session.commit()
    (mail,) = sent(app)
    admin = LintingClient(app).sign_in(ANA)
    paths = ("/skyline/people?search=ines", f"/skyline/people/{member_id}", "/skyline/people?search=lou", mail.path)
    for path in paths:
        page = admin.get(path)
        assert "secret@finch.example" not in page.text
    assert "Ines Roy" in admin.get(f"/skyline/people?search={LOU.email.upper()}").text
    assert "Ines Roy" not in admin.get("/skyline/people?search=secret").text
    pasted = f"Name,E-mail\nInes Roy,{LOU.email}\nAnother,secret@finch.example"
    review = admin.get("/skyline/people/imports").form("Review the list").fill(pasted=pasted, how="invite").submit()
    assert ("1 unchanged" in review.text, "1 added" in review.text) == (True, True)
    LintingClient(app).get(mail.path).form("Accept the invitation" if how == "invite" else "Come in").submit()
    assert "secret@finch.example" in admin.get(f"/skyline/people/{member_id}").text
    assert "Ines Roy" in admin.get("/skyline/people?search=secret").text


def test_an_invited_person_who_registers_is_sent_the_invitation(app: Flask) -> None:
    invited(app)
    sent(app)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        page = LintingClient(app).get("/skyline/register").form("Ask to join")
        page.fill(name="Ines", email=EMAIL, password=PASSWORD).submit()
        (mail,) = sent(app)
    assert "invites you" in mail.subject


def test_a_poor_password_keeps_the_invitation(app: Flask) -> None:
    invited(app)
    (mail,) = sent(app)
    page = LintingClient(app).get(mail.path).form("Accept the invitation").fill(password="password").submit()
    assert page.status == 422
    assert page.form("Accept the invitation").fill(password=CHOSEN).submit().h1 == "Today"


def test_whoever_registered_with_the_address_before_is_out_once_it_is_accepted(app: Flask) -> None:
    """A stranger registers with another's e-mail at an open school, and waits for any other school to invite its owner."""
    ask_to_join(app, EMAIL)
    stranger = sign_in(app, EMAIL)
    member_id = invited(app, EMAIL, Role.ADMIN, slug="harbour")
    (mail,) = sent(app, "harbour")
    page = LintingClient(app).get(mail.path)
    assert "your password stays as it is" not in page.text
    page.form("Accept the invitation").fill(password="rain at the far end").submit()
    assert stranger.get("/harbour/people").location.startswith("/login")
    form = LintingClient(app).get("/login?next=/").form("/login")
    assert form.fill(email=EMAIL, password=CHOSEN, next="").submit().status == 422
    owner = sign_in(app, EMAIL, "rain at the far end")
    assert owner.get("/harbour/people").status == 200
    with at_school("harbour"):
        assert the_member(member_id).status == "active"


def test_what_else_a_stranger_set_before_is_gone_with_the_acceptance(app: Flask) -> None:
    """A second factor, its recovery codes, and a link to a new password that somebody holds already."""
    ask_to_join(app, EMAIL)
    user = find_user_by_email(EMAIL)
    assert user
    user.totp_cipher, user.totp_confirmed_at = b"a stranger's", clock.now()
    session.add(RecoveryCode(user_id=user.id, code_hash="x" * 64))
    old = issue_link(Purpose.RESET_PASSWORD, user_id=user.id)
    session.commit()
    invited(app, slug="harbour")
    (mail,) = sent(app, "harbour")
    LintingClient(app).get(mail.path).form("Accept the invitation").fill(password=CHOSEN).submit()
    user = find_user_by_email(EMAIL)
    assert user
    assert (user.totp_cipher, user.totp_confirmed_at) == (None, None)
    assert user.email_confirmed_at
    assert session.query(RecoveryCode).filter_by(user_id=user.id).count() == 0
    assert LintingClient(app).get(f"/password/reset/{old}").status == 410


def test_an_address_that_will_not_do_is_not_invited(app: Flask) -> None:
    """An address that cannot be one person's only, or that is kept for the erased, is not invited."""
    with app.test_request_context(), at_school("skyline"):
        for strange in ("ΟΔΟΣ@x.example", "member-7@erased.invalid", "nobody"):
            with pytest.raises(Refusal):
                invite(email=strange, name="Ines", roles=[Role.LEARNER], actor=actor(ANA))
