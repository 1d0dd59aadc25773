"""An instructor's hours on the page: a week as a whole, single days, and what then lies outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.scheduling.models import AvailabilityException, AvailabilityRule, Resource
from app.scheduling.operations.availability import set_week
from app.scheduling.operations.resources import ensure_person_resource
from tests.cast import ADA, ANA, BEA, BO, HAL, IVY, LEO, MAX, OLGA, Person, actor, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.scheduling.bookings import make_booking

MY_HOURS = "/skyline/availability"
SAVE = "Save availability"


def resource_of(person: Person) -> int:
    with at_school(person.slug):
        return ensure_person_resource(member(person)).id


def hours_of(person: Person) -> list[tuple[int, int, int]]:
    with at_school(person.slug):
        mine = select(AvailabilityRule).where(AvailabilityRule.resource_id == resource_of(person))
        ordered = mine.order_by(AvailabilityRule.weekday, AvailabilityRule.start_minute)
        return [(rule.weekday, rule.start_minute, rule.end_minute) for rule in session.scalars(ordered)]


def days_of(person: Person) -> list[AvailabilityException]:
    with at_school(person.slug):
        mine = select(AvailabilityException).where(AvailabilityException.resource_id == resource_of(person))
        return list(session.scalars(mine.order_by(AvailabilityException.day)))


def trail(action: str) -> list[AuditEntry]:
    with at_school("skyline"):
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def a_day(page: Page, **fields: str) -> Page:
    soon = clock.today("America/Los_Angeles") + timedelta(days=30)
    return page.form("Add day").fill({"day": soon.isoformat(), **fields}).submit()


def test_an_instructor_adds_an_evening_and_sees_it_saved(app: Flask) -> None:
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    assert page.h1 == "When you teach"
    form = page.form(SAVE)
    assert (form.value("from_0_0"), form.value("to_0_0")) == ("09:00", "12:00")
    assert form.value("zone") == "America/Los_Angeles"
    page = form.fill(from_0_2="18:00", to_0_2="20:30").submit()
    assert page.status == 200
    assert "Saved " in page.words_of("flash")
    assert (0, 18 * 60, 20 * 60 + 30) in hours_of(BEA)
    assert page.form(SAVE).value("from_0_2") == "18:00"
    [entry] = trail("availability.changed")[-1:]
    assert [0, 1080, 1230] in entry.after["hours"]
    assert [0, 1080, 1230] not in entry.before["hours"]
    with at_school("skyline"):
        event = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id.desc()).limit(1)).one()
    assert (event.name, event.payload) == ("AvailabilityChanged", {"resource_id": resource_of(BEA)})


def test_each_day_shows_one_empty_row_until_it_has_three(app: Flask) -> None:
    form = LintingClient(app).sign_in(BEA).get(MY_HOURS).form(SAVE)
    monday = {name for name in form.names() if name.startswith("from_0_")}
    sunday = {name for name in form.names() if name.startswith("from_6_")}
    assert monday == {"from_0_0", "from_0_1", "from_0_2"}
    assert sunday == {"from_6_0"}


def test_emptied_rows_are_dropped_and_the_rest_stays(app: Flask) -> None:
    before = hours_of(BEA)
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    page.form(SAVE).fill(from_0_0="", to_0_0="").submit()
    assert hours_of(BEA) == [row for row in before if row != (0, 540, 720)]


def test_a_day_may_end_at_midnight(app: Flask) -> None:
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    page = page.form(SAVE).fill(from_6_0="22:00", to_6_0="00:00").submit()
    assert (6, 22 * 60, 24 * 60) in hours_of(BEA)
    assert page.form(SAVE).value("to_6_0") == "00:00"


def test_saving_what_is_there_leaves_no_trace(app: Flask) -> None:
    before = len(trail("availability.changed"))
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS).form(SAVE).submit()
    assert "Saved " in page.words_of("flash")
    assert len(trail("availability.changed")) == before


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"from_6_0": "12:00", "to_6_0": "09:00"}, "ends before it begins"),
        ({"from_6_0": "09:00", "to_6_0": ""}, "both times, or neither"),
        ({"from_6_0": "9 o'clock", "to_6_0": "10:00"}, "Write a time like 09:00."),
        ({"from_0_2": "11:30", "to_0_2": "13:30"}, "overlaps another row"),
    ],
)
def test_a_week_that_is_none_is_shown_again_as_typed(app: Flask, typed: dict[str, str], sentence: str) -> None:
    before = hours_of(BEA)
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    page = page.form(SAVE).fill({**typed, "from_1_0": "07:45"}).submit()
    assert page.status == 422
    assert sentence in page.words_of("week-errors")
    assert sentence in page.words_of("availability-week").replace(page.words_of("week-errors"), "")
    form = page.form(SAVE)
    assert form.value("from_1_0") == "07:45"
    assert all(form.value(name) == value for name, value in typed.items())
    assert hours_of(BEA) == before


def test_the_zone_is_chosen_and_kept(app: Flask) -> None:
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    page = page.form(SAVE).fill(zone="America/Denver").submit()
    assert page.form(SAVE).value("zone") == "America/Denver"
    assert "In America/Denver." in page.text


def test_an_unknown_zone_is_refused(app: Flask) -> None:
    client = LintingClient(app).sign_in(BEA)
    page = client.post(MY_HOURS, {"zone": "Mars/Olympus", "from_0_0": "09:00", "to_0_0": "10:00"})
    assert page.status == 422
    assert "Choose a time zone from the list." in page.words_of("week-errors")
    assert "Mars/Olympus" not in page.form(SAVE).choices("zone")
    assert len(hours_of(BEA)) > 1


def test_a_zone_kept_under_an_older_name_can_be_saved_again(app: Flask) -> None:
    with at_school("skyline"), app.test_request_context():
        set_week(ensure_person_resource(member(BEA)), [(0, 540, 600)], "US/Pacific", actor=actor(BEA))
        session.commit()
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    page = page.form(SAVE).fill(from_1_0="09:00", to_1_0="10:00").submit()
    assert page.form(SAVE).value("zone") == "US/Pacific"
    assert hours_of(BEA) == [(0, 540, 600), (1, 540, 600)]


def test_a_day_away_is_added_and_taken_back(app: Flask) -> None:
    before = len(days_of(BEA))
    page = a_day(LintingClient(app).sign_in(BEA).get(MY_HOURS), note="Wedding")
    assert "away all day" in page.words_of("availability-days")
    assert "Wedding" in page.text
    added = days_of(BEA)[-1]
    assert (added.is_open, added.start_minute, added.note) == (False, None, "Wedding")
    [entry] = trail("availability_exception.added")[-1:]
    assert entry.after["note"] == "changed"
    page = page.form("Remove", inside=f"availability-exception-{added.id}").submit()
    assert "Removed." in page.words_of("flash")
    assert len(days_of(BEA)) == before
    assert trail("availability_exception.removed")


def test_extra_hours_are_added(app: Flask) -> None:
    page = a_day(LintingClient(app).sign_in(BEA).get(MY_HOURS), kind="open", begins="18:00", ends="20:00")
    assert "extra hours 18:00–20:00" in page.text
    assert days_of(BEA)[-1].is_open


@pytest.mark.parametrize(
    ("typed", "sentence", "status"),
    [
        ({"day": ""}, "Choose a day.", 422),
        ({"day": "2020-02-02"}, "This day has passed.", 422),
        ({"day": "2090-02-02"}, "within the next two years", 422),
        ({"kind": "away"}, "Say from when to when.", 422),
        ({"kind": "open", "begins": "18:00"}, "both times, or neither", 422),
        ({"kind": "open", "begins": "18:00", "ends": "17:00"}, "ends before it begins", 422),
        ({"begins": "18:00", "ends": "19:00"}, "Away all day needs no times.", 422),
    ],
)
def test_a_day_that_is_none_is_shown_again_as_typed(
    app: Flask, typed: dict[str, str], sentence: str, status: int
) -> None:
    before = len(days_of(BEA))
    page = a_day(LintingClient(app).sign_in(BEA).get(MY_HOURS), note="Keep me", **typed)
    assert page.status == status
    assert sentence in page.words_of("day-errors")
    assert page.form("Add day").value("note") == "Keep me"
    assert len(days_of(BEA)) == before


def test_the_same_day_away_is_not_added_twice(app: Flask) -> None:
    page = a_day(LintingClient(app).sign_in(BEA).get(MY_HOURS))
    page = a_day(page)
    assert page.status == 409
    assert "in the list already" in page.words_of("day-errors")


def test_a_double_click_adds_one_day(app: Flask) -> None:
    before = len(days_of(BEA))
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    form = page.form("Add day").fill(day=(clock.today("UTC") + timedelta(days=40)).isoformat())
    assert form.submit().status == 200
    assert form.submit().status == 200
    assert len(days_of(BEA)) == before + 1


def test_bookings_left_outside_are_named_and_linked(app: Flask) -> None:
    """The change is saved, and the page keeps saying which bookings it leaves outside."""
    monday = clock.today("America/Los_Angeles") + timedelta(days=100)
    monday -= timedelta(days=monday.weekday())
    with at_school("skyline"):
        booking = make_booking(LEO, datetime.combine(monday, datetime.min.time(), UTC) + timedelta(hours=18), 60, BEA)
    client = LintingClient(app).sign_in(BEA)
    page = client.get(MY_HOURS)
    assert f"/skyline/bookings/{booking.id}" not in page.links().values()
    page = a_day(page, day=monday.isoformat())
    assert f"/skyline/bookings/{booking.id}" in page.links().values()
    assert "outside these hours" in page.words_of("availability-outside")
    assert "Leo Hart" in page.words_of("availability-outside")
    assert f"/skyline/bookings/{booking.id}" in client.get(MY_HOURS).links().values()


def test_an_instructor_without_hours_is_told_what_that_means(app: Flask) -> None:
    page = LintingClient(app).sign_in(BEA).get(MY_HOURS)
    form = page.form(SAVE)
    page = form.fill({name: "" for name in form.names() if name.startswith(("from_", "to_"))}).submit()
    assert "No hours are set yet" in page.text
    assert hours_of(BEA) == []


def test_an_admin_edits_another_instructor(app: Flask) -> None:
    page = LintingClient(app).sign_in(ANA).get(MY_HOURS, follow=True)
    assert page.h1 == "Instructors’ hours"
    assert "Bea Lindgren" in page.text
    page = page.link("Bo Castellano").follow()
    assert page.h1 == "When Bo Castellano teaches"
    here = [link for link in page.find_all(".//a") if link.get("aria-current") == "page"]
    assert {"".join(link.itertext()).strip() for link in here} == {"Instructors’ hours"}
    page = page.form(SAVE).fill(from_6_0="10:00", to_6_0="11:00").submit()
    assert page.h1 == "When Bo Castellano teaches"
    assert (6, 600, 660) in hours_of(BO)


def test_an_owner_has_a_week_of_their_own_and_the_others(app: Flask) -> None:
    page = LintingClient(app).sign_in(OLGA).get(MY_HOURS)
    assert page.h1 == "When you teach"
    assert page.link("All instructors").follow().h1 == "Instructors’ hours"


def test_an_instructor_keeps_only_their_own(app: Flask) -> None:
    client = LintingClient(app).sign_in(BEA)
    other, own = resource_of(BO), resource_of(BEA)
    single = days_of(BEA)[0]
    assert client.get(f"{MY_HOURS}/{own}").status == 200
    assert client.get(f"{MY_HOURS}/{other}").status == 403
    assert client.post(f"{MY_HOURS}/{other}", {"zone": "UTC"}).status == 403
    assert client.post(f"{MY_HOURS}/{other}/exceptions", {"once": "x" * 32}).status == 403
    assert client.get(f"{MY_HOURS}/instructors").status == 403
    bo = LintingClient(app).sign_in(BO, school="skyline")
    assert bo.post(f"{MY_HOURS}/exceptions/{single.id}/removal").status == 403
    assert bo.get(f"{MY_HOURS}/exceptions/{single.id}/removal").status == 403


def test_an_admin_who_does_not_teach_has_no_own_week_to_save(app: Flask) -> None:
    assert LintingClient(app).sign_in(ANA).post(MY_HOURS, {"zone": "UTC"}).status == 403


@pytest.mark.parametrize("person", [LEO, MAX])
def test_others_have_no_hours_to_keep(app: Flask, person: Person) -> None:
    client = LintingClient(app).sign_in(person)
    for path in (MY_HOURS, f"{MY_HOURS}/instructors", f"{MY_HOURS}/{resource_of(BEA)}"):
        assert client.get(path).status == 403


def test_what_is_another_schools_or_nothing_is_not_found(app: Flask) -> None:
    with at_school("harbour"):
        theirs = session.scalars(select(AvailabilityException.id)).first()
    with at_school("skyline"):
        plane = session.scalars(select(Resource.id).where(Resource.kind == "aircraft")).first()
    client = LintingClient(app).sign_in(ANA)
    for resource_id in (resource_of(IVY), resource_of(LEO), plane, 999_999):
        assert client.get(f"{MY_HOURS}/{resource_id}").status == 404
        assert client.post(f"{MY_HOURS}/{resource_id}", {"zone": "UTC"}).status == 404
        assert client.post(f"{MY_HOURS}/{resource_id}/exceptions", {"once": "x" * 32}).status == 404
    for exception_id in (theirs, 999_999):
        assert client.post(f"{MY_HOURS}/exceptions/{exception_id}/removal").status == 404
    assert LintingClient(app).sign_in(HAL).get(f"{MY_HOURS}/{resource_of(BEA)}").status == 404


def test_an_address_of_a_deed_leads_back_to_its_page(app: Flask) -> None:
    client = LintingClient(app).sign_in(BEA)
    single = days_of(BEA)[0]
    for path in (f"{MY_HOURS}/{resource_of(BEA)}/exceptions", f"{MY_HOURS}/exceptions/{single.id}/removal"):
        assert client.get(path, follow=True).h1 == "When you teach"


def test_wrong_verbs_are_refused(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    assert client.request("DELETE", MY_HOURS).status == 405
    assert client.post(f"{MY_HOURS}/instructors").status == 405


def test_the_pages_ask_little_of_the_database(app: Flask) -> None:
    client = LintingClient(app).sign_in(OLGA)
    client.get(MY_HOURS)
    for path in (MY_HOURS, f"{MY_HOURS}/instructors", f"{MY_HOURS}/{resource_of(BEA)}"):
        with count_statements() as statements:
            assert client.get(path).status == 200
        assert len(statements) <= 6, statements


def test_a_new_instructor_becomes_a_resource_on_the_first_visit(app: Flask) -> None:
    with at_school("skyline"):
        member(MAX).roles = ["instructor"]
        session.commit()
        mine = select(Resource.id).where(Resource.membership_id == member(MAX).id)
        assert session.scalars(mine).first() is None
    page = LintingClient(app).sign_in(MAX).get(MY_HOURS)
    assert page.h1 == "When you teach"
    with at_school("skyline"):
        assert session.scalars(mine).first()


# -- ways there ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "entry", "other", "h1"),
    [
        (BEA, "Availability", "Instructors’ hours", "When you teach"),
        (OLGA, "Availability", "Instructors’ hours", "When you teach"),
        (ANA, "Instructors’ hours", "Availability", "Instructors’ hours"),
    ],
)
def test_the_rail_leads_instructors_to_their_hours_and_admins_to_everybodys(
    app: Flask, person: Person, entry: str, other: str, h1: str
) -> None:
    home = LintingClient(app).sign_in(person).get("/skyline/")
    assert home.link(entry).follow().h1 == h1
    assert other not in home.links()


@pytest.mark.parametrize("person", [LEO, MAX, ADA])
def test_who_keeps_no_hours_is_not_led_there(app: Flask, person: Person) -> None:
    assert not {"Availability", "Instructors’ hours"} & set(LintingClient(app).sign_in(person).get("/skyline/").links())


def test_the_schools_page_leads_to_the_hours_of_all_instructors(app: Flask) -> None:
    for person in (ANA, OLGA):
        doors = LintingClient(app).sign_in(person).get("/skyline/school").find_all(".//ul[@class='doors']//a")
        words = {door.get("href"): " ".join("".join(door.itertext()).split()) for door in doors}
        assert words["/skyline/availability/instructors"].startswith("Instructors’ hours")
