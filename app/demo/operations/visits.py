"""A week of visits: who signed in at the demo's schools, from where, and what did not work at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy import select
from werkzeug.user_agent import UserAgent

from app.demo import cast
from app.demo.operations.people import actor_of_member, actor_with, members_by_email
from app.foundation import clock
from app.foundation.db import session
from app.foundation.logs import begin_correlation
from app.foundation.permissions import Role
from app.identity.models import UserSession
from app.identity.operations.acting import ACTING_LIFE, begin_acting, end_acting
from app.identity.operations.sessions import check_password, open_session
from app.identity.queries import find_user_by_email
from app.identity.rules import new_token, token_hash
from app.tenants.queries import find_school

LIFE = timedelta(days=14)
STAFF_COMES, LEARNER_COMES = 0.8, 0.3
"""How likely each comes on a day."""


@dataclass(frozen=True)
class Visit:
    """One visit. `number` is the person's place in the cast, by which device and address are theirs."""

    at: datetime
    email: str
    number: int
    mistypes: bool


def seed_visits(slug: str) -> None:
    """The sign-ins of the last days, by the deed that signs people in. It runs in a request, which is made to be each in turn."""
    people, opened_at = members_by_email(), find_school().created_at
    present = clock.now()
    for visit in sorted(visits(slug, present), key=lambda visit: visit.at):
        if visit.email in people and opened_at <= visit.at <= present:
            with clock.held_at(visit.at):
                _come_from(visit)
                _sign_in(visit.email, mistypes=visit.mistypes)
    _act_as_somebody(slug)


def _act_as_somebody(slug: str) -> None:
    """An admin looked at a page as another person sees it, and that person was told."""
    email, ago, reason = cast.ACTED_AS
    other = members_by_email().get(email.format(slug))
    at = clock.now() - ago
    if other and find_school().created_at <= at:
        admin = actor_with(slug, Role.ADMIN)
        with clock.held_at(at):
            _come_from(Visit(at, admin.email, 0, False))
            admin = replace(admin, session_id=_sign_in(admin.email).id)
            begin_acting(other, reason=reason, actor=admin)
        as_other = replace(
            actor_of_member(other), user_id=admin.user_id, session_id=admin.session_id,
            acting_until=at + ACTING_LIFE, real_membership_id=admin.membership_id,
        )  # fmt: skip
        with clock.held_at(at + ACTING_LIFE / 2):
            end_acting(actor=as_other)


def visits(slug: str, present: datetime) -> Iterator[Visit]:
    """Who comes when: the same for a school and a day."""
    school = cast.SCHOOLS[slug]
    today = present.astimezone(ZoneInfo(school.zone)).date()
    for day in (today - timedelta(days=back) for back in range(cast.DAYS_OF_VISITS)):
        dice = Random(f"{slug}/visits/{day.isoformat()}")  # noqa: S311 — a demo's dice
        for number, person in enumerate(school.people):
            is_learner = person.roles == (Role.LEARNER,)
            comes, minute, slips = dice.random(), dice.randrange(7 * 60, (21 if is_learner else 10) * 60), dice.random()
            if comes < (LEARNER_COMES if is_learner else STAFF_COMES):
                at = datetime.combine(day, time(minute // 60, minute % 60, dice.randrange(60)), ZoneInfo(school.zone))
                yield Visit(at, person.email, number, slips < 0.06)


def _come_from(visit: Visit) -> None:
    """Have the request be this visit's: its device, its address, its code."""
    begin_correlation()
    request.remote_addr = cast.NETWORK.format(10 + visit.number)
    request.user_agent = UserAgent(cast.DEVICES[visit.number % len(cast.DEVICES)])


def _sign_in(email: str, *, mistypes: bool = False) -> UserSession:
    if mistypes:
        check_password(email, "groundscool-demo", cost=cast.DEMO_COST)
    user = find_user_by_email(email)
    assert user
    device = request.user_agent.string
    opened = open_session(user, life=LIFE, csrf_hash=token_hash(new_token()), user_agent=device)
    row = session.scalars(select(UserSession).where(UserSession.token_hash == token_hash(opened.token))).one()
    row.created_at = row.seen_at = clock.now()
    session.flush()
    return row
