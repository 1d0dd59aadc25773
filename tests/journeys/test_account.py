"""One's own account in a browser: where one is signed in, another e-mail, and a post that the end of a session cut off."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.cast import ADA, BEA, BO, LEO, MAX, MIA, OLGA, PASSWORD
from tests.journeys.browsing import BOTH_WAYS, fill_in_sign_in, heading

OpenPage = Callable[..., Page]
CHOSEN = "gusting from the west"


@BOTH_WAYS
def test_the_other_devices_are_signed_out(open_page: OpenPage, script: bool) -> None:
    person = MAX if script else OLGA
    here, elsewhere = open_page(person, script=script, width=390), open_page(person, script=script)
    elsewhere.goto("/skyline/courses")
    here.goto("/account")
    here.get_by_role("link", name="Where you are signed in").click()
    heading(here, "Where you are signed in", look=script)
    expect(here.locator("#sessions > li")).to_have_count(2)
    here.get_by_role("button", name="End all others").click()
    expect(here.get_by_text("You are signed out everywhere else.").first).to_be_visible()
    expect(here.locator("#sessions > li")).to_have_count(1)

    elsewhere.goto("/skyline/courses")
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Sign in")
    fill_in_sign_in(elsewhere, person.email)
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Courses")


@BOTH_WAYS
def test_another_password_ends_the_other_sessions(open_page: OpenPage, script: bool) -> None:
    person = BEA if script else BO
    page, elsewhere = (
        open_page(person, script=script, school="skyline"),
        open_page(person, script=script, school="skyline"),
    )
    page.goto("/account")
    page.get_by_role("link", name="Change your password").click()
    heading(page, "Change your password")
    for current, words in (("not it", "This is not your current password."), (PASSWORD, "Your password is changed.")):
        page.get_by_label("Current password").fill(current)
        page.get_by_label("New password").fill(CHOSEN)
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_text(words).first).to_be_visible()
    elsewhere.goto("/skyline/courses")
    fill_in_sign_in(elsewhere, person.email, CHOSEN)
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Courses")


@BOTH_WAYS
def test_another_address_to_sign_in_with(open_page: OpenPage, mailed_path: Callable[[str], str], script: bool) -> None:
    person, address = (MIA, "mia@elsewhere.example") if script else (ADA, "ada@elsewhere.example")
    page = open_page(person, script=script)
    page.goto("/account")
    page.get_by_role("link", name="Change your e-mail").click()
    heading(page, "Change your e-mail")
    page.get_by_label("New e-mail").fill(address)
    page.get_by_label("Current password").fill("not it")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("This is not your current password.")).to_be_visible()
    page.get_by_label("New e-mail").fill(address)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("is on its way there").first).to_be_visible()

    page.goto(mailed_path(address))
    heading(page, "Confirm your new e-mail")
    page.get_by_role("button", name="Use this address").click()
    expect(page.get_by_text(f"You sign in as {address}")).to_be_visible()
    again = open_page()
    again.goto("/login")
    fill_in_sign_in(again, address)
    expect(again.get_by_role("heading", level=1, name="Today")).to_be_visible()


@BOTH_WAYS
def test_what_was_typed_outlives_the_session_and_is_done_after_signing_in(open_page: OpenPage, script: bool) -> None:
    page = open_page(LEO, script=script)
    page.goto("/skyline/profile")
    phone = "+1 604 555 0111" if script else "+1 604 555 0122"
    page.get_by_label("Phone").fill(phone)
    other = open_page(LEO, script=False)
    other.goto("/account/sessions")
    other.get_by_role("button", name="End all others").click()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Sign in again: what you typed is kept.")).to_be_visible()
    fill_in_sign_in(page, LEO.email)
    expect(page.get_by_text("Your profile is saved.").first).to_be_visible()
    expect(page.get_by_label("Phone")).to_have_value(phone)
