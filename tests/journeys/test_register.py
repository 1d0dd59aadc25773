"""Getting in, in a browser: register, confirm, be let in by an admin, sign in; forget the password and choose another."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.cast import ANA, LEO
from tests.identity.mailbox import take_from
from tests.journeys.browsing import check_accessibility, check_widths
from tests.live import LiveServer

EMAIL, CHOSEN = "nia@elsewhere.example", "gusting from the west"


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    check_accessibility(page)
    check_widths(page)


def mailed_path(live: LiveServer, work_off, to: str) -> str:  # type: ignore[no-untyped-def]
    work_off("skyline")
    return next(mail.path for mail in take_from(live.settings) if mail.to == to)


def test_from_the_first_page_to_the_first_visit(live: LiveServer, open_page, work_off) -> None:
    page = open_page(width=390)
    page.goto("/login?tenant=skyline")
    page.get_by_role("link", name="New here? Ask to join.").click()
    heading(page, "Join Skyline Flight School")
    page.get_by_label("Your name").fill("Nia Obi")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Ask to join").click()
    expect(page.get_by_text("tried first").first).to_be_visible()
    check_accessibility(page)
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Ask to join").click()
    heading(page, "Look into your mailbox")

    page.goto(mailed_path(live, work_off, EMAIL))
    heading(page, "Confirm your e-mail")
    page.get_by_label("The password you chose").fill(CHOSEN)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Sign in").click()
    heading(page, "Your request is with the school")

    admin = open_page(ANA)
    admin.goto("/skyline/people?status=pending")
    admin.get_by_role("link", name="Nia Obi").first.click()
    admin.get_by_role("button", name="Approve").click()
    expect(admin.get_by_text("Nia Obi is in.").first).to_be_visible()

    page.goto("/skyline/profile")
    heading(page, "Your profile")
    expect(page.get_by_label("Name")).to_have_value("Nia Obi")


def test_a_forgotten_password_with_script_off(live: LiveServer, open_page, work_off) -> None:
    page = open_page(script=False)
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    heading(page, "Forgotten password")
    page.get_by_label("E-mail").fill(LEO.email)
    page.get_by_role("button", name="Send the link").click()
    heading(page, "Look into your mailbox")
    page.goto(mailed_path(live, work_off, LEO.email))
    heading(page, "Choose a new password")
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed").first).to_be_visible()
    page.get_by_label("E-mail").fill(LEO.email)
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/account")
    heading(page, "Your account")
