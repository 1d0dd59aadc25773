"""People in each state at the demo's schools, brought there by the deeds that bring people there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from flask import current_app
from sqlalchemy import select, update

from app.demo import cast
from app.demo.cast import Newcomer, Standing
from app.demo.operations.people import actor_of_member, actor_with, password_cost
from app.foundation import clock, tenancy
from app.foundation.actor import STRANGER, Actor
from app.foundation.crypto import derive_key
from app.foundation.db import session
from app.foundation.models import Job
from app.foundation.permissions import Role
from app.identity.models import Membership, OneUseToken
from app.identity.operations.erasure import erase_person
from app.identity.operations.links import renew_link
from app.identity.operations.people import approve_member, change_roles, decline_member, suspend_member
from app.identity.operations.profile import change_profile
from app.identity.operations.registration import confirm_registration, invite, register
from app.identity.operations.second_factor import begin_second_factor, confirm_second_factor, show_secret
from app.identity.queries import find_standing_member, find_user_by_email
from app.identity.rules import STEP_SECONDS
from app.tenants.queries import find_school, list_departments

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Arrival:
    """A newcomer at a school, and the instant the seed runs: what they did afterwards, they had done by then."""

    slug: str
    newcomer: Newcomer
    present: datetime

    @property
    def person(self) -> cast.Person:
        return self.newcomer.person

    @property
    def admin(self) -> Actor:
        return actor_with(self.slug, Role.ADMIN)

    def later(self, wait: timedelta) -> AbstractContextManager[None]:
        """Some time after the instant that it is."""
        return clock.held_at(min(clock.now() + wait, self.present))


def seed_newcomers(slug: str) -> None:
    """Those who wait, are invited, were declined, suspended or erased, and one who signs in with a second factor."""
    for newcomer in cast.NEWCOMERS[slug]:
        if find_user_by_email(newcomer.person.email) is None:
            arrival = Arrival(slug, newcomer, clock.now())
            with clock.held_at(max(arrival.present - newcomer.came, find_school().created_at)):
                member = ARRIVALS[newcomer.standing](arrival)
                member.created_at = clock.now()
                session.flush()


def _wait(arrival: Arrival) -> Membership:
    """They ask to join, and confirm their e-mail some minutes later."""
    _, link = _ask(arrival.person)
    token = renew_link(link)
    with arrival.later(timedelta(minutes=6)):
        member = confirm_registration(token, name=None, actor=STRANGER)
    assert member
    return member


def _ask_only(arrival: Arrival) -> Membership:
    return _ask(arrival.person)[0]


def _invite(arrival: Arrival) -> Membership:
    person, departments = arrival.person, {department.name: department for department in list_departments()}
    return invite(
        email=person.email, name=person.name, roles=person.roles, department=departments.get(person.department or ""),
        actor=arrival.admin,
    )  # fmt: skip


def _invite_in_vain(arrival: Arrival) -> Membership:
    """Their mail was sent then, and its link has run out since."""
    member = _invite(arrival)
    link = _link_of(member)
    link.expires_at = min(link.expires_at, arrival.present - AN_HOUR)
    sent = update(Job).where(Job.key == f"{tenancy.required().id}:link:{link.id}").values(done_at=clock.now())
    session.execute(sent)
    return member


def _decline(arrival: Arrival) -> Membership:
    member = _wait(arrival)
    with arrival.later(timedelta(hours=20)):
        return decline_member(member, reason=arrival.newcomer.reason, actor=arrival.admin)


def _suspend(arrival: Arrival) -> Membership:
    member = _let_in(arrival)
    with arrival.later(arrival.newcomer.came * 0.8):
        return suspend_member(member, reason=arrival.newcomer.reason, actor=arrival.admin)


def _erase(arrival: Arrival) -> Membership:
    member = _let_in(arrival)
    with arrival.later(arrival.newcomer.came * 0.7):
        return erase_person(member, actor=arrival.admin)


def _protect(arrival: Arrival) -> Membership:
    """They were let in, got their role, and turned on the second factor. Nobody knows its secret."""
    member = _let_in(arrival)
    key = derive_key(str(current_app.secret_key), "second factors")
    with arrival.later(timedelta(days=1)):
        change_roles(member, arrival.person.roles, actor=arrival.admin)
        own = actor_of_member(member, email=arrival.person.email)
        user = begin_second_factor(password=cast.PASSWORD, key=key, actor=own)
        secret = show_secret(user, key=key)
        assert secret
        code = pyotp.HOTP(secret).at(int(clock.now().timestamp()) // STEP_SECONDS)
        confirm_second_factor(code, key=key, actor=own)
    return member


ARRIVALS: dict[Standing, Callable[[Arrival], Membership]] = {
    Standing.WAITING: _wait,
    Standing.UNCONFIRMED: _ask_only,
    Standing.INVITED: _invite,
    Standing.INVITED_TOO_LONG_AGO: _invite_in_vain,
    Standing.DECLINED: _decline,
    Standing.SUSPENDED: _suspend,
    Standing.SECOND_FACTOR: _protect,
    Standing.ERASED: _erase,
}


def _ask(person: cast.Person) -> tuple[Membership, OneUseToken]:
    """Ask to join; returns the member and the link in the mail that follows."""
    register(email=person.email, name=person.name, password=cast.PASSWORD, cost=password_cost(), actor=STRANGER)
    user = find_user_by_email(person.email)
    member = find_standing_member(user.id) if user else None
    assert user
    assert member
    user.created_at = clock.now()
    return member, _link_of(member)


def _let_in(arrival: Arrival) -> Membership:
    member, admin = _wait(arrival), arrival.admin
    departments = {department.name: department.id for department in list_departments()}
    with arrival.later(timedelta(hours=3)):
        approve_member(member, actor=admin)
        if place := departments.get(arrival.person.department or ""):
            change_profile(member, {"department_id": place}, actor=admin)
    return member


def _link_of(member: Membership) -> OneUseToken:
    links = select(OneUseToken).where(OneUseToken.membership_id == member.id).order_by(OneUseToken.id.desc())
    return session.scalars(links.limit(1)).one()
