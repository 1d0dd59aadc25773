"""A booking from the instructor's hours to everybody's week: availability, request, approval, seen by all three people."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.cast import ANA, BEA, LEO
from tests.journeys.browsing import check_accessibility, check_widths
from tests.scheduling.booking_makers import an_hour

SCHOOL = ZoneInfo("America/Los_Angeles")


def keep_hours(page: Page) -> None:
    """Bea opens the day of the lesson from eight to six."""
    page.goto("/skyline/availability")
    day = page.get_by_role("group", name="Tuesday")
    day.locator("input[type=time]").nth(0).fill("08:00")
    day.locator("input[type=time]").nth(1).fill("18:00")
    for n in range(2, day.locator("input[type=time]").count()):
        day.locator("input[type=time]").nth(n).fill("")
    page.get_by_role("button", name="Save availability").click()
    expect(page.get_by_text("Saved").first).to_be_visible()


def ask(page: Page, at: datetime) -> None:
    """Leo asks for an hour with Bea."""
    page.goto("/skyline/bookings")
    page.get_by_role("link", name="Book a lesson").first.click()
    page.get_by_label("Day").fill(at.date().isoformat())
    page.get_by_label("From").fill(at.strftime("%H:%M"))
    page.get_by_label("Length").select_option(label="1 h")
    page.get_by_label("Instructor").select_option(label="Bea Lindgren")
    page.get_by_label("Note for the school").fill("Crosswind landings")
    check_widths(page)
    page.get_by_role("button", name="Request lesson").click()
    expect(page.get_by_text("Your request is in.")).to_be_visible()
    expect(page.locator(".head").get_by_text("requested")).to_be_visible()
    check_widths(page)


def decide(page: Page) -> None:
    """Ana approves, then gives the lesson its aircraft, without leaving the queue."""
    page.goto("/skyline/requests")
    card = page.locator("article.request").filter(has_text="Crosswind landings")
    expect(card.get_by_text("Bea Lindgren is free")).to_be_visible()
    check_widths(page)
    card.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("Approved. Now assign")).to_be_visible()
    expect(card.locator(".request-head").get_by_text("approved")).to_be_visible()
    card.get_by_label("Aircraft").select_option(label="N77KC")
    card.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("Assigned. The learner")).to_be_visible()
    check_accessibility(page)


def see_in_the_week(page: Page, at: datetime) -> None:
    page.goto(f"/skyline/week?day={at.date().isoformat()}")
    lesson = page.locator(".blk", has_text=f"{at:%H:%M}").filter(has_text="N77KC").first
    expect(lesson).to_be_visible()
    lesson.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{at:%H:%M}")
    expect(page.locator(".head").get_by_text("assigned")).to_be_visible()
    check_widths(page)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_from_availability_to_everybody_s_week(open_page, script: bool) -> None:
    at = an_hour(days=7 if script else 14).astimezone(SCHOOL)
    learner = open_page(LEO, script=script)
    keep_hours(open_page(BEA, script=script))
    ask(learner, at)
    decide(open_page(ANA, script=script))
    for person in (LEO, BEA, ANA):
        see_in_the_week(open_page(person, script=script), at)


def test_a_learner_books_and_cancels_on_a_phone(open_page) -> None:
    at = an_hour(days=21).astimezone(SCHOOL)
    page = open_page(LEO, width=390)
    ask(page, at)
    page.locator("summary", has_text="Cancel booking").click()
    page.get_by_label("Reason").fill("Ill")
    check_accessibility(page)
    page.get_by_role("button", name="Yes, cancel booking").click()
    expect(page.get_by_text("Cancelled. The time is free again.")).to_be_visible()
    expect(page.locator(".head").get_by_text("cancelled")).to_be_visible()


def test_the_second_approval_of_one_hour_reads_the_next_free_time_in_its_card(open_page) -> None:
    from tests.cast import MIA

    at = an_hour(days=28).astimezone(SCHOOL)
    for person in (LEO, MIA):
        ask(open_page(person), at)
    page = open_page(ANA)
    page.goto("/skyline/requests")
    cards = page.locator("article.request").filter(has_text=f"{at:%H:%M}").filter(has_text="Crosswind landings")
    first, second = cards.filter(has_text="Leo Hart").last, cards.filter(has_text="Mia Okafor").last
    first.get_by_role("button", name="Approve", exact=True).click()
    expect(first.locator(".request-head").get_by_text("approved")).to_be_visible()
    second.get_by_role("button", name="Approve", exact=True).click()
    expect(second.get_by_role("alert")).to_contain_text("That slot was booked a moment ago. The next free one is")
    expect(second.get_by_role("navigation", name="Next free times").get_by_role("link").first).to_be_visible()
    check_accessibility(page)


def test_the_week_on_a_phone_begins_with_today(open_page) -> None:
    """What is over is one press away; a week that is not this one is whole."""
    page = open_page(LEO, width=390, script=False)
    page.goto("/skyline/week")
    days = page.locator(".week-day")
    today = page.locator(".week-day.today")
    expect(today.locator("h2")).to_be_visible()
    past = page.locator(".week-day.past")
    expect(past).to_have_count(datetime.now(SCHOOL).weekday())
    for number in range(past.count()):
        expect(past.nth(number)).to_be_hidden()
    if past.count():  # On a Monday nothing of the week is over.
        page.get_by_label("Show the days before today").check()
        expect(past.first).to_be_visible()
    page.goto("/skyline/week?day=2027-06-16")
    for number in range(7):
        expect(days.nth(number)).to_be_visible()
