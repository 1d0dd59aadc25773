"""The pages of bookings, with script off: who may see and do what, and what the answers say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from app.foundation import tenancy
from app.foundation.db import session
from app.scheduling.models import AvailabilityRule, Booking
from app.scheduling.operations.deciding import approve_booking, decline_booking
from app.scheduling.operations.ending import cancel_booking
from app.scheduling.operations.resources import add_aircraft
from app.scheduling.queries.bookings import QUEUE_SIZE
from app.scheduling.queries.resources import list_instructors
from app.tenants.queries import school_settings
from tests.cast import ADA, ANA, BEA, HAL, IVY, LEO, LOU, MAX, MIA, OLGA, Person, actor, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.scheduling.booking_makers import (
    aircraft,
    an_hour,
    make_assigned,
    make_request,
    move_to_the_past,
    person,
    states,
    work_only,
)

Browse = Callable[[Person], LintingClient]
SCHOOL_ZONE = ZoneInfo("America/Los_Angeles")
DEEDS = ("approval", "assignment", "decline", "cancellation", "completion")
MOST_STATEMENTS = 6


@pytest.fixture(autouse=True)
def skyline(app: Flask) -> Iterator[None]:
    with at_school("skyline"):
        yield


class CommittingClient(LintingClient):
    """A request begins with a new session: what the test has written until then is committed first."""

    def sign_in(self, person: Person, school: str | None = None) -> LintingClient:
        session.commit()
        return super().sign_in(person, school)

    def request(self, *args: Any, **more: Any) -> Page:
        session.commit()
        return super().request(*args, **more)


@pytest.fixture
def browse(app: Flask) -> Browse:
    return lambda who: CommittingClient(app).sign_in(who)


def status_of(booking: Booking) -> str:
    return str(session.query(Booking.status).filter_by(id=booking.id).scalar())


def typed(days: int = 0, **over: object) -> dict[str, object]:
    """What a learner types for an hour with Bea."""
    local = an_hour(days).astimezone(SCHOOL_ZONE)
    return {
        "day": local.date().isoformat(), "time": local.strftime("%H:%M"), "minutes": "60", "activity": "dual_flight",
        "instructor": str(person(BEA).id), "note": "", **over,
    }  # fmt: skip


def ask(browser: LintingClient, **over: object) -> Page:
    return browser.get("/skyline/bookings/new").form("Request lesson").fill(typed(**over)).submit()  # type: ignore[arg-type]


def clear_the_queue() -> None:
    """Leave nothing waiting but what the test makes."""
    for booking in session.query(Booking).filter(Booking.status.in_(("requested", "approved"))):
        booking.status, booking.reason = "cancelled", "test"
        for claim in booking.claims:
            claim.state = "released"
    session.flush()


# -- lists ---------------------------------------------------------------------------------------------------------


def whose(page: Page) -> set[str]:
    """The learners of the bookings or requests that a page shows."""
    return {name for name in ("Leo Hart", "Mia Okafor") if name in page.text}


def test_staff_find_a_booking_by_its_learner_its_instructor_and_its_aircraft(browse: Browse) -> None:
    clear_the_queue()
    make_assigned(LEO)
    make_request(MIA, wished=None)
    ana = browse(ANA)
    listed = ana.get("/skyline/bookings?status=requested")
    assert "Mia Okafor" in listed.text
    for search, found in (
        ("leo har", True), ("HART", True), ("lindgren", True), ("n1te", True), ("okafor", False), ("n9", False),
    ):  # fmt: skip
        with count_statements() as statements:
            page = ana.get(f"/skyline/bookings?status=assigned&search={search}&sort=latest")
        assert len(statements) <= MOST_STATEMENTS
        assert ("Leo Hart" in page.text) is found, search
    nothing = ana.get("/skyline/bookings?search=zeppelin")
    assert "No booking matches" in nothing.text
    assert nothing.link("Clear the filters").follow().status == 200


def test_a_learner_searches_their_own_bookings_and_no_others(browse: Browse) -> None:
    make_assigned(LEO)
    make_assigned(MIA, at=an_hour(days=1))
    leo = browse(LEO)
    page = leo.get("/skyline/bookings").form("Apply").fill(search="lindgren", when="coming").submit()
    rows = page.find_all(".//tbody/tr")
    assert rows
    mine = {row.id for row in session.query(Booking.id).filter_by(learner_id=member(LEO).id)}
    assert {int((row.get("id") or "").rpartition("-")[2]) for row in rows} <= mine
    assert "No booking matches" in leo.get("/skyline/bookings?search=okafor").text


def test_the_queue_is_narrowed_searched_and_sorted(browse: Browse) -> None:
    clear_the_queue()
    early, late = make_request(MIA, at=an_hour(days=1)), make_request(LEO, at=an_hour())
    early.requested_at -= timedelta(hours=3)
    approve_booking(late, actor=actor(ANA))
    ana = browse(ANA)
    queue = ana.get("/skyline/requests")
    assert queue.text.index("Mia Okafor") < queue.text.index("Leo Hart")
    soonest = queue.form("Apply").fill(sort="soonest").submit()
    assert soonest.text.index("Leo Hart") < soonest.text.index("Mia Okafor")
    for query, found in (
        ("status=requested", {"Mia Okafor"}), ("status=approved", {"Leo Hart"}), ("status=escalated", set()),
        ("search=okaf", {"Mia Okafor"}), ("search=lindgren", {"Leo Hart", "Mia Okafor"}), ("search=x%25", set()),
    ):  # fmt: skip
        with count_statements() as statements:
            page = ana.get(f"/skyline/requests?{query}")
        assert len(statements) <= MOST_STATEMENTS
        assert whose(page) == found, query
        assert ("No request matches" in page.text) is not bool(found)
    session.query(Booking).filter_by(learner_id=member(MIA).id).update({"escalations": 1})
    assert whose(ana.get("/skyline/requests?status=escalated")) == {"Mia Okafor"}
    nothing = ana.get("/skyline/requests?search=zeppelin")
    assert whose(nothing.link("Show all requests").follow()) == {"Leo Hart", "Mia Okafor"}
    assert ana.get("/skyline/requests?status=completed").status == 400


def test_the_queue_sorted_by_lesson_has_pages_too(browse: Browse) -> None:
    clear_the_queue()
    for number in range(QUEUE_SIZE + 2):
        make_request(MIA, at=an_hour(days=number))
    page = browse(ANA).get("/skyline/requests?sort=soonest&search=okafor")
    assert page.html.count('class="request"') == QUEUE_SIZE
    last = page.link("Next").follow()
    assert last.html.count('class="request"') == 2
    for _ in range(2):
        last = last.form("Approve").submit()
        assert "search=okafor" in last.path
    assert "sort=soonest" in last.path


# -- asking --------------------------------------------------------------------------------------------------------


def test_a_learner_asks_and_sees_the_request(browse: Browse) -> None:
    page = ask(browse(LEO), note="Steep turns")
    assert page.status == 200
    assert "Your request is in." in page.text
    for words in ("Leo Hart", "Bea Lindgren", "Steep turns", "requested", "Dual flight", "PST"):
        assert words in page.text
    listed = browse(LEO).get("/skyline/bookings")
    assert "Bea Lindgren" in listed.text


def test_the_reply_tells_who_else_asks_and_that_it_is_outside_the_hours(browse: Browse) -> None:
    make_request(MIA)
    work_only(BEA, 13 * 60, 17 * 60)
    page = ask(browse(LEO))
    assert "1 other has asked for this hour." in page.text
    assert "outside the instructor's hours" in page.text


def open_the_school(opens: int, closes: int, *closed: date) -> None:
    """Opening hours on every day, in minutes after midnight, and the days on which it is closed."""
    settings = school_settings()
    settings.opening_hours = {str(day): [opens, closes] for day in range(7)}
    settings.closed_days = list(closed)
    session.flush()


def test_who_asks_twice_for_a_time_is_told_of_their_other_request(browse: Browse) -> None:
    other = make_request(LEO, wished=None, at=an_hour() + timedelta(minutes=30))
    page = ask(browse(LEO))
    assert page.status == 200
    local = other.starts_at.astimezone(SCHOOL_ZONE)
    assert f"You have also asked for {local:%a} {local.day} {local:%b, %H:%M}" in page.text
    again = browse(LEO).get(f"/skyline/bookings/{other.id}").text
    assert "You have also asked for" in again
    assert "with Bea Lindgren." in again


def test_a_silly_hour_without_a_preference_gets_the_hint_too(browse: Browse) -> None:
    open_the_school(8 * 60, 20 * 60)
    page = ask(browse(LEO), instructor="", time="03:00")
    assert page.status == 200
    assert "It is outside the school's opening hours" in page.text
    fine = ask(browse(MIA), instructor="")
    assert "opening hours" not in fine.text


def test_a_day_on_which_the_school_is_closed_gets_the_hint(browse: Browse) -> None:
    open_the_school(0, 1440, an_hour().astimezone(SCHOOL_ZONE).date())
    assert "outside the school's opening hours" in ask(browse(LEO), instructor="").text


def test_a_school_that_says_no_hours_goes_by_its_instructors_(browse: Browse) -> None:
    open_the_school(0, 1440)
    for who in list_instructors():
        session.query(AvailabilityRule).filter_by(resource_id=who.id).delete()
    assert "No instructor teaches" not in ask(browse(LEO), instructor="", time="03:00").text
    for who in list_instructors():
        hours = {"start_minute": 540, "end_minute": 1020, "zone": "America/Los_Angeles"}
        session.add_all(AvailabilityRule(resource_id=who.id, weekday=day, **hours) for day in range(7))
    school_settings().opening_hours = {}
    session.flush()
    booking = session.query(Booking).filter_by(status="requested").order_by(Booking.id.desc()).first()
    assert booking
    assert "No instructor teaches at that time" in browse(LEO).get(f"/skyline/bookings/{booking.id}").text
    assert "Outside the hours of every instructor" in browse(ANA).get(f"/skyline/bookings/{booking.id}").text


def test_the_queue_never_calls_an_instructor_free_outside_of_their_hours(browse: Browse) -> None:
    clear_the_queue()
    work_only(BEA, 9 * 60, 17 * 60)
    make_request(MIA, at=an_hour(hour=10))
    text = browse(ANA).get("/skyline/requests").text
    assert "Outside the hours of Bea Lindgren" in text
    assert "Bea Lindgren is free" not in text


def test_a_note_that_is_too_long_is_kept_whole_and_its_length_said(browse: Browse) -> None:
    form = browse(LEO).get("/skyline/bookings/new").form("Request lesson")
    note = "Crosswind landings. " * 30
    page = form.fill(typed(note=note)).submit()
    assert page.status == 422
    assert f"Write at most 500 characters. These are {len(note.strip())}." in page.text
    assert page.form("Request lesson").value("note").strip() == note.strip()
    assert "maxlength" not in page.html


def test_a_line_s_end_counts_as_one_character(browse: Browse) -> None:
    page = ask(browse(LEO), note="a\r\n" * 249 + "ab")
    assert page.status == 200


def test_what_was_typed_is_kept_where_a_field_is_wrong(browse: Browse) -> None:
    form = browse(LEO).get("/skyline/bookings/new").form("Request lesson")
    page = form.fill(typed(note="Crosswind", time="")).submit()
    assert page.status == 422
    assert "Choose a time." in page.text
    again = page.form("Request lesson")
    assert again.value("note") == "Crosswind"
    assert again.value("instructor") == str(person(BEA).id)
    assert again.fill(typed(note="Crosswind")).submit().status == 200


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"minutes": "20"}, "Not a valid choice"),
        ({"time": "10:07"}, "quarter hour"),
        ({"day": "2020-01-07"}, "This time has passed"),
        ({"day": "2026-13-77"}, "Not a valid date"),
        ({"note": "x" * 501}, "at most 500"),
        ({"activity": "party"}, "Not a valid choice"),
    ],
)
def test_wrong_input_is_answered_422_with_a_sentence(browse: Browse, over: dict[str, str], sentence: str) -> None:
    browser = browse(LEO)
    data = {**browser.get("/skyline/bookings/new").form("Request lesson").data().to_dict(), **typed(**over)}
    page = browser.post("/skyline/bookings", data)
    assert page.status == 422
    assert sentence in page.text


def test_a_time_that_the_clocks_skip_is_refused(browse: Browse) -> None:
    page = ask(browse(LEO), day="2027-03-14", time="02:30")
    assert page.status == 422
    assert "clocks go forward" in page.text


def test_a_learner_who_is_booked_is_offered_the_next_free_times(browse: Browse) -> None:
    work_only(BEA, 9 * 60, 17 * 60)
    approve_booking(make_request(LEO), actor=actor(ANA))
    browser = browse(LEO)
    page = ask(browser, note="Again")
    assert page.status == 409
    assert "You are booked then" in page.text
    assert page.form("Request lesson").value("note") == "Again"
    free = next(href for words, href in page.links().items() if "/bookings/new?" in href and ":" in words)
    offered = browser.get(free).form("Request lesson")
    assert offered.value("instructor") == str(person(BEA).id)
    assert offered.submit().status == 200


def test_a_double_click_asks_once(browse: Browse) -> None:
    browser = browse(LEO)
    data = browser.get("/skyline/bookings/new").form("Request lesson").fill(typed()).data()
    first, second = browser.post("/skyline/bookings", data), browser.post("/skyline/bookings", data)
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert session.query(Booking).filter_by(starts_at=an_hour()).count() == 1


def test_a_link_fills_the_form_and_a_broken_one_does_not_break_it(browse: Browse) -> None:
    browser = browse(LEO)
    at = an_hour().isoformat().replace("+", "%2B")
    form = browser.get(f"/skyline/bookings/new?at={at}&instructor={person(BEA).id}&minutes=45").form("Request lesson")
    assert form.value("time") == an_hour().astimezone(SCHOOL_ZONE).strftime("%H:%M")
    assert form.value("minutes") == "45"
    assert browser.get("/skyline/bookings/new?at=soon&instructor=9999999&minutes=x").status == 200


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00%2B23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"])
def test_a_link_to_a_time_beyond_all_calendars_is_no_time(browse: Browse, at: str) -> None:
    assert browse(LEO).get(f"/skyline/bookings/new?at={at}").form("Request lesson").value("day") < "2200"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_beyond_all_calendars_is_refused_where_it_was_typed(browse: Browse, day: str) -> None:
    page = ask(browse(LEO), day=day, time="23:45")
    assert page.status == 422
    assert "within the next 180 days" in page.text
    assert page.form("Request lesson").value("day") == day


def test_times_are_read_in_the_zone_of_the_person_and_the_zone_is_named(browse: Browse) -> None:
    from tests.cast import member

    member(LEO).zone = "Europe/London"
    session.flush()
    browser = browse(LEO)
    assert "Europe/London" in browser.get("/skyline/bookings/new").text
    ask(browser, time="18:00", day=an_hour().date().isoformat())
    booking = session.query(Booking).order_by(Booking.id.desc()).first()
    assert booking
    assert booking.starts_at == an_hour()


# -- the queue -----------------------------------------------------------------------------------------------------


def test_an_admin_approves_then_assigns(browse: Browse) -> None:
    clear_the_queue()
    booking = make_request()
    aircraft()
    browser = browse(ANA)
    page = browser.get("/skyline/requests").form("Approve").submit()
    assert "Approved." in page.text
    assert "0 requests · 1 approved without assignment" in page.text
    form = page.form("Assign")
    assert form.value("instructor") == str(person(BEA).id)
    page = form.fill(craft=str(aircraft().id)).submit()
    assert "Nothing waits for you" in page.text
    assert status_of(booking) == "assigned"
    assert browser.get(f"/skyline/bookings/{booking.id}").words_of("facts") == "Facts"


def test_the_queue_says_what_speaks_against_a_request(browse: Browse) -> None:
    clear_the_queue()
    work_only(BEA, 9 * 60, 17 * 60)
    approve_booking(make_request(LEO), actor=actor(ANA))
    make_request(MIA)
    make_request(MIA, at=an_hour(hour=10))
    text = browse(ANA).get("/skyline/requests").text
    assert "Bea Lindgren is booked then" in text
    assert "Mia Okafor is free" in text
    assert "1 other has asked for this hour" in text
    assert "Outside the hours of Bea Lindgren" in text


def test_the_loser_is_answered_409_with_the_sentence_and_the_next_times(browse: Browse) -> None:
    clear_the_queue()
    late = make_request(MIA)
    browser = browse(ANA)
    card = browser.get("/skyline/requests")
    approve_booking(make_request(LEO), actor=actor(ANA))
    plain = card.form("Approve", inside=f"booking-card-{late.id}").submit(follow=False)
    assert plain.status == 409
    assert "That slot was booked a moment ago. The next free one is " in plain.text
    assert any("/skyline/week?day=" in href for href in plain.links().values())
    swapped = card.form("Approve", inside=f"booking-card-{late.id}").submit(partial=True, follow=False)
    assert swapped.status == 409
    assert swapped.by_id(f"booking-card-{late.id}") is not None
    assert "That slot was booked a moment ago." in swapped.text
    assert states(late) == {"learner": "soft", "instructor": "soft"}


def test_a_partial_decision_swaps_the_card_and_the_counts(browse: Browse) -> None:
    clear_the_queue()
    booking = make_request()
    plane = aircraft()
    browser = browse(ANA)
    page = browser.get("/skyline/requests").form("Approve").submit(partial=True)
    assert page.status == 200
    assert page.by_id(f"booking-card-{booking.id}") is not None
    assert "1 approved without assignment" in page.text
    assert "Approved." in page.text
    done = page.form("Assign").fill(craft=str(plane.id)).submit(partial=True)
    assert "Assigned." in done.text
    assert "0 approved without assignment" in done.text
    assert done.link("Open booking")


def test_declining_wants_a_reason_and_keeps_the_queue(browse: Browse) -> None:
    clear_the_queue()
    booking = make_request()
    browser = browse(ANA)
    page = browser.get("/skyline/requests").form("Decline request").submit()
    assert page.status == 422
    assert "Give a reason" in page.text
    page = page.form("Decline request").fill(reason="No aircraft").submit()
    assert "Declined." in page.text
    assert "Nothing waits for you" in page.text
    assert "No aircraft" in browse(LEO).get(f"/skyline/bookings/{booking.id}").text


def test_an_assignment_without_aircraft_is_refused_in_place(browse: Browse) -> None:
    clear_the_queue()
    booking = make_request()
    aircraft()
    page = browse(ANA).get("/skyline/requests").form("Approve and assign").fill(craft="").submit(partial=True)
    assert page.status == 409
    assert "A dual flight needs an aircraft." in page.text
    assert page.form("Approve and assign").value("instructor") == str(person(BEA).id)
    assert status_of(booking) == "requested"


def test_an_escalated_request_is_marked(browse: Browse) -> None:
    clear_the_queue()
    booking = make_request()
    booking.escalations = 1
    page = browse(ANA).get("/skyline/requests")
    assert "escalated" in page.words_of(f"booking-card-{booking.id}")
    assert "1 escalated" in page.text


def test_the_queue_is_empty_and_says_what_next(browse: Browse) -> None:
    clear_the_queue()
    page = browse(ANA).get("/skyline/requests")
    assert page.link("Open the week").href.startswith("/skyline/week")


# -- one booking ---------------------------------------------------------------------------------------------------


def test_staff_read_who_did_what_and_the_learner_a_plain_history(browse: Browse) -> None:
    booking = approve_booking(make_request(), actor=actor(ANA))
    path = f"/skyline/bookings/{booking.id}"
    assert "Approved Ana Ruiz" in browse(BEA).get(path).text
    learner = browse(LEO).get(path).text
    assert "Approved" in learner
    assert "Ana Ruiz" not in learner


def test_a_learner_cancels_their_own(browse: Browse) -> None:
    booking = make_assigned()
    page = browse(LEO).get(f"/skyline/bookings/{booking.id}").form("Yes, cancel booking").fill(reason="Ill").submit()
    assert "Cancelled. The time is free again." in page.text
    assert "Ill" in page.text


def test_the_instructor_completes_after_it_began(browse: Browse) -> None:
    booking = make_assigned()
    browser = browse(BEA)
    path = f"/skyline/bookings/{booking.id}"
    assert "Complete booking" not in browser.get(path).text
    assert browser.post(f"{path}/completion").status == 409
    move_to_the_past(session.get_one(Booking, booking.id))
    assert "completed" in browser.get(path).form("Complete booking").submit().text


def test_another_instructor_neither_completes_nor_cancels(browse: Browse) -> None:
    booking = move_to_the_past(make_assigned())
    browser = browse(Person("both@skyline.example", "skyline"))
    assert browser.get(f"/skyline/bookings/{booking.id}").status == 200
    assert browser.post(f"/skyline/bookings/{booking.id}/completion").status == 403
    assert browser.post(f"/skyline/bookings/{booking.id}/cancellation").status == 403


def test_opening_the_address_of_a_deed_shows_the_booking(browse: Browse) -> None:
    booking = make_request()
    for deed in DEEDS:
        answer = browse(LEO).get(f"/skyline/bookings/{booking.id}/{deed}")
        assert (answer.status, answer.location) == (303, f"/skyline/bookings/{booking.id}")
        assert browse(MIA).get(f"/skyline/bookings/{booking.id}/{deed}").status == 404


# -- the list ------------------------------------------------------------------------------------------------------


def test_a_learner_sees_only_their_own(browse: Browse) -> None:
    make_request(MIA)
    own = make_request(LEO)
    page = browse(LEO).get("/skyline/bookings?when=all")
    assert "Mia" not in page.text
    assert f"/skyline/bookings/{own.id}" in page.links().values()


def test_an_instructor_sees_theirs_and_an_admin_all(browse: Browse) -> None:
    make_request(MIA, wished=OLGA, at=an_hour())
    make_request(LEO, wished=BEA, at=an_hour())
    assert "Mia Okafor" not in browse(BEA).get("/skyline/bookings?sort=latest").text
    assert "Leo Hart" in browse(BEA).get("/skyline/bookings?sort=latest").text
    text = browse(ANA).get("/skyline/bookings?sort=latest").text
    assert "Mia Okafor" in text
    assert "Leo Hart" in text


def test_the_list_is_narrowed_searched_and_sorted_in_the_address(browse: Browse) -> None:
    declined = make_request(MIA)
    approve_booking(make_request(LEO), actor=actor(ANA))
    browser = browse(ANA)
    found = browser.get("/skyline/bookings?status=approved&search=le%C3%B3").text
    assert "Leo Hart" in found
    assert "Mia Okafor" not in found
    assert f"/skyline/bookings/{declined.id}" in browser.get("/skyline/bookings?search=okafor").links().values()
    assert browser.get("/skyline/bookings?search=nobody-at-all").link("Clear the filters")
    for path in ("?when=past", "?when=all&sort=latest", "?sort=asked&source=web"):
        assert browser.get(f"/skyline/bookings{path}").status == 200
    for path in ("?status=gone", "?sort=size", "?cursor=abc"):
        assert browser.get(f"/skyline/bookings{path}").status == 400


def test_pages_follow_one_another(browse: Browse) -> None:
    for number in range(30):
        make_request(LEO, at=an_hour(number // 4, hour=14 + number % 4))
    browser = browse(LEO)
    first = browser.get("/skyline/bookings")
    second = first.link("Next").follow()
    ids = [e.get("id") for page in (first, second) for e in page.find_all(".//tr") if e.get("id")]
    assert len(ids) == len(set(ids)) >= 30
    assert second.link("Previous").follow().status == 200


def test_coming_is_what_may_still_take_place(browse: Browse) -> None:
    """What was declined or cancelled is not coming, whenever it would have been."""
    waits = make_request(LEO)
    off = cancel_booking(make_request(LEO, at=an_hour(1)), reason="Ill", actor=actor(LEO))
    no = decline_booking(make_request(LEO, at=an_hour(2)), reason="Fog", actor=actor(ANA))
    browser = browse(LEO)

    def shown(query: str) -> set[int]:
        links = browser.get(f"/skyline/bookings?{query}").links().values()
        return {one.id for one in (waits, off, no) if f"/skyline/bookings/{one.id}" in links}

    assert shown("sort=latest") == {waits.id}
    assert shown("when=coming&sort=latest") == {waits.id}
    assert shown("when=past&sort=latest") == {off.id, no.id}
    assert shown("when=all&sort=latest") == {waits.id, off.id, no.id}
    assert shown("status=declined&sort=latest") == {no.id}
    assert shown("status=cancelled&when=coming&sort=latest") == {off.id}


# -- rights --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "may", "may_not"),
    [
        ("/skyline/bookings", [LEO, BEA, ANA, MAX, ADA], []),
        ("/skyline/bookings/new", [LEO], [BEA, ANA, MAX]),
        ("/skyline/requests", [ANA, OLGA], [LEO, BEA, MAX, ADA]),
    ],
)
def test_pages_need_their_right(browse: Browse, path: str, may: list[Person], may_not: list[Person]) -> None:
    for who in may:
        assert browse(who).get(path).status == 200
    for who in may_not:
        assert browse(who).get(path).status == 403
    for who in (HAL, IVY, LOU):
        assert browse(who).get(path).status == 404


def test_a_booking_is_found_by_those_who_may_know_of_it(browse: Browse) -> None:
    path = f"/skyline/bookings/{make_request(LEO).id}"
    for who in (LEO, BEA, ANA, MAX, ADA):
        assert browse(who).get(path).status == 200
    for who in (MIA, LOU, HAL):
        assert browse(who).get(path).status == 404
    assert browse(HAL).get(path.replace("skyline", "harbour")).status == 404
    assert browse(ANA).get("/skyline/bookings/999999999").status == 404
    assert browse(ANA).get("/skyline/bookings/99999999999999999999999").status == 404
    assert browse(ANA).get("/skyline/bookings/x").status == 404
    assert browse(ANA).post(path).status == 405


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_needs_its_right(browse: Browse, deed: str) -> None:
    booking = make_request(LEO)
    path = f"/skyline/bookings/{booking.id}/{deed}"
    for who in (MAX, ADA):
        assert browse(who).post(path).status == 403
    assert browse(LOU).post(path).status == 404
    assert browse(HAL).post(path.replace("skyline", "harbour")).status == 404
    learner = browse(MIA).post(path).status
    assert learner == (404 if deed == "cancellation" else 403)
    if deed != "cancellation":
        assert browse(LEO).post(path).status == 403
    assert status_of(booking) == "requested"


def test_a_member_who_must_not_ask_is_refused(browse: Browse) -> None:
    assert browse(BEA).post("/skyline/bookings", typed()).status == 403


# -- cost ----------------------------------------------------------------------------------------------------------


def test_pages_ask_the_database_six_times_at_most(browse: Browse) -> None:
    with at_school("skyline"):
        add_aircraft("N2TEST", "", actor=actor(ANA))
        for n in range(8):
            make_request(LEO, at=an_hour(n))
            make_assigned(MIA, at=an_hour(n, hour=20))
        waiting, assigned = make_request(LEO, at=an_hour(9)), make_assigned(LEO, at=an_hour(10))
    pages = [
        (LEO, "/skyline/bookings"), (ANA, "/skyline/bookings"), (BEA, "/skyline/bookings?status=requested"),
        (LEO, "/skyline/bookings/new"), (LEO, f"/skyline/bookings/new?instructor={person(BEA).id}"),
        (ANA, "/skyline/requests"),
        *((who, f"/skyline/bookings/{b.id}") for who in (LEO, BEA, ANA, MAX) for b in (waiting, assigned)),
    ]  # fmt: skip
    for who, path in pages:
        browser = browse(who)
        session.expunge_all()
        with count_statements() as statements:
            assert browser.get(path).status == 200
        assert len(statements) <= MOST_STATEMENTS, f"{who.email} {path}: {len(statements)}\n" + "\n".join(statements)


def test_times_in_links_keep_the_day_of_the_reader(browse: Browse) -> None:
    booking = make_request(at=an_hour(hour=4) + timedelta(days=1))
    page = browse(LEO).get(f"/skyline/bookings/{booking.id}")
    local = booking.starts_at.astimezone(SCHOOL_ZONE).date().isoformat()
    assert page.link("Show in the week").href == f"/skyline/week?day={local}"


# -- where one is --------------------------------------------------------------------------------------------------


def here(page: Page) -> set[str]:
    """The rail's entry that is marked as where one is."""
    marked = [link for link in page.find_all(".//a") if link.get("aria-current") == "page"]
    return {"".join(link.itertext()).strip() for link in marked}


