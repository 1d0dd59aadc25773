"""Each role's home, the notifications and the demo's mailbox, as they look in a browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.cast import ADA, ANA, BEA, LEO, MAX, OLGA, Person
from tests.journeys.browsing import assert_accessible, check_widths
from tests.notifications.bookings import NINE, make_booking

OpenPage = Callable[..., Page]


BESIDES = {
    LEO: ["/skyline/notifications", "/skyline/bookings/new"],
    BEA: ["/skyline/bookings?when=past", "/demo/mailbox"],
    ANA: ["/skyline/bookings?search=nobody", "/skyline/stuck-work?search=nothing", "/skyline/audit"],
    ADA: ["/skyline/desk?search=nothing"],
}
"""What no rail leads to."""


@pytest.mark.parametrize("person", [LEO, BEA, ANA, MAX, ADA, OLGA], ids=lambda person: person.email.partition("@")[0])
def test_all_a_rail_leads_to_fits_every_screen_and_everybody(open_page: OpenPage, person: Person) -> None:
    """From the rail of each role, and from the cards of the school's page: on a phone in dark. At a desk in light all are judged
    when the journey ends."""
    page = open_page(person)
    page.goto("/skyline/")
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
    paths = addresses(page, "nav[aria-label=Main] a")
    assert {"/skyline/", "/skyline/week"} <= set(paths)
    if person is OLGA:
        paths = ["/skyline/"]  # Hers are the pages of three roles at once; only the home puts them together.
    elif "/skyline/school" in paths:
        page.goto("/skyline/school")
        paths += addresses(page, "main a[href^='/skyline/']")
    for path in dict.fromkeys([*paths, *BESIDES.get(person, [])]):
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, path
        check_widths(page)
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        assert_accessible(page, f"{path} on a phone in dark")


def addresses(page: Page, selector: str) -> list[str]:
    found: list[str] = page.locator(selector).evaluate_all("links => links.map(a => a.getAttribute('href'))")
    return found


def test_a_learner_on_a_phone_finds_the_way_to_a_booking(open_page: OpenPage) -> None:
    page = open_page(LEO, width=390)
    page.goto("/skyline/")
    page.get_by_role("link", name="Book a lesson").first.click()
    page.wait_for_url("**/bookings/new*")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_an_admin_approves_from_home_the_learner_reads_in_the_app_and_in_the_mail(
    open_page: OpenPage,
    inside: Callable[[str], AbstractContextManager[None]],
    work_off: Callable[[str], int],
    script: bool,
) -> None:
    with inside("skyline"):
        make_booking(starts_at=NINE + timedelta(days=int(script)))
    admin = open_page(ANA, script=script)
    admin.goto("/skyline/")
    admin.get_by_role("button", name="Approve").first.click()
    admin.wait_for_url("**/bookings/*")
    work_off("skyline")

    learner = open_page(LEO, script=script)
    learner.goto("/skyline/")
    learner.get_by_role("link", name="notification").click()
    expect(learner.get_by_role("heading", name="Your booking is approved").first).to_be_visible()
    learner.get_by_role("button", name="Open: Your booking is approved").first.click()
    learner.wait_for_url("**/bookings/*")
    learner.goto("/demo/mailbox")
    learner.get_by_role("link", name="Your booking is approved").first.click()
    expect(learner.get_by_text("learner@skyline.example")).to_be_visible()


def test_notifications_and_the_mailbox_fit_too(open_page: OpenPage) -> None:
    page = open_page(LEO)
    for path in ("/skyline/notifications", "/demo/mailbox"):
        page.goto(path)
        check_widths(page)
