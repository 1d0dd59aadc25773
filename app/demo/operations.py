"""The demo's seed: steps that each run once, in one transaction, and are recorded; a second start adds what is missing.

Nothing already written is moved or changed. Dates are relative to the day a step runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from app.courses.operations import import_course, publish_course
from app.demo import cast
from app.demo.models import SeedStep
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session, unit_of_work
from app.foundation.permissions import Role
from app.identity.operations import add_member, add_user
from app.identity.queries import find_membership_of_user, find_user_by_email, list_members_with_role
from app.scheduling.models import Resource
from app.scheduling.operations.availability import add_exception, set_week
from app.scheduling.operations.resources import add_aircraft, add_simulator, ensure_person_resource
from app.tenants.operations import add_department, create_school
from app.tenants.queries import find_tenant_by_slug, list_departments

log = logging.getLogger(__name__)

CONTENT = Path(__file__).parents[2] / "content"
COURSES = {"skyline": ("weather", "radio", "airspace"), "harbour": ("weather", "radio")}
"""The folders of content/ that each school teaches."""


@dataclass(frozen=True)
class Step:
    """One step of the seed: its recorded name, and what it writes for one school."""

    name: str
    school: str
    write: Callable[[], None]


def seed() -> list[str]:
    """Run every step that has not run yet, each in a transaction of its own. Returns the names of those that ran."""
    done = _recorded()
    ran = []
    for step in steps():
        if step.name not in done:
            _run(step)
            ran.append(step.name)
    return ran


def steps() -> list[Step]:
    """All steps in their order, for both schools."""
    people = [Step(f"{slug}/people", slug, partial(seed_people, slug)) for slug in cast.SCHOOLS]
    courses = [
        Step(f"{slug}/courses/{folder}", slug, partial(seed_course, slug, folder))
        for slug, folders in COURSES.items()
        for folder in folders
    ]
    resources = [Step(f"{slug}/resources", slug, partial(seed_resources, slug)) for slug in cast.SCHOOLS]
    hours = [Step(f"{slug}/availability", slug, partial(seed_availability, slug)) for slug in cast.SCHOOLS]
    return [*people, *courses, *resources, *hours]


def seed_people(slug: str) -> None:
    """A school with its departments and its people, all with the demo's password."""
    school = cast.SCHOOLS[slug]
    tenancy.enter(create_school(slug=slug, name=school.name, zone=school.zone, actor=SYSTEM))
    for name in school.departments:
        add_department(name, actor=SYSTEM)
    departments = {department.name: department for department in list_departments()}
    cost = current_app.config["SETTINGS"].bcrypt_cost if not current_app.config["SETTINGS"].demo else cast.DEMO_COST
    for person in school.people:
        user = find_user_by_email(person.email) or add_user(person.email, password=cast.PASSWORD, cost=cost)
        add_member(
            user, name=person.name, roles=person.roles, actor=SYSTEM,
            department=departments[person.department] if person.department else None,
        )  # fmt: skip


def seed_course(slug: str, folder: str) -> None:
    """A course of content/, imported and published by the school's author."""
    author = _actor_with(slug, Role.AUTHOR)
    publish_course(import_course(CONTENT / folder, actor=author), actor=author)


def _actor_with(slug: str, role: Role) -> Actor:
    """The first person of the cast who has a role at a school, as the actor of a deed there."""
    person = next(person for person in cast.SCHOOLS[slug].people if role in person.roles)
    user = find_user_by_email(person.email)
    member = find_membership_of_user(user.id) if user else None
    if member is None:
        raise LookupError(f"{person.email} is not at {slug}: the step that makes the people has not run")
    return Actor(
        user_id=member.user_id, membership_id=member.id, name=member.name, email=person.email,
        roles=frozenset(member.roles), zone=cast.SCHOOLS[slug].zone,
    )  # fmt: skip


def seed_resources(slug: str) -> None:
    """What can be booked: the school's aircraft and simulators, its instructors and its learners."""
    add = {"aircraft": add_aircraft, "simulator": add_simulator}
    for kind, name, detail in cast.FLEET[slug]:
        add[kind](name, detail, actor=SYSTEM)
    for role in (Role.INSTRUCTOR, Role.LEARNER):
        for member in list_members_with_role(role):
            ensure_person_resource(member)


def seed_availability(slug: str) -> None:
    """When the school's instructors teach, and a coming day on which one is away."""
    zone = cast.SCHOOLS[slug].zone
    for email, week in cast.TEACHING[slug].items():
        rows = [(day, start * 60, end * 60) for days, hours in week.items() for day in days for start, end in hours]
        set_week(_instructor(email), rows, zone, actor=SYSTEM)
    email, weekday, note = cast.AWAY[slug]
    soon = clock.today(zone) + timedelta(days=8)
    day = soon + timedelta(days=(weekday - soon.weekday()) % 7)
    add_exception(_instructor(email), day=day, is_open=False, minutes=None, zone=zone, note=note, actor=SYSTEM)


def _instructor(email: str) -> Resource:
    user = find_user_by_email(email)
    assert user, email
    member = find_membership_of_user(user.id)
    assert member, email
    return ensure_person_resource(member)


def _recorded() -> set[str]:
    with tenancy.tenant_scope(None), unit_of_work():
        return set(session.scalars(select(SeedStep.name)))


def _run(step: Step) -> None:
    with tenancy.tenant_scope(None), unit_of_work():
        tenancy.enter(find_tenant_by_slug(step.school))
        step.write()
        session.add(SeedStep(name=step.name))
    log.info("seeded", extra={"step": step.name})