@pytest.mark.parametrize(("who", "entry"), [(LEO, "Bookings"), (BEA, "Bookings"), (MAX, "Bookings"), (ANA, "Requests")])
def test_a_booking_is_where_one_came_from(browse: Browse, who: Person, entry: str) -> None:
    assert here(browse(who).get(f"/skyline/bookings/{make_request().id}")) == {entry}


def test_a_refused_deed_is_answered_in_the_same_place(browse: Browse) -> None:
    booking = make_assigned()
    for who, deed, entry in (
        (BEA, "completion", "Bookings"),
        (ANA, "decline", "Requests"),
        (ANA, "approval", "Requests"),
    ):
        page = browse(who).post(f"/skyline/bookings/{booking.id}/{deed}", {"reason": "Fog"})
        assert page.status == 409
        assert here(page) == {entry}, deed


# -- what an admin knows before deciding -------------------------------------------------------------------------------


def close_the_school(day: date) -> None:
    school_settings().closed_days = [day]
    session.commit()


def test_a_request_for_a_closed_day_says_so_to_the_admin_and_the_learner(browse: Browse) -> None:
    booking = make_request()
    close_the_school(booking.starts_at.astimezone(ZoneInfo(tenancy.required().zone)).date())
    for path in ("/skyline/requests", f"/skyline/bookings/{booking.id}"):
        assert "Outside the school's opening hours" in browse(ANA).get(path).text
    assert "outside the school's opening hours" in browse(LEO).get(f"/skyline/bookings/{booking.id}").text


