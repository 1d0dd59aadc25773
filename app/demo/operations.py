"""The demo's seed: steps that each run once, in one transaction, and are recorded; a second start adds what is missing.

Nothing already written is moved or changed. Dates are relative to the day a step runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import current_app
from sqlalchemy import select

from app.demo import cast
from app.demo.models import SeedStep
from app.foundation import tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session, unit_of_work
from app.identity.operations.accounts import add_member, add_user
from app.identity.queries import find_user_by_email
from app.tenants.operations import add_department, create_school
from app.tenants.queries import find_tenant_by_slug, list_departments

log = logging.getLogger(__name__)


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
    return [Step(f"{slug}/people", slug, partial(seed_people, slug)) for slug in cast.SCHOOLS]


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


def _recorded() -> set[str]:
    with tenancy.tenant_scope(None), unit_of_work():
        return set(session.scalars(select(SeedStep.name)))


def _run(step: Step) -> None:
    with tenancy.tenant_scope(None), unit_of_work():
        tenancy.enter(find_tenant_by_slug(step.school))
        step.write()
        session.add(SeedStep(name=step.name))
    log.info("seeded", extra={"step": step.name})
