"""Getting in, in a browser: register, confirm, be let in by an admin, sign in; forget the password and choose another."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.cast import ANA, BEA, LEO
from tests.journeys.browsing import BOTH_WAYS, fill_in_sign_in, heading

EMAIL, CHOSEN = "nia@elsewhere.example", "gusting from the west"


def test_from_the_first_page_to_the_first_visit(open_page, mailed_path) -> None:
    page = open_page(width=390)
    page.goto("/login?tenant=skyline")
    page.get_by_role("link", name="New here? Ask to join.").click()
    heading(page, "Join Skyline Flight School")
    page.get_by_label("Your name").fill("Nia Obi")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Ask to join").click()
    expect(page.get_by_text("tried first").first).to_be_visible()
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Ask to join").click()
    heading(page, "Check your mailbox")

    page.goto(mailed_path(EMAIL))
    heading(page, "Confirm your e-mail")
    page.get_by_label("The password you chose").fill(CHOSEN)
    page.get_by_role("button", name="Confirm").click()
    fill_in_sign_in(page, EMAIL, CHOSEN)
    heading(page, "Your request is with the school")

    admin = open_page(ANA)
    admin.goto("/skyline/people?status=pending")
    admin.get_by_role("link", name="Nia Obi").first.click()
    admin.get_by_role("button", name="Approve").click()
    expect(admin.get_by_text("Nia Obi is in.").first).to_be_visible()

    page.goto("/skyline/profile")
    heading(page, "Your profile")
    expect(page.get_by_label("Name")).to_have_value("Nia Obi")


@BOTH_WAYS
def test_a_forgotten_password(open_page, mailed_path, script: bool) -> None:
    person = BEA if script else LEO
    page = open_page(script=script)
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    heading(page, "Forgotten password")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_role("button", name="Send the link").click()
    heading(page, "Check your mailbox")
    page.goto(mailed_path(person.email))
    heading(page, "Choose a new password")
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed").first).to_be_visible()
    fill_in_sign_in(page, person.email, CHOSEN)
    page.goto("/account")
    heading(page, "Your account")
