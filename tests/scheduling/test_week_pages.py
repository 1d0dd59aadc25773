"""The school's week: all of it for staff, for a learner their own bookings and of others only that something is busy."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.foundation.db import session
from app.identity.models import Membership
from app.scheduling.models import Booking, Claim, Resource
from app.scheduling.queries.resources import list_aircraft
from app.tenants.queries import school_settings
from tests.cast import ADA, ANA, BEA, BO, HAL, LEO, LOU, MAX, MIA, OLGA, Person, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.scheduling.bookings import make_booking

ZONE = ZoneInfo("America/Los_Angeles")
MONDAY = date(date.today().year + 1, 6, 15) - timedelta(days=date(date.today().year + 1, 6, 15).weekday())
WEEK = f"/skyline/week?day={MONDAY}"


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def resource_named(name: str) -> int:
    return session.scalars(select(Resource.id).where(Resource.name == name)).one()


def blocks(page: Page) -> list[str]:
    """What each block of the week says, in order."""
    found = [item for item in page.find_all(".//li") if "blk" in (item.get("class") or "").split()]
    return [" ".join("".join(item.itertext()).split()) for item in found]


@pytest.mark.parametrize("person", [ANA, BEA, MAX, ADA, BO, OLGA])
def test_staff_see_every_booking_with_who_what_and_its_state(app: Flask, person: Person) -> None:
    with at_school("skyline"):
        assigned = make_booking(LEO, at(9), 90, BEA, "N123AB")
        make_booking(MIA, at(11), 60, BEA, status="requested")
        make_booking(MIA, at(14), 60, status="approved")
        make_booking(LEO, at(16), 60, BEA, status="cancelled")
        make_booking(LEO, at(17), 60, BEA, status="declined")
    page = LintingClient(app).sign_in(person, school="skyline").get(WEEK)
    assert blocks(page) == [
        "Leo Hart 09:00–10:30 Bea Lindgren, N123AB assigned",
        "Mia Okafor 11:00–12:00 Bea Lindgren requested",
        "Mia Okafor 14:00–15:00 no instructor yet approved",
    ]
    assert f"/skyline/bookings/{assigned.id}" in page.links().values()
    assert "Times in America/Los Angeles." in page.text


def test_a_learner_sees_their_own_and_that_others_are_busy(app: Flask) -> None:
    """The wall inside the school: neither names of learners nor ids of bookings that are not theirs reach the page."""
    with at_school("skyline"):
        own = make_booking(LEO, at(9), 60, BEA, "N123AB")
        asked = make_booking(LEO, at(13), 60, BEA, status="requested")
        others = [
            make_booking(MIA, at(10), 60, BEA, "N77KC"),
            make_booking(MIA, at(15), 60, BO, status="approved"),
            make_booking(MIA, at(13), 60, BEA, status="requested"),
            make_booking(MIA, at(16), 60, status="approved"),
        ]
        learners = set(session.scalars(select(Membership.name).where(Membership.roles.contains(["learner"]))))
    page = LintingClient(app).sign_in(LEO).get(WEEK)
    assert blocks(page) == [
        "Dual flight 09:00–10:00 Bea Lindgren, N123AB assigned",
        "Busy 10:00–11:00 Bea Lindgren, N77KC Busy",
        "Dual flight 13:00–14:00 Bea Lindgren requested",
        "Busy 15:00–16:00 Bo Castellano Busy",
    ]
    assert not [name for name in learners - {"Leo Hart"} if name in page.html]
    linked = {int(number) for number in re.findall(r"/bookings/(\d+)", page.html)}
    assert linked == {own.id, asked.id}
    assert not [booking.id for booking in others if f"booking-{booking.id}" in page.html]


def test_a_learner_narrows_the_week_to_one_instructor_and_sees_when_they_teach(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(MIA, at(10), 60, BEA, "N77KC")
        make_booking(MIA, at(15), 60, BO, "N123AB")
        bea = resource_named("Bea Lindgren")
    page = LintingClient(app).sign_in(LEO).get(f"{WEEK}&resource={bea}")
    assert blocks(page) == ["Busy 10:00–11:00 Bea Lindgren Busy"]
    assert "Open 09:00–12:00" in page.text
    assert "Open" not in LintingClient(app).sign_in(LEO).get(WEEK).words_of("list")


def test_a_learner_cannot_narrow_the_week_to_another_learner(app: Flask) -> None:
    with at_school("skyline"):
        mia = resource_named("Mia Okafor")
    page = LintingClient(app).sign_in(LEO).get(f"{WEEK}&resource={mia}")
    assert page.status == 400
    assert "Mia" not in page.html


def test_staff_narrow_the_week_by_resource_and_by_kind(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(9), 60, BEA, "N123AB")
        make_booking(MIA, at(10), 60, BO, "N77KC")
        make_booking(MIA, at(12), 60, BEA)
        plane, bo = resource_named("N77KC"), resource_named("Bo Castellano")
    client = LintingClient(app).sign_in(ANA)
    assert [text[:10] for text in blocks(client.get(f"{WEEK}&kind=aircraft"))] == ["Leo Hart 0", "Mia Okafor"]
    assert blocks(client.get(f"{WEEK}&resource={plane}")) == blocks(client.get(f"{WEEK}&resource={bo}&kind=instructor"))
    form = client.get(f"{WEEK}&resource={plane}").form("Narrow the week")
    assert form.value("resource") == str(plane)
    assert form.value("day") == MONDAY.isoformat()
    assert len(blocks(form.fill(resource="").submit())) == 3


def test_a_request_at_night_makes_nobody_s_week_longer_and_is_still_seen(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(3), 60, status="requested")
    for person in (ANA, LEO):
        page = LintingClient(app).sign_in(person).get(WEEK)
        assert "--hours:14" in page.html
        [block] = [item for item in page.find_all(".//li") if "blk" in (item.get("class") or "").split()]
        assert "early" in (block.get("class") or "").split()
        assert "--at:0" in (block.get("style") or "")
        assert "03:00–04:00" in "".join(block.itertext())
    with at_school("skyline"):
        make_booking(MIA, at(5), 60, BEA)
    assert "--hours:16" in LintingClient(app).sign_in(LEO).get(WEEK).html


def test_one_walks_from_week_to_week_and_back_to_this_one(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(9), 60, BEA)
        bea = resource_named("Bea Lindgren")
    client = LintingClient(app).sign_in(ANA)
    page = client.get(f"{WEEK}&resource={bea}")
    after = page.link("Next week").follow()
    assert blocks(after) == []
    back = after.link("Previous week").follow()
    assert back.h1 == page.h1
    assert back.form("Narrow the week").value("resource") == str(bea)
    now = back.link("This week").follow()
    assert now.find(".//a[@aria-current='date']") is not None


def test_today_is_marked_and_the_line_is_now(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    with time_machine.travel(at(10, 30), tick=False):
        page = LintingClient(app).sign_in(ANA).get("/skyline/week")
    [today] = [h2 for h2 in page.find_all(".//h2") if h2.get("aria-current") == "date"]
    assert (today.get("aria-label") or "").startswith("Monday")
    [line] = [item for item in page.find_all(".//li") if item.get("class") == "week-now"]
    assert "--at:210" in (line.get("style") or "")
    assert not [h2 for h2 in client.get(WEEK).find_all(".//h2") if h2.get("aria-current") == "date"]


def test_the_reader_s_own_zone_is_used_and_named(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(22, 30), 60, BEA)
        member(LEO).zone = "America/New_York"
        session.commit()
    page = LintingClient(app).sign_in(LEO).get(WEEK)
    assert "Times in America/New York." in page.text
    assert blocks(page) == ["Dual flight 01:30–02:30 Bea Lindgren assigned"]


def test_a_flight_past_midnight_shows_on_both_days_and_in_both_weeks(app: Flask) -> None:
    sunday = MONDAY + timedelta(days=6)
    with at_school("skyline"):
        make_booking(LEO, at(23, day=sunday), 120, BEA)
    client = LintingClient(app).sign_in(ANA)
    for monday in (MONDAY, MONDAY + timedelta(days=7)):
        assert [text.split(" Bea")[0] for text in blocks(client.get(f"/skyline/week?day={monday}"))] == [
            "Leo Hart Sun 23:00 – Mon 01:00"
        ]


def test_the_days_on_which_clocks_change_are_pointed_out(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    assert "Clocks go forward on Sunday 14 March" in client.get("/skyline/week?day=2027-03-10").text
    assert "Clocks go back on Sunday 7 November" in client.get("/skyline/week?day=2027-11-02").text
    assert "Clocks go" not in client.get(WEEK).text


def test_the_week_as_a_list_has_the_same_in_it(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(9), 60, BEA)
    client = LintingClient(app).sign_in(ANA)
    assert blocks(client.get(f"{WEEK}&view=list")) == blocks(client.get(WEEK))
    assert "week-as-list" in client.get(f"{WEEK}&view=list").html


def test_htmx_gets_the_same_week_without_its_frame(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(9), 60, BEA)
    client = LintingClient(app).sign_in(ANA)
    part = client.partial(WEEK)
    assert blocks(part) == blocks(client.get(WEEK))
    assert not part.is_whole
    assert part.title.startswith("Week ")


@pytest.mark.parametrize("query", ["day=soon", "day=2026-02-30", "day=0001-01-01", "resource=999999", "kind=spaceship"])
def test_nonsense_in_the_address_is_refused_in_words(app: Flask, query: str) -> None:
    assert LintingClient(app).sign_in(ANA).get(f"/skyline/week?{query}").status == 400


def test_the_week_is_its_schools_and_members_only(app: Flask) -> None:
    with at_school("skyline"):
        make_booking(LEO, at(9), 60, BEA, "N123AB")
    assert LintingClient(app).get(WEEK).status == 303
    for stranger in (HAL, LOU):
        client = LintingClient(app).sign_in(stranger)
        assert client.get(WEEK).status == 404
        assert "N123AB" not in client.get(WEEK.replace("skyline", "harbour")).html
    assert LintingClient(app).sign_in(ANA).post(WEEK).status == 405


def test_two_hundred_bookings_cost_as_many_statements_as_none(app: Flask) -> None:
    with at_school("skyline"):
        planes = [one.name for one in list_aircraft()]
        learners = session.scalars(select(Resource).where(Resource.kind == "person")).all()
        bea, plane = resource_named("Bea Lindgren"), resource_named(planes[0])
        for number in range(200):
            start = at(8) + timedelta(days=number % 7, minutes=3 * number)
            booking = Booking(
                learner_id=learners[number % len(learners)].membership_id, status="requested", starts_at=start,
                ends_at=start + timedelta(hours=1), claims=[],
            )  # fmt: skip
            during = Range(start, start + timedelta(hours=1), bounds="[)")
            for role, resource_id in (
                ("learner", learners[number % len(learners)].id),
                ("instructor", bea),
                ("aircraft", plane),
            ):
                booking.claims.append(Claim(role=role, resource_id=resource_id, state="soft", during=during))
            session.add(booking)
        session.commit()
    for person in (ANA, LEO):
        client = LintingClient(app).sign_in(person)
        client.get(WEEK)
        with count_statements() as statements:
            page = client.get(f"{WEEK}&resource={bea}")
        assert len(statements) <= 6, statements
        assert page.status == 200
    assert len(blocks(LintingClient(app).sign_in(ANA).get(WEEK))) == 200


def test_a_closed_day_says_so_instead_of_looking_free(app: Flask) -> None:
    with at_school("skyline"):
        school_settings().closed_days = [MONDAY]
        school_settings().opening_hours = {str(day): [480, 1200] for day in range(5)}
        make_booking(LEO, at(9), 60, BEA, "N123AB")
        session.commit()
    page = LintingClient(app).sign_in(ANA).get(WEEK)
    monday, tuesday, *_rest, sunday = ("".join(day.itertext()) for day in page.find_all(".//section[@class]"))
    assert "School closed" in monday
    assert "Leo Hart" in monday
    assert "School closed" not in tuesday
    assert "School closed" in sunday
    assert "Nothing booked" not in sunday
