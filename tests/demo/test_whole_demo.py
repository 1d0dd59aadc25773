"""The demo as its first start leaves it: schools at work, a trail that holds, and nothing empty on any page."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from app.analytics.queries import last_fourteen_days
from app.audit.models import AuditEntry
from app.courses.models import Course
from app.demo import operations
from app.demo.cast import HOUSES, NEWCOMERS, SCHOOLS, TEACHING, TREE, Standing
from app.foundation import clock, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.partitions import tables_with_strays
from app.identity.models import Membership, OneUseToken, User
from app.learning.models import Enrollment
from app.scheduling.models import Booking, Claim
from app.tenants.queries import department_ids_below, find_school, list_departments, school_settings
from app.tenants.rules import is_readable
from launcher.database import LAST_SEED_STEP, demo_is_seeded
from launcher.run import DEMO_EXTRAS, DEMO_ROLES, DEMO_SCHOOLS
from tests.cast import BO, LEO, Person, member
from tests.client import LintingClient, Page
from tests.demo.whole import WholeDemo, whole_demo
from tests.measured import measured
from tests.servers import settings_for

SLUGS = sorted(SCHOOLS)
FIRST_START, SECOND_START = 180.0, 5.0
"""Seconds that a start may take, of which the seed is a part."""
ACCOUNTS = (
    *(Person(f"{role}@{slug}.example", slug) for slug in DEMO_SCHOOLS for role in DEMO_ROLES),
    *(Person(email, "skyline" if email.endswith("@skyline.example") else "operator") for email in DEMO_EXTRAS),
    Person(BO.email, "harbour"),
)
FURTHEST = 3
"""So many clicks from the home: to the rail, to what its pages list, to the forms of those."""
RECORD = re.compile(r"/\d+(/|$)")
NOT_READ = re.compile(r"\.(csv|jsonl|json)$|/logout$|/export$")


@pytest.fixture(scope="module")
def demo(the_app: Flask) -> Iterator[WholeDemo]:
    with whole_demo(the_app, "whole") as here:
        yield here


@pytest.fixture(params=SLUGS)
def slug(request: pytest.FixtureRequest, demo: WholeDemo) -> Iterator[str]:
    with demo.at(request.param):
        yield request.param


# -- what there is -------------------------------------------------------------------------------------------------


def test_people_stand_in_each_state(demo: WholeDemo) -> None:
    with demo.at("skyline"):
        states = Counter(session.scalars(select(Membership.status)))
        assert states["pending"] == 3
        assert states["invited"] == 2
        assert {status for status in ("active", "declined", "suspended", "erased") if states[status]} == {
            *("active", "declined", "suspended", "erased"),
        }
        waiting = select(User.email_confirmed_at).join(Membership, Membership.user_id == User.id)
        confirmed = session.scalars(waiting.where(Membership.status == "pending")).all()
        assert sorted(at is not None for at in confirmed) == [False, True, True]
        links = select(OneUseToken.expires_at).where(OneUseToken.purpose == "invitation", OneUseToken.used_at.is_(None))
        tenant = OneUseToken.tenant_id == tenancy.required().id
        assert sorted(at > clock.now() for at in session.scalars(links.where(tenant))) == [False, True]
        assert session.scalars(select(User.email).where(User.totp_confirmed_at.is_not(None))).all() == [
            newcomer.person.email for newcomer in NEWCOMERS["skyline"] if newcomer.standing is Standing.SECOND_FACTOR
        ]


def test_whoever_is_kept_out_reads_why(slug: str) -> None:
    kept_out = select(Membership).where(Membership.status.in_(("declined", "suspended")))
    people = session.scalars(kept_out).all()
    assert people
    assert all(person.standing_reason for person in people)


def test_the_settings_are_filled(slug: str) -> None:
    settings = school_settings()
    assert len(settings.opening_hours) == 6
    assert settings.closed_days
    assert settings.closed_days == sorted(settings.closed_days)
    assert min(settings.closed_days) >= clock.today(SCHOOLS[slug].zone)
    assert settings.latitude == HOUSES[slug].latitude
    assert settings.brand_color
    assert is_readable(settings.brand_color)
    assert settings.levels
    assert settings.tags
    told = session.scalars(select(Membership.name).where(Membership.id.in_(settings.escalate_to_ids))).all()
    assert len(told) == len(HOUSES[slug].told)


def test_the_departments_are_a_tree(slug: str) -> None:
    departments = list_departments()
    names = {department.id: department.name for department in departments}
    tree = {d.name: sorted(names[c.id] for c in departments if c.parent_id == d.id) for d in departments}
    assert {name: below for name, below in tree.items() if below} == {n: sorted(below) for n, below in TREE.items()}
    top = next(d.id for d in departments if d.name == "Flight training")
    assert len(session.scalars(department_ids_below(top)).all()) == 4


def test_much_is_known_of_the_people(slug: str) -> None:
    learners = session.scalars(
        select(Membership).where(Membership.department_id.is_not(None), Membership.status == "active")
    ).all()
    assert len(learners) >= 31
    for fact in ("level", "certificate_number", "primary_instructor_id", "emergency_contact", "phone"):
        assert sum(bool(getattr(person, fact)) for person in learners) >= 31, fact
    assert {tag for person in learners for tag in person.tags} == set(school_settings().tags)
    assert {person.level for person in learners} <= {*school_settings().levels, None}
    taught_by = {person.primary_instructor_id for person in learners} - {None}
    teachers = session.scalars(select(Membership).where(Membership.id.in_(taught_by))).all()
    assert all("instructor" in teacher.roles for teacher in teachers)


# -- a week of deeds -----------------------------------------------------------------------------------------------


def test_the_trail_tells_of_a_week(slug: str) -> None:
    entries = session.scalars(select(AuditEntry)).all()
    week = [entry for entry in entries if entry.at > clock.now() - timedelta(days=7)]
    done = Counter(entry.action for entry in week)
    for action in (
        *("session.opened", "session.refused", "settings.changed", "department.changed", "profile.changed"),
        *("booking.requested", "booking.assigned", "booking.completed", "course.published"),
        *("registration.confirmed", "acting.begun", "acting.ended"),
    ):
        assert done[action], action
    zone = ZoneInfo(SCHOOLS[slug].zone)
    assert len({entry.at.astimezone(zone).date() for entry in week}) >= 7
    signed_in = [entry for entry in week if entry.action == "session.opened"]
    assert all(entry.ip_cipher and entry.user_agent and entry.origin == "web" for entry in signed_in)
    assert len({entry.correlation_id for entry in signed_in}) > len(signed_in) // 2


def test_nothing_was_done_tomorrow_or_before_the_school_began(slug: str) -> None:
    began = find_school().created_at
    strange = select(AuditEntry.action, AuditEntry.at)
    assert session.execute(strange.where((AuditEntry.at > clock.now()) | (AuditEntry.at < began))).all() == []
    asked_late = select(Booking.id).where((Booking.requested_at > Booking.starts_at) | (Booking.requested_at < began))
    assert session.scalars(asked_late).all() == []


def test_the_chains_hold(demo: WholeDemo) -> None:
    done = demo.run("audit", "verify")
    assert done.exit_code == 0, done.output
    assert done.output.count("links hold") == len(SCHOOLS)


def test_every_entry_lies_in_its_month(demo: WholeDemo) -> None:
    with tenancy.tenant_scope(None), unit_of_work():
        assert tables_with_strays() == []


@pytest.mark.parametrize("measure", ["bookings.requested", "bookings.approved", "lessons.completed"])
def test_no_day_towers_over_the_fourteen(slug: str, measure: str) -> None:
    days = last_fourteen_days().of(measure)
    assert sum(days) >= 30
    assert max(days) <= sum(days) * 0.3, days
    assert sum(map(bool, days)) >= 8, days


# -- bookings and courses ------------------------------------------------------------------------------------------


def test_there_are_bookings_in_every_state_with_claims_to_match(slug: str) -> None:
    bookings = session.scalars(select(Booking)).all()
    states = Counter(booking.status for booking in bookings)
    assert len(bookings) >= 40
    assert {"requested", "approved", "assigned", "completed", "cancelled"} <= set(states)
    claimed = {"requested": {"soft"}, "declined": {"released"}, "cancelled": {"released"}}
    for booking in bookings:
        assert {claim.state for claim in booking.claims} == claimed.get(booking.status, {"firm"})
        assert booking.status != "completed" or booking.ends_at <= clock.now()


def test_one_request_has_waited_so_long_that_it_escalated(slug: str) -> None:
    assert session.scalars(select(Booking.id).where(Booking.status == "requested", Booking.escalations == 1)).all()


def test_the_learner_of_the_readme_has_the_first_course_still_to_take(demo: WholeDemo) -> None:
    with demo.at("skyline"):
        begun = session.scalars(select(Enrollment).where(Enrollment.membership_id == member(LEO).id)).all()
        first = session.scalars(select(Course).order_by(Course.id)).first()
        assert first
        assert first.id not in {one.course_id for one in begun}
        assert begun
        assert not any(one.completed_at for one in begun)


# -- a second start ------------------------------------------------------------------------------------------------


def test_a_later_start_serves_a_demo_that_is_whole_before_it_seeds(demo: WholeDemo, worker_database: str) -> None:
    """bin/run asks for the last step alone; one that was cut off is seeded to its end before anybody sees it."""
    assert operations.steps()[-1].name == LAST_SEED_STEP
    assert demo_is_seeded(demo.settings.owner_database_url)
    assert not demo_is_seeded(settings_for(worker_database).owner_database_url)


def test_a_second_start_adds_nothing_and_is_quick(the_app: Flask, demo: WholeDemo) -> None:
    before = counted()
    began = time.perf_counter()
    with the_app.app_context():
        assert operations.seed() == []
    took = time.perf_counter() - began
    measured(f"seed: {demo.took:.1f} s at the first start, {took:.3f} s at the second")
    assert counted() == before
    assert demo.took < FIRST_START
    assert took < SECOND_START


def counted() -> list[int]:
    counts = []
    for slug in SLUGS:
        with tenancy.tenant_scope(None), unit_of_work():
            tenancy.enter(tenancy.find_by_slug(slug))
            counts += [
                len(session.scalars(select(model.id)).all()) for model in (Membership, Booking, Claim, AuditEntry)
            ]
    return counts


# -- no page is empty ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ACCOUNTS, ids=lambda person: f"{person.email.partition('@')[0]}-{person.slug}")
def test_no_page_of_the_account_is_empty(the_app: Flask, demo: WholeDemo, person: Person) -> None:
    is_operator = person.slug == "operator"
    client = LintingClient(the_app).sign_in(person, school="" if is_operator else None)
    pages = list(walk(client, "/operator/schools" if is_operator else f"/{person.slug}/"))
    assert len(pages) > 3, "the walk finds the rail no more"
    found = [(page.path, words) for page in pages for words in empty_blocks(page)]
    assert [one for one in found if not is_meant(one[1], person)] == []


MEANT = {
    "Nothing is stuck": "work that has failed too often would be a fault of the demo, not a part of it",
    "No lessons today": "an instructor is told so on the days on which they do not teach",
}
"""What may be empty, with the reason."""


def is_meant(words: str, person: Person) -> bool:
    if words.startswith("No lessons today"):
        today = clock.today(SCHOOLS[person.slug].zone)
        days = [weekday for days in TEACHING[person.slug][person.email] for weekday in days]
        return today.weekday() not in days or (today.month, today.day) in HOUSES[person.slug].closed
    return any(words.startswith(beginning) for beginning in MEANT)


def walk(client: LintingClient, home: str) -> Iterator[Page]:
    """The pages that lead from one to the next, records and filters left out: each of those is another of its kind."""
    seen, ring = {home}, [home]
    for _ in range(FURTHEST):
        following = []
        for path in ring:
            page = client.get(path, follow=True)
            assert page.status == 200, f"{path} answers {page.status}"
            yield page
            for address in page.links().values():
                parts = urlsplit(urljoin(path, address))
                new = parts.path
                if parts.netloc or parts.query or RECORD.search(new) or NOT_READ.search(new) or new in seen:
                    continue
                if new.startswith((home, "/account", "/schools")):
                    seen.add(new)
                    following.append(new)
        ring = following


def empty_blocks(page: Page) -> Iterator[str]:
    for element in page.tree.iter():
        if "empty" in (element.get("class") or "").split():
            yield " ".join("".join(element.itertext()).split())
