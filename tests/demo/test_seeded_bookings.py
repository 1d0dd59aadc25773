"""The plan of a demo's week: the same for everybody, without collision, and with something in it for each who is lent out."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations

import pytest

from app.demo.cast import SCHOOLS, TEACHING
from app.demo.rules import LENT, fate_of, plan_week
from app.foundation.permissions import Role

MONDAY = date(2026, 11, 16)
WEEKS = [MONDAY + timedelta(weeks=n) for n in range(60)]
SLUGS = sorted(SCHOOLS)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_week_is_always_the_same_and_another_is_another(slug: str) -> None:
    assert plan_week(slug, MONDAY) == plan_week(slug, MONDAY)
    assert plan_week(slug, MONDAY) != plan_week(slug, MONDAY + timedelta(weeks=1))


@pytest.mark.parametrize("slug", SLUGS)
def test_nobody_and_nothing_is_planned_twice_at_once(slug: str) -> None:
    for monday in WEEKS:
        for one, other in combinations(plan_week(slug, monday), 2):
            overlap = one.starts < other.starts + timedelta(
                minutes=other.minutes
            ) and other.starts < one.starts + timedelta(minutes=one.minutes)
            if overlap:
                assert one.instructor != other.instructor
                assert one.craft is None or one.craft != other.craft
            assert (one.learner, one.starts.date()) != (other.learner, other.starts.date())


@pytest.mark.parametrize("slug", SLUGS)
def test_every_week_has_something_for_each_who_is_lent_out(slug: str) -> None:
    """A lesson on each day that an instructor teaches, a request for each instructor, a lesson for each of the learners."""
    lent = {person.email for person in SCHOOLS[slug].people if person.email in LENT and Role.LEARNER in person.roles}
    for monday in WEEKS:
        planned = plan_week(slug, monday)
        kept = [one for one in planned if fate_of(one.die, is_past=False, is_fresh=False) == "assigned"]
        asked = [one for one in planned if fate_of(one.die, is_past=False, is_fresh=False) == "requested"]
        for instructor, week in TEACHING[slug].items():
            taught = {one.starts.weekday() for one in kept if one.instructor == instructor}
            assert taught == {day for days in week for day in days}, (monday, instructor)
            assert instructor in {one.instructor for one in asked}, (monday, instructor)
        assert lent <= {one.learner for one in kept}, monday
