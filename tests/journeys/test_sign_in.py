"""Signing in, in a browser: with script, without it, on a phone, in light and in dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cast import ANA, BO, LEO, PASSWORD
from tests.journeys.browsing import Faults, check_accessibility, check_widths, sign_in
from tests.live import LiveServer


def test_a_person_of_two_schools_signs_in_and_chooses(open_page) -> None:
    page = open_page(width=390)
    page.goto("/login")
    page.get_by_label("E-mail").fill(BO.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your schools")
    expect(page.get_by_role("link", name="Harbour Aviation Academy")).to_be_visible()
    check_accessibility(page)
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
    check_accessibility(page)
    check_widths(page)


def test_an_admin_finds_that_nothing_is_stuck(open_page, work_off, inside) -> None:
    from app.foundation.jobs import schedule_job

    with inside("skyline"):
        schedule_job("nobody.does_this", key="a broken job")
    assert work_off("skyline") == 1
    page = open_page(ANA)
    page.goto("/skyline/stuck-work")
    expect(page.get_by_text("nothing does work of the kind nobody.does_this")).to_be_visible()
    check_accessibility(page)
    check_widths(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Nothing is stuck")).to_be_visible()
    check_accessibility(page)


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


def test_axe_sees_a_control_without_a_name(browser_page: Page) -> None:
    browser_page.goto("/login")
    browser_page.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    with pytest.raises(AssertionError, match="label"):
        check_accessibility(browser_page)
