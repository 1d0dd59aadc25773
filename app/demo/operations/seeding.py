"""The demo's seed: steps that each run once, in one transaction, and are recorded; a second start adds what is missing.

Nothing already written is moved or changed. Dates are relative to the day a step runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from app.analytics.operations import count_recent_days
from app.demo import cast
from app.demo.models import SeedStep
from app.demo.operations.bookings import seed_availability, seed_bookings, seed_resources, weeks_around
from app.demo.operations.learning import seed_course, seed_learning
from app.demo.operations.people import seed_people
from app.foundation import tenancy
from app.foundation.db import session, unit_of_work
from app.tenants.queries import find_tenant_by_slug

log = logging.getLogger(__name__)

COURSES = {"skyline": ("weather", "radio", "airspace"), "harbour": ("weather", "radio")}
"""The folders of content/ that each school teaches."""
BOOKINGS = "/bookings/"
"""What the names of the steps that book a week have in common."""
WHAT_PEOPLE_DID = ("bookings/", "learning/", "counts")
"""How the names of the steps begin, behind the school, that write what people did."""


@dataclass(frozen=True)
class Step:
    """One step of the seed: its recorded name, and what it writes for one school."""

    name: str
    school: str
    write: Callable[[], object]


def seed(*, bookings: bool = True) -> list[str]:
    """Run every step that has not run yet, each in a transaction of its own. Returns the names of those that ran.

    Without `bookings` the schools have nothing that people did, no bookings and no progress: tests make their own.
    """
    done = _recorded()
    ran = []
    for step in steps():
        if step.name not in done and (bookings or not step.name.partition("/")[2].startswith(WHAT_PEOPLE_DID)):
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
    weeks = [
        Step(f"{slug}{BOOKINGS}{monday:%G-W%V}", slug, partial(seed_bookings, slug, monday))
        for slug in cast.SCHOOLS
        for monday in weeks_around(cast.SCHOOLS[slug].zone)
    ]
    taken = [
        Step(f"{slug}/learning/{folder}", slug, partial(seed_learning, slug, place))
        for slug, folders in COURSES.items()
        for place, folder in enumerate(folders)
    ]
    counts = [Step(f"{slug}/counts", slug, count_recent_days) for slug in cast.SCHOOLS]
    return [*people, *courses, *resources, *hours, *weeks, *taken, *counts]


def _recorded() -> set[str]:
    with tenancy.tenant_scope(None), unit_of_work():
        return set(session.scalars(select(SeedStep.name)))


def _run(step: Step) -> None:
    with tenancy.tenant_scope(None), unit_of_work():
        tenancy.enter(find_tenant_by_slug(step.school))
        step.write()
        session.add(SeedStep(name=step.name))
    log.info("seeded", extra={"step": step.name})
