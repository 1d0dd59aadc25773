"""The demo's seed: steps that each run once, in one transaction, and are recorded; a second start adds what is missing.

Nothing already written is moved or changed. Dates are relative to the day a step runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from flask import current_app
from sqlalchemy import select
from werkzeug.test import EnvironBuilder

from app.analytics.operations import count_days
from app.analytics.rules import KEPT_DAYS, last_days
from app.demo import cast
from app.demo.models import SeedStep
from app.demo.operations.bookings import seed_availability, seed_bookings, seed_resources, weeks_around
from app.demo.operations.learning import seed_assignments, seed_audiences, seed_course, seed_learning
from app.demo.operations.newcomers import seed_newcomers
from app.demo.operations.people import seed_operator, seed_people
from app.demo.operations.school import seed_departments, seed_records, seed_settings
from app.demo.operations.visits import seed_visits
from app.foundation import clock, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.partitions import make_months_ahead
from app.tenants.queries import find_school, find_tenant_by_slug

log = logging.getLogger(__name__)

COURSES = {"skyline": ("weather", "radio", "airspace"), "harbour": ("weather", "radio")}
"""The folders of content/ that each school teaches."""
PUBLISHED_DAYS_AGO = (16, 14.7, 5.8)
"""When the courses were published; the last of each school within the week."""
BOOKINGS = "/bookings/"
"""What the names of the steps that book a week have in common."""
WHAT_PEOPLE_DID = (
    *("settings", "departments", "records", "audiences", "assignments", "newcomers", "visits"),
    *("bookings/", "learning/", "counts"),
)
"""How the names of the steps begin, behind the school, that write what people did."""
LONGEST_AGO = timedelta(days=30)
"""No deed of the seed lies further back."""


@dataclass(frozen=True)
class Step:
    """One step of the seed: its recorded name, and what it writes for one school.

    It is done `days_ago`, though never before the school was there. `by_request` says that it stands for people's requests.
    """

    name: str
    school: str
    write: Callable[[], object]
    days_ago: float = 0
    by_request: bool = False

    @property
    def makes_its_school(self) -> bool:
        return self.name == f"{self.school}/people"


def seed(*, bookings: bool = True) -> list[str]:
    """Run every step that has not run yet, each in a transaction of its own. Returns the names of those that ran.

    Without `bookings` the schools have nothing that people did, no bookings and no progress, and were made just now: tests
    make their own.
    """
    done = _recorded()
    missing = [step for step in steps() if step.name not in done]
    if not bookings:
        missing = [step for step in missing if not step.name.partition("/")[2].startswith(WHAT_PEOPLE_DID)]
    elif any(step.makes_its_school for step in missing):
        _make_months_back()
    return [step.name for step in missing if _run(step, dated=bookings)]


def steps() -> list[Step]:
    """All steps in their order, for both schools; the operator belongs to neither."""
    people = [Step(f"{slug}/people", slug, partial(seed_people, slug), days_ago=26) for slug in cast.SCHOOLS]
    courses = [
        Step(f"{slug}/courses/{folder}", slug, partial(seed_course, slug, folder), days_ago=days_ago)
        for slug, folders in COURSES.items()
        for folder, days_ago in zip(folders, PUBLISHED_DAYS_AGO[-len(folders) :], strict=True)
    ]
    resources = [Step(f"{slug}/resources", slug, partial(seed_resources, slug), days_ago=25) for slug in cast.SCHOOLS]
    hours = [
        Step(f"{slug}/availability", slug, partial(seed_availability, slug), days_ago=24.5) for slug in cast.SCHOOLS
    ]
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
    counts = [Step(f"{slug}/counts", slug, _count) for slug in cast.SCHOOLS]
    operator = Step("operator", "", seed_operator, days_ago=26)
    return [operator, *people, *courses, *resources, *hours, *_set_up(), *weeks, *taken, *_lives(), *counts]


def _set_up() -> list[Step]:
    """How the schools are run: what their admins did once they had them."""
    return [
        step
        for slug in cast.SCHOOLS
        for step in (
            Step(f"{slug}/settings", slug, partial(seed_settings, slug), days_ago=6.2),
            Step(f"{slug}/departments", slug, partial(seed_departments, slug), days_ago=5.1),
            Step(f"{slug}/records", slug, partial(seed_records, slug), days_ago=4.5),
            Step(f"{slug}/audiences", slug, partial(seed_audiences, slug), days_ago=4.2),
            Step(f"{slug}/assignments", slug, partial(seed_assignments, slug), days_ago=4),
        )
    ]


def _lives() -> list[Step]:
    """Who came, and who comes every day."""
    newcomers = [Step(f"{slug}/newcomers", slug, partial(seed_newcomers, slug)) for slug in cast.SCHOOLS]
    visits = [Step(f"{slug}/visits", slug, partial(seed_visits, slug), by_request=True) for slug in cast.SCHOOLS]
    return [*newcomers, *visits]


def _count() -> None:
    count_days(last_days(clock.today(tenancy.required().zone), KEPT_DAYS))


def _recorded() -> set[str]:
    with tenancy.tenant_scope(None), unit_of_work():
        return set(session.scalars(select(SeedStep.name)))


def _run(step: Step, *, dated: bool) -> bool:
    """Run a step and record it. False where its school is not to be found any more: somebody has given it another address."""
    with _request() if step.by_request else nullcontext(), tenancy.tenant_scope(None), unit_of_work():
        school = find_tenant_by_slug(step.school)
        if school is None and step.school and not step.makes_its_school:
            log.info("the school of a seed step is gone", extra={"step": step.name})
            return False
        tenancy.enter(school)
        with clock.held_at(_moment_of(step) if dated else clock.now()):
            step.write()
        session.add(SeedStep(name=step.name))
    log.info("seeded", extra={"step": step.name})
    return True


def _moment_of(step: Step) -> datetime:
    """When a step's deeds are done. A school that was there before keeps its first day."""
    moment = clock.now() - timedelta(days=step.days_ago)
    return max(moment, find_school().created_at) if tenancy.current() else moment


@contextmanager
def _request() -> Iterator[None]:
    """A request, so that what people did says from where. It ends after its transaction: its end lets the session go."""
    with current_app.request_context(EnvironBuilder("/login", method="POST").get_environ()):
        yield


def _make_months_back() -> None:
    """The partitions of the months in which the seed's deeds lie."""
    with tenancy.tenant_scope(None), unit_of_work(), clock.held_at(clock.now() - LONGEST_AGO), tenancy.all_tenants():
        make_months_ahead(session.connection())