def test_whom_a_request_wishes_for_is_chosen_only_where_they_could_come(browse: Browse) -> None:
    make_request()
    chosen = browse(ANA).get("/skyline/requests").form("Approve and assign").value("instructor")
    assert chosen == str(person(BEA).id)
    work_only(BEA, 0, 15)
    session.commit()
    assert browse(ANA).get("/skyline/requests").form("Approve and assign").value("instructor") in ("", None)


def test_a_suspended_learner_is_not_called_free(browse: Browse) -> None:
    make_request()
    assert "Leo Hart is free" in browse(ANA).get("/skyline/requests").text
    leo = member(LEO)
    leo.status, leo.standing_reason = "suspended", "fees are late"
    session.commit()
    page = browse(ANA).get("/skyline/requests")
    assert "Leo Hart is not let in at the school now" in page.text
    assert "Leo Hart is free" not in page.text
    assert "Act as them" not in browse(ANA).get(f"/skyline/people/{leo.id}").text


def test_the_form_proposes_a_time_at_which_the_school_is_open(browse: Browse) -> None:
    """A learner who looks at four in the morning is not led to ask for four in the morning."""
    zone = ZoneInfo(tenancy.required().zone)
    night = datetime(2027, 6, 12, 4, 20, tzinfo=zone)  # a Saturday
    settings = school_settings()
    settings.opening_hours = {str(day): [480, 1200] for day in range(5)}
    settings.closed_days = [date(2027, 6, 14)]
    session.commit()
    with time_machine.travel(night, tick=False):
        form = browse(LEO).get("/skyline/bookings/new").form("Request lesson")
        assert (form.value("day"), form.value("time")) == ("2027-06-15", "08:00")
        school_settings().opening_hours = {}
        session.commit()
        form = browse(LEO).get("/skyline/bookings/new").form("Request lesson")
        assert (form.value("day"), form.value("time")) == ("2027-06-13", "04:30")
