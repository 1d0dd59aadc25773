"""The second factor in a browser: set up, kept codes, signed in with a code, and stopped at a wrong one."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
from playwright.sync_api import Page, expect

from tests.cast import ADA, ANA, HAL, MAX, PASSWORD
from tests.journeys.browsing import BOTH_WAYS, check_widths, heading

OpenPage = Callable[..., Page]


def set_up(page: Page) -> str:
    """From the page that asks for it to the recovery codes; returns the first of them."""
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check_widths(page)
    secret = "".join((page.locator(".key-text").text_content() or "").split())
    page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    check_widths(page)
    return page.locator("#recovery-codes li").first.text_content() or ""


def copied(page: Page) -> list[str]:
    """What the button put into the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()")).split()


@BOTH_WAYS
def test_a_school_asks_its_admins_for_one(open_page: OpenPage, script: bool) -> None:
    person, slug = (HAL, "harbour") if script else (ANA, "skyline")
    page = open_page(person, script=script)
    page.goto(f"/{slug}/settings")
    page.get_by_label("Admins need a second factor to come in").check()
    page.get_by_role("button", name="Save settings").click()
    heading(page, "Second factor")
    expect(page.get_by_text("Your school asks its admins for a second factor.")).to_be_visible()
    page.goto(f"/{slug}/people")
    heading(page, "Second factor")
    set_up(page)
    page.get_by_role("main").get_by_role("link").first.click()
    page.goto(f"/{slug}/people")
    heading(page, "People")


@BOTH_WAYS
def test_it_is_set_up_and_asked_for(open_page: OpenPage, script: bool) -> None:
    person = ADA if script else MAX
    page = open_page(person, script=script)
    page.goto("/account/second-factor")
    recovery = set_up(page)
    if script:
        assert copied(page) == page.locator("#recovery-codes li").all_text_contents()
    else:
        expect(page.get_by_role("button", name="Copy")).to_be_hidden()

    page = open_page(script=script, width=390)
    page.goto("/login")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    code = page.get_by_label("Code from the app, or a recovery code")
    if script:
        expect(code).to_be_focused()
    code.fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("does not fit")
    code.fill(recovery)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/account/sessions")
    expect(page.get_by_text("This device")).to_be_visible()
    check_widths(page)
