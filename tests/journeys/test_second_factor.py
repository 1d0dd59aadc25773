"""The second factor in a browser: set up, kept codes, signed in with a code, and stopped at a wrong one."""

from __future__ import annotations

import pyotp
from playwright.sync_api import Page, expect

from tests.cast import ADA, PASSWORD
from tests.journeys.browsing import check_accessibility, check_widths


def test_it_is_set_up_and_asked_for(open_page) -> None:
    page: Page = open_page(ADA)
    page.goto("/account/second-factor")
    check_accessibility(page)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check_accessibility(page)
    check_widths(page)
    secret = "".join((page.locator(".key-text").text_content() or "").split())
    page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    check_accessibility(page)
    check_widths(page)
    recovery = page.locator("#recovery-codes li").first.text_content() or ""

    page = open_page(width=390)
    page.goto("/login")
    page.get_by_label("E-mail").fill(ADA.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    code = page.get_by_label("Code from the app, or a recovery code")
    expect(code).to_be_focused()
    check_accessibility(page)
    code.fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("does not fit")
    code.fill(recovery)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/account/sessions")
    expect(page.get_by_text("This device")).to_be_visible()
    check_accessibility(page)
    check_widths(page)
