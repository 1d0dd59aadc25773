"""The list of schools: found by name and address, counted behind the wall, in few statements however many there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.console.queries import Usage, list_schools
from app.console.rules import months_until
from app.foundation import clock, tenancy
from app.foundation.db import session
from app.foundation.pages import SIZE
from tests.cast import LEO, MAX, at_school
from tests.client import LintingClient, Page, count_statements
from tests.console.schools import make_schools, operator, suspend
from tests.scheduling import booking_makers as bookings

SCHOOLS = "/operator/schools"


def usages() -> dict[str, Usage]:
    with tenancy.tenant_scope(None):
        return {row.school.slug: row.usage for row in list_schools().rows}


def names(page: Page) -> list[str]:
    return ["".join(link.itertext()) for link in page.find_all(".//tbody//th/a")]


def test_an_operator_lands_on_the_list_and_the_bar_says_so(app: Flask) -> None:
    page = LintingClient(app).get("/login?next=/").form("/login")
    page = page.fill(email="operator@groundschool.example", password="groundschool-demo", next="").submit()
    assert (page.path, page.h1) == (SCHOOLS, "Schools")
    assert names(page) == ["Harbour Aviation Academy", "Skyline Flight School"]
    bar = page.find(".//header")
    assert bar is not None
    assert "Operator" in "".join(bar.itertext())
    assert page.client.get("/operator").location == SCHOOLS
    assert page.client.get("/").location == "/schools"


def test_a_school_is_counted_and_no_other(app: Flask) -> None:
    before = usages()
    LintingClient(app).sign_in(LEO)
    LintingClient(app).sign_in(MAX)
    LintingClient(app).sign_in(MAX)
    now = clock.now()
    with app.test_request_context(), at_school("skyline") as school:
        month = months_until(now, school.zone, count=1)[0]
        for number, (at, status) in enumerate(
            [
                (month.since, "requested"),
                (month.until - timedelta(hours=2), "requested"),
                (month.since, "cancelled"),
                (month.since - timedelta(hours=1), "requested"),
                (month.until, "requested"),
            ]
        ):
            made = bookings.make_request(at=bookings.an_hour(days=number))
            made.starts_at, made.ends_at, made.status, made.reason = at, at + timedelta(hours=1), status, "Wind"
        bookings.make_request(at=bookings.an_hour(days=9))
        session.commit()
    after = usages()
    assert after["skyline"].active == before["skyline"].active + 2
    assert after["skyline"].bookings == 2
    assert after["skyline"].people == before["skyline"].people > 30
    assert after["skyline"].courses == 3
    assert after["harbour"] == before["harbour"]


def test_what_lies_more_than_thirty_days_back_is_no_activity(app: Flask) -> None:
    LintingClient(app).sign_in(LEO)
    active = usages()["skyline"].active
    with tenancy.tenant_scope(None):
        from app.console.queries import _count
        from app.console.rules import Stretch

        now = clock.now()
        long_ago = Stretch(now - timedelta(days=900), now - timedelta(days=30))
        with at_school("skyline") as school:
            number = school.id
        (counted,) = _count([(number, long_ago, long_ago)])
    assert active > 0
    assert (counted.active, counted.bookings) == (0, 0)


def test_a_school_is_found_by_name_and_by_address(app: Flask) -> None:
    make_schools("Ridge Gliding")
    client = operator(app)
    for wanted in ("gliding", "RIDGE", "ridge-gl"):
        assert names(client.get(f"{SCHOOLS}?search={wanted}")) == ["Ridge Gliding"]
    page = client.get(f"{SCHOOLS}?search=%25")
    assert "No school like that" in page.text
    assert page.link("Show all schools").follow().path == SCHOOLS


def test_suspended_schools_are_told_apart(app: Flask) -> None:
    suspend("harbour")
    client = operator(app)
    assert names(client.get(f"{SCHOOLS}?state=suspended")) == ["Harbour Aviation Academy"]
    assert names(client.get(f"{SCHOOLS}?state=open")) == ["Skyline Flight School"]
    assert client.get(f"{SCHOOLS}?state=gone").status == 400
    assert client.get(f"{SCHOOLS}?cursor=nonsense").status == 400
    assert client.get(f"{SCHOOLS}?sort=size").status == 400


@pytest.mark.parametrize("sort", ["name", "newest"])
def test_every_school_is_on_one_page_and_case_does_not_matter(app: Flask, sort: str) -> None:
    make_schools(*(f"{'school' if number % 2 else 'School'} {number:03}" for number in range(2 * SIZE + 3)))
    client = operator(app)
    page, seen = client.get(f"{SCHOOLS}?sort={sort}"), []
    for _page in range(3):
        seen += names(page)
        if "Next" in page.links():
            page = page.link("Next").follow()
    assert len(seen) == len(set(seen)) == 2 * SIZE + 5
    numbered = [name.split()[1] for name in seen if name.lower().startswith("school ")]
    assert numbered == sorted(numbered, reverse=sort == "newest")
    assert names(page.link("Previous").follow()) == seen[SIZE : 2 * SIZE]


def test_more_schools_need_no_more_statements(app: Flask) -> None:
    client = operator(app)
    client.get(SCHOOLS)
    with count_statements() as few:
        client.get(SCHOOLS)
    make_schools(*(f"School {number:03}" for number in range(SIZE)))
    with count_statements() as many:
        client.get(SCHOOLS)
    assert len(many) == len(few) <= 6, "\n".join(many)


def test_htmx_gets_the_list_alone(app: Flask) -> None:
    part = operator(app).partial(f"{SCHOOLS}?search=harbour")
    assert part.by_id("list") is not None
    assert names(part) == ["Harbour Aviation Academy"]
