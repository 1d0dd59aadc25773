"""The seed at a later start: what an older demo lacks is added, what is there stays; and a demo is emptied to begin again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.demo import operations
from app.demo.cast import SCHOOLS
from app.demo.models import SeedStep
from app.demo.operations import seeding
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session, unit_of_work
from app.identity.models import Membership
from app.scheduling.models import Booking, Claim
from app.tenants.operations import add_department
from app.tenants.queries import find_school, list_departments, school_settings
from tests.audit.committed import Committed, committed
from tests.cast import ANA, LEO, LOU, at_school, member
from tests.client import LintingClient

SLUGS = sorted(SCHOOLS)
BEFORE_ISSUE_3 = ("people", "courses/", "resources", "availability", "bookings/", "learning/", "counts")
"""How the names of the steps begin, behind the school, that a demo of the first release has run."""


def test_a_demo_of_the_first_release_is_given_the_rest_at_its_next_start(the_app: Flask) -> None:
    """Its steps are recorded, so that a new part must be a step of its own. What is written, and what people decided, stays."""
    with committed(the_app, "older") as older, the_app.app_context():
        for step in operations.steps():
            if step.name.partition("/")[2].startswith(BEFORE_ISSUE_3) and step.name not in recorded():
                seeding._run(step, dated=False)
        with older.at("harbour"):
            moved = decide_at_harbour()
        before = written(older)
        new = operations.seed()
        assert {name.partition("/")[2] for name in new} == {
            *("settings", "departments", "records", "audiences", "assignments", "newcomers", "visits"),
        }
        assert {key: row for key, row in written(older).items() if key in before} == before
        with older.at("skyline"):
            states = set(session.scalars(select(Membership.status)))
            assert states == {"active", "pending", "invited", "declined", "suspended", "erased"}
            assert member(LEO).level
            assert session.scalars(select(AuditEntry).where(AuditEntry.at < find_school().created_at)).all() == []
        with older.at("harbour"):
            assert school_settings().escalate_after_hours == 9
            assert school_settings().brand_color is None
            assert member(LOU).phone == "+44 1632 960000"
            assert {d.name: d.parent_id for d in list_departments()}["Instrument"] == moved
        assert older.run("audit", "verify").exit_code == 0
        assert operations.seed() == []
        with time_machine.travel(clock.now() + timedelta(weeks=1)):
            assert [name.partition("/")[0] for name in operations.seed()] == ["skyline", "harbour"]
        assert {key: row for key, row in written(older).items() if key in before} == before


def decide_at_harbour() -> int:
    """What somebody who tries the demo may have done by hand. Returns below which department Instrument now lies."""
    settings, lou = school_settings(), member(LOU)
    settings.version, settings.escalate_after_hours = 2, 9
    lou.phone = "+44 1632 960000"
    departments = {department.name: department for department in list_departments()}
    departments["Instrument"].parent_id = departments["Commercial"].id
    return departments["Commercial"].id


def test_a_school_that_got_another_address_does_not_keep_the_demo_from_starting(app: Flask) -> None:
    with app.app_context():
        with at_school("harbour"):
            find_school().slug = "haven"
            session.commit()
        tenancy.forget_tenants()
        with time_machine.travel(clock.now() + timedelta(weeks=5)):
            missing = [step for step in operations.steps() if step.school == "harbour" and step.name not in recorded()]
            assert missing
            assert not any(seeding._run(step, dated=True) for step in missing)


def test_reset_begins_again(the_app: Flask) -> None:
    with committed(the_app, "reset") as here:
        with here.at("skyline"):
            before = session.scalars(select(Membership.name).order_by(Membership.id)).all()
            ana = member(ANA)
            ana.name, old_id = "Somebody else", ana.id
        done = here.run("demo", "reset")
        assert done.exit_code == 0, done.output
        assert f"{len(operations.steps())} seed steps ran" in done.output
        with here.at("skyline"):
            everybody = session.scalars(select(Membership.name).order_by(Membership.id)).all()
            assert everybody[: len(before)] == before
            assert member(ANA).id > old_id
        assert LintingClient(the_app).sign_in(LEO).get("/skyline/").status == 200
        assert here.run("audit", "verify").exit_code == 0


@pytest.mark.parametrize("verb", ["seed", "reset", "grow"])
def test_outside_a_demo_nothing_is_written_or_emptied(the_app: Flask, verb: str) -> None:
    with committed(the_app, "school") as here, the_app.app_context():
        before, settings = written(here), the_app.config["SETTINGS"]
        the_app.config["SETTINGS"] = replace(settings, demo=False)
        try:
            done = here.run("demo", verb)
        finally:
            the_app.config["SETTINGS"] = settings
        assert done.exit_code != 0
        assert "not a demo" in done.output
        assert written(here) == before


def recorded() -> set[str]:
    with tenancy.tenant_scope(None), unit_of_work():
        return set(session.scalars(select(SeedStep.name)))


def written(here: Committed) -> dict[tuple[str, int], tuple[object, ...]]:
    """What nobody may move: people's names, roles and places, bookings with their times and states, claims."""
    rows: dict[tuple[str, int], tuple[object, ...]] = {}
    columns = {
        "m": (Membership.id, Membership.name, Membership.roles, Membership.status, Membership.department_id),
        "b": (Booking.id, Booking.status, Booking.starts_at, Booking.requested_at, Booking.learner_id),
        "c": (Claim.id, Claim.state, Claim.resource_id, Claim.during),
        "a": (AuditEntry.id, AuditEntry.at, AuditEntry.action),
    }
    for slug in SLUGS:
        with here.at(slug):
            for mark, wanted in columns.items():
                rows |= {(mark, row[0]): tuple(row[1:]) for row in session.execute(select(*wanted))}
    return rows


def test_a_step_that_fails_leaves_neither_its_rows_nor_its_record(the_app: Flask) -> None:
    """The next start runs it again, from nothing."""

    def write(*, fails: bool) -> None:
        add_department("Balloons", actor=SYSTEM)
        session.flush()
        if fails:
            raise RuntimeError("the disk is full")

    step = seeding.Step("skyline/tests", "skyline", partial(write, fails=True))
    with committed(the_app, "halfway") as here, the_app.app_context():
        with pytest.raises(RuntimeError, match="the disk is full"):
            seeding._run(step, dated=False)
        assert "skyline/tests" not in recorded()
        assert balloons(here) == 0
        assert seeding._run(replace(step, write=partial(write, fails=False)), dated=False)
        assert "skyline/tests" in recorded()
        assert balloons(here) == 1


def balloons(here: Committed) -> int:
    return int(here.ask("select count(*) from department where name = 'Balloons'"))
