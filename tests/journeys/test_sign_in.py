"""Signing in, in a browser: with script, without it, on a phone, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cast import ANA, BO, LEO, PASSWORD
from tests.journeys.browsing import (
    BOTH_WAYS,
    Faults,
    Looks,
    check_accessibility,
    check_widths,
    fill_in_sign_in,
    heading,
    sign_in,
)
from tests.journeys.conftest import QUIET, chromium
from tests.live import LiveServer


def test_a_person_of_two_schools_signs_in_and_chooses(open_page) -> None:
    page = open_page(width=390)
    page.goto("/login")
    page.get_by_label("E-mail").fill(BO.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your schools")
    expect(page.get_by_role("link", name="Harbour Aviation Academy")).to_be_visible()
    check_widths(page)


@pytest.mark.parametrize("script", [True, False])
def test_a_wrong_password_says_so_and_keeps_the_email(open_page, script: bool) -> None:
    page = open_page(script=script)
    page.goto("/login")
    page.get_by_label("E-mail").fill(LEO.email)
    page.get_by_label("Password").fill("not it")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("do not belong together")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(LEO.email)
    check_widths(page)


@BOTH_WAYS
def test_after_too_many_tries_a_page_says_when_to_come_back(open_page, script: bool) -> None:
    page = open_page(script=script, width=390)
    page.goto("/login")
    email, token = f"guess-{script}@elsewhere.example", page.locator("[name=csrf_token]").first.input_value()
    for _ in range(10):
        page.request.post("/login", form={"email": email, "password": "not it", "csrf_token": token})
    fill_in_sign_in(page, email, "not it")
    heading(page, "Too many tries")
    expect(page.get_by_text("Try again in")).to_be_visible()


def test_an_admin_finds_that_nothing_is_stuck(open_page, work_off, inside) -> None:
    from app.foundation.jobs import schedule_job

    with inside("skyline"):
        schedule_job("nobody.does_this", key="a broken job")
    assert work_off("skyline") == 1
    page = open_page(ANA)
    page.goto("/skyline/stuck-work")
    expect(page.get_by_text("nothing does work of the kind nobody.does_this")).to_be_visible()
    check_widths(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Nothing is stuck")).to_be_visible()


def test_signing_out_with_script_off(plain_page: Page) -> None:
    page = sign_in(plain_page, ANA)
    page.goto("/schools?stay=1")
    page.locator("summary[aria-label^=Account]").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_page_that_breaks_the_content_policy_is_heard(browser: Browser, live: LiveServer) -> None:
    page = browser.new_page(base_url=live.url)
    faults = Faults(page, live.url)
    page.goto("/login")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button onclick=\"go()\">x</button>')")
    page.get_by_role("button", name="x").click()
    page.close()
    with pytest.raises(AssertionError, match="Content Security Policy"):
        faults.assert_none()


def test_no_journey_forgets_to_judge_a_page(browser: Browser, live: LiveServer, mirror: Page) -> None:
    page = browser.new_page(base_url=live.url)
    looks = Looks(page)
    broken = "<!DOCTYPE html><html lang=en><title>Broken</title><main><h1>Broken</h1><input></main></html>"
    page.route("**/broken", lambda route: route.fulfill(body=broken, content_type="text/html"))
    page.goto("/broken")
    with pytest.raises(AssertionError, match="label"):
        looks.judge(mirror)
    page.close()


def test_axe_sees_a_control_without_a_name(browser_page: Page) -> None:
    browser_page.goto("/login")
    browser_page.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    with pytest.raises(AssertionError, match="label"):
        check_accessibility(browser_page)


@pytest.fixture
def remembering_page(browser: Browser, live: LiveServer) -> Iterator[Page]:
    """A page of a browser that keeps whole pages for Back, as people's do and a driven one by default does not."""
    program = browser.browser_type.launch(
        executable_path=chromium(keeps_pages=True), args=QUIET, ignore_default_args=["--disable-back-forward-cache"]
    )
    yield program.new_page(base_url=live.url)
    program.close()


def back(page: Page, steps: int = -1) -> None:
    """Playwright's own way back waits for a page to load, and a kept one does not."""
    page.evaluate(f"history.go({steps})")


def test_back_after_signing_out_shows_nothing_of_before(remembering_page: Page) -> None:
    """Neither the page on which one signed out, nor one before it, nor one after it."""
    page = sign_in(remembering_page, ANA)
    for path in ("/skyline/people", "/skyline/departments", "/skyline/school"):
        page.goto(path)
    back(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Departments")
    page.locator("summary[aria-label^=Account]").click()
    with page.expect_response("**/logout/forget.css"):
        page.get_by_role("button", name="Sign out").click()
    for steps in (-1, -1, 1):
        back(page, steps)
        page.wait_for_url("**/login?next=**")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_back_shows_the_kept_page_with_what_was_typed(remembering_page: Page) -> None:
    page = sign_in(remembering_page, LEO)
    page.goto("/skyline/bookings/new")
    page.evaluate("addEventListener('pageshow', (event) => { window.wasKept = event.persisted; })")
    page.get_by_label("Note").fill("Crosswind landings, please")
    page.get_by_role("link", name="Courses").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Courses")
    back(page)
    expect(page.get_by_label("Note")).to_have_value("Crosswind landings, please")
    assert page.evaluate("window.wasKept")
