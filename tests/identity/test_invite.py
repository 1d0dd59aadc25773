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
from app.identity.models import Membership
from app.identity.operations.registration import KnownHere, invite, invite_again
from app.identity.queries import find_user_by_email
from app.tenants.queries import list_departments
from tests.cast import ANA, LEO, LOU, PASSWORD, actor, at_school
from tests.client import LintingClient
from tests.identity.mailbox import assert_snapshot, sent

EMAIL = "ines@elsewhere.example"
CHOSEN = "gusting from the west"


def invited(app: Flask, email: str = EMAIL, *roles: Role) -> int:
    with app.test_request_context(), at_school("skyline"):
        made = invite(
            email=email,
            name="Ines Roy",
            roles=roles or (Role.INSTRUCTOR,),
            department=list_departments()[0],
            actor=actor(ANA),
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
    answer = page.form("Sign in").fill(email=EMAIL, password=CHOSEN).submit(follow=False)
    assert answer.location == "/skyline/"
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


def test_a_second_invitation_voids_the_first(app: Flask) -> None:
    member_id = invited(app)
    (first,) = sent(app)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        assert invited(app) == member_id
        (second,) = sent(app)
        assert LintingClient(app).get(first.path).status == 410
        assert LintingClient(app).get(second.path).status == 200


def test_who_is_known_is_not_invited(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        with pytest.raises(KnownHere):
            invite(email=LEO.email.upper(), name="Leo", roles=[Role.LEARNER], actor=actor(ANA))
        leo = session.scalars(select(Membership).where(Membership.name == "Leo Hart")).one()
        with pytest.raises(Refusal):
            invite_again(leo, actor=actor(ANA))


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
    assert page.form("Accept the invitation").fill(password=CHOSEN).submit().h1 == "Sign in"
