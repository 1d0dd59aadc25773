"""People in a browser: invited, imported, let in, given roles, suspended, acted as, given their data, and erased."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import Page, expect

from app.foundation import clock
from app.foundation.actor import SYSTEM
from app.foundation.permissions import Role
from app.identity.operations.accounts import add_member, add_user
from app.tenants.queries import school_settings
from tests.cast import ANA, BEA, LEO, OPERATOR, PASSWORD, Person
from tests.journeys.browsing import BOTH_WAYS, check_accessibility, check_widths, fill_in_sign_in, heading

OpenPage = Callable[..., Page]
Inside = Callable[[str], AbstractContextManager[None]]
MailedPath = Callable[[str], str]
CHOSEN = "gusting from the west"
LIST = f"""Name;E-mail;Phone;Roles;Department
Jan Tal;jan@elsewhere.example;;Learner;
Bea Lindgren;{BEA.email};+1 604 555 0199;;
Nobody;nobody at all;;;
"""


def a_learner(inside: Inside, name: str, *, status: str = "active", role: Role = Role.LEARNER) -> Person:
    """Somebody of Skyline whom no other journey knows."""
    person = Person(f"{name.replace(' ', '.').lower()}@elsewhere.example", "skyline")
    with inside("skyline"):
        user = add_user(person.email, password=PASSWORD, cost=4)
        user.email_confirmed_at = clock.now()
        add_member(user, name=name, roles=[role], actor=SYSTEM).status = status
    return person


def find(page: Page, name: str) -> None:
    """An admin finds a person and opens their page."""
    page.goto(f"/skyline/people?search={name.split()[0]}")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


@BOTH_WAYS
def test_somebody_is_invited_comes_in_teaches_and_is_suspended(
    open_page: OpenPage, mailed_path: MailedPath, script: bool
) -> None:
    """The admin at a desk, the person on a phone: one with script, the other without."""
    name, email = ("Ines Roy", "ines@elsewhere.example") if script else ("Otto Roy", "otto@elsewhere.example")
    admin = open_page(ANA, script=script)
    admin.goto("/skyline/people")
    admin.get_by_role("link", name="Add a person").click()
    heading(admin, "Add a person")
    admin.get_by_label("Name").fill(name)
    admin.get_by_label("E-mail").fill(email)
    admin.get_by_label("Invite").check()
    admin.get_by_role("button", name="Add person").click()
    heading(admin, name)

    page = open_page(script=not script, width=390)
    page.goto(mailed_path(email))
    heading(page, "Welcome to Skyline Flight School")
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()

    admin.reload()
    admin.get_by_role("checkbox", name="Instructor").check()
    admin.get_by_role("button", name="Save roles").click()
    expect(admin.get_by_text(f"The roles of {name} are saved.").first).to_be_visible()
    page.goto("/skyline/availability")
    expect(page.get_by_role("button", name="Save availability")).to_be_visible()

    admin.locator("summary", has_text="Suspend").click()
    admin.get_by_label("Reason").fill("Your medical has expired")
    check_accessibility(admin)
    admin.get_by_role("button", name="Suspend access").click()
    expect(admin.get_by_text("Suspended", exact=True).first).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link").first.click()
    heading(page, "Sign in")
    expect(page.get_by_text("Your access was suspended, and you are signed out.").first).to_be_visible()
    fill_in_sign_in(page, email, CHOSEN)
    heading(page, "Your access is suspended")
    expect(page.get_by_text("Your medical has expired")).to_be_visible()


@BOTH_WAYS
def test_a_list_is_read_reviewed_and_carried_out(open_page: OpenPage, mailed_path: MailedPath, script: bool) -> None:
    listed = LIST if script else LIST.replace("jan@", "jon@").replace("Jan Tal", "Jon Tal").replace("0199", "0188")
    email = "jan@elsewhere.example" if script else "jon@elsewhere.example"
    page = open_page(ANA, script=script)
    page.goto("/skyline/people")
    page.get_by_role("link", name="Import a list").click()
    heading(page, "Import people", look=script)
    if script:
        page.get_by_label("Paste a list").fill(listed)
    else:
        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": listed.encode()}
        page.get_by_label("Or choose a CSV file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_label("Invite").check()
    page.get_by_role("button", name="Review the list").click()
    heading(page, "Review the list", look=script)
    refused = page.get_by_role("region", name="Refused")
    expect(refused.get_by_role("row", name="nobody at all")).to_contain_text("4")
    expect(page.get_by_role("region", name="Changed").get_by_role("row", name="Bea Lindgren")).to_be_visible()
    expect(page.get_by_role("region", name="Added").get_by_role("row", name=email)).to_be_visible()

    page.get_by_role("button", name="Carry out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("People")
    expect(page.get_by_role("row", name=email)).to_contain_text("Invited")
    assert mailed_path(email).startswith("/skyline/invitation/")


def test_an_instructor_is_added_outright_is_booked_and_keeps_hours(
    open_page: OpenPage, mailed_path: MailedPath, work_off: Callable[[str], int]
) -> None:
    """The admin at a desk with script, the instructor on a phone without."""
    name, email = "Oda Lund", "oda@elsewhere.example"
    admin = open_page(ANA)
    admin.goto("/skyline/people/new")
    admin.get_by_label("Name").fill(name)
    admin.get_by_label("E-mail").fill(email)
    admin.get_by_role("checkbox", name="Learner").uncheck()
    admin.get_by_role("checkbox", name="Instructor").check()
    expect(admin.get_by_label("Add at once")).to_be_checked()
    check_accessibility(admin)
    check_widths(admin)
    admin.get_by_role("button", name="Add person").click()
    heading(admin, name)
    expect(admin.get_by_text("They are in, and have not come by their link yet.")).to_be_visible()

    work_off("skyline")
    learner = open_page(LEO, script=False)
    learner.goto("/skyline/bookings/new")
    learner.get_by_label("Instructor").select_option(name)

    page = open_page(script=False, width=390)
    page.goto(mailed_path(email))
    heading(page, "Welcome to Skyline Flight School")
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
    page.goto("/skyline/availability")
    monday = page.get_by_role("group", name="Monday").locator("input[type=time]")
    monday.nth(0).fill("09:00")
    monday.nth(1).fill("17:00")
    page.get_by_role("button", name="Save availability").click()
    expect(page.get_by_text("Saved").first).to_be_visible()
    expect(monday.nth(0)).to_have_value("09:00")


@BOTH_WAYS
def test_who_is_added_and_has_an_account_comes_in_by_a_press(open_page: OpenPage, inside: Inside, script: bool) -> None:
    name, email = ("Gil Sorel", "gil@elsewhere.example") if script else ("Hedy Sorel", "hedy@elsewhere.example")
    with inside("skyline"):
        add_user(email, password=PASSWORD, cost=4).email_confirmed_at = clock.now()
    admin = open_page(ANA, script=script)
    admin.goto("/skyline/people/new")
    admin.get_by_label("Name").fill(name)
    admin.get_by_label("E-mail").fill(email)
    admin.get_by_role("button", name="Add person").click()
    heading(admin, name)

    page = open_page(script=script, width=390)
    page.goto("/login")
    fill_in_sign_in(page, email, PASSWORD)
    heading(page, "Your schools")
    admin.reload()
    expect(admin.get_by_text("They are in, and have not come by their link yet.")).to_be_visible()
    page.get_by_role("link", name="It waits for you to come in").click()
    heading(page, "You are invited")
    expect(page.get_by_text(f"Skyline Flight School has added you as {email}.")).to_be_visible()
    check_widths(page)
    check_accessibility(page)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
    admin.reload()
    expect(admin.get_by_text("They are in, and have not come by their link yet.")).not_to_be_visible()


@BOTH_WAYS
def test_a_pasted_list_is_added_outright(open_page: OpenPage, mailed_path: MailedPath, script: bool) -> None:
    people = ("Abe", "Bob", "Cleo") if script else ("Dora", "Edda", "Finn")
    page = open_page(ANA, script=script)
    page.goto("/skyline/people/imports")
    page.get_by_label("Paste a list").fill("\n".join(f"{who} New, {who.lower()}@elsewhere.example" for who in people))
    expect(page.get_by_label("Add at once")).to_be_checked()
    page.get_by_role("button", name="Review the list").click()
    heading(page, "Review the list", look=script)
    added = page.get_by_role("region", name="Added")
    expect(added).to_contain_text("These people are in at once")
    for who in people:
        expect(added.get_by_role("row", name=f"{who} New")).to_contain_text("Learner")
    page.get_by_role("button", name="Carry out").click()
    expect(page.get_by_text("3 people are added.").first).to_be_visible()
    expect(page.get_by_role("row", name=f"{people[2]} New")).to_contain_text("Active")

    there = open_page(script=not script, width=390)
    there.goto(mailed_path(f"{people[0].lower()}@elsewhere.example"))
    there.get_by_label("Password").fill(CHOSEN)
    there.get_by_role("button", name="Come in").click()
    expect(there.get_by_role("heading", level=1, name="Today")).to_be_visible()


@BOTH_WAYS
def test_an_admin_who_gives_up_the_role_is_asked_once(open_page: OpenPage, inside: Inside, script: bool) -> None:
    person = a_learner(inside, "Pia Chief" if script else "Quin Chief", role=Role.ADMIN)
    page = open_page(person, script=script, width=390)
    find(page, "Pia Chief" if script else "Quin Chief")
    page.get_by_role("checkbox", name="Admin").uncheck()
    page.get_by_role("checkbox", name="Learner").check()
    page.get_by_role("button", name="Save roles").click()
    heading(page, "Give up the admin role?")
    expect(page.get_by_text("You will no longer be an admin here")).to_be_visible()
    page.get_by_role("button", name="Give up the admin role").click()
    expect(page.get_by_text("You are no longer an admin here. You are now: Learner.").first).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()


def test_several_are_let_in_at_once(open_page: OpenPage, inside: Inside) -> None:
    for name in ("Ulla First", "Vera Second"):
        a_learner(inside, name, status="pending")
    page = open_page(ANA, script=False)
    page.goto("/skyline/people?status=pending")
    for name in ("Ulla First", "Vera Second"):
        page.get_by_label(f"Approve {name}").check()
    check_widths(page)
    page.get_by_role("button", name="Approve selected").click()
    expect(page.get_by_text("2 people are in.").first).to_be_visible()


def test_an_admin_acts_as_a_learner_who_is_told(
    open_page: OpenPage, work_off: Callable[[str], int], inside: Inside
) -> None:
    person = a_learner(inside, "Wim Acted")
    page = open_page(ANA)
    find(page, "Wim Acted")
    page.get_by_role("link", name="Act as them").click()
    heading(page, "Act as Wim Acted")
    page.get_by_label("Reason").fill("They cannot find their course")
    page.get_by_role("button", name="Begin").click()

    banner = page.get_by_role("complementary", name="Acting as another person")
    for path in ("", "courses", "bookings", "week", "notifications", "profile"):
        page.goto(f"/skyline/{path}")
        expect(banner).to_contain_text("You act as Wim Acted until")
    check_widths(page)
    banner.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("You are yourself again.").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wim Acted")
    expect(banner).to_have_count(0)

    work_off("skyline")
    told = open_page(person, script=False)
    told.goto("/skyline/notifications")
    expect(told.get_by_role("heading", name="acted as you")).to_be_visible()


@BOTH_WAYS
def test_an_admin_says_what_the_school_knows_of_a_person(open_page: OpenPage, inside: Inside, script: bool) -> None:
    name = "Yves Facts" if script else "Zoe Facts"
    a_learner(inside, name)
    with inside("skyline"):
        settings = school_settings()
        settings.levels, settings.tags = ["Student", "Private"], ["Night rating"]
    page = open_page(ANA, script=script, width=390 if script else 1280)
    find(page, name)
    page.get_by_role("link", name="Edit department, level and numbers").click()
    heading(page, f"What the school knows of {name}")
    page.get_by_label("Department").select_option(label="Commercial")
    page.get_by_label("Level").select_option(label="Private")
    page.get_by_label("Night rating").check()
    page.get_by_label("Primary instructor").select_option(label="Bea Lindgren")
    page.get_by_label("License number").fill("PPL 4711")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"{name} is saved.").first).to_be_visible()
    for words in ("Commercial", "Private", "Night rating", "Bea Lindgren", "PPL 4711"):
        expect(page.get_by_role("main").get_by_text(words).first).to_be_visible()


@BOTH_WAYS
def test_an_operator_acts_as_a_person_who_is_told(
    open_page: OpenPage, work_off: Callable[[str], int], inside: Inside, script: bool
) -> None:
    person = a_learner(inside, "Quin Helped" if script else "Rhea Helped")
    page = open_page(OPERATOR, script=script)
    page.goto("/operator/schools/skyline")
    page.get_by_role("link", name="Act as a person").click()
    heading(page, "Act as a person")
    expect(page.get_by_label("Address of the school")).to_have_value("skyline")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Reason").fill("They cannot find their course")
    page.get_by_role("button", name="Begin").click()
    banner = page.get_by_role("complementary", name="Acting as another person")
    expect(banner).to_contain_text("You act as")
    heading(page, "Today")
    banner.get_by_role("button", name="Stop").click()
    expect(banner).to_have_count(0)

    work_off("skyline")
    told = open_page(person, script=script)
    told.goto("/skyline/notifications")
    expect(told.get_by_role("heading", name="acted as you")).to_be_visible()


def test_a_person_takes_their_data_and_is_erased(open_page: OpenPage, inside: Inside, mailed_path: MailedPath) -> None:
    """The person on a phone with script, the admin at a desk without."""
    name = "Xenia Gone"
    person = a_learner(inside, name)
    page = open_page(person, width=390)
    page.goto("/skyline/profile")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    told = json.loads(Path(download.value.path()).read_text())
    assert told["account"]["email"] == person.email
    page.get_by_role("link", name="Ask to be erased").click()
    heading(page, "Ask to be erased")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_text("have your request").first).to_be_visible()

    admin = open_page(ANA, script=False)
    admin.goto(mailed_path(ANA.email))
    expect(admin.get_by_role("heading", level=1)).to_have_text(name)
    expect(admin.get_by_text("Asks to be erased")).to_be_visible()
    admin.get_by_role("link", name="Erase").click()
    heading(admin, f"Erase {name}")
    admin.get_by_label("Name").fill(name.split()[0])
    admin.get_by_role("button", name="Erase").click()
    expect(admin.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    admin.get_by_label("Name").fill(name)
    admin.get_by_role("button", name="Erase").click()
    expect(admin.get_by_text(f"{name} is erased.").first).to_be_visible()

    page.goto("/skyline/profile")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    fill_in_sign_in(page, person.email)
    expect(page.get_by_text("do not belong together")).to_be_visible()


@BOTH_WAYS
def test_who_is_suspended_takes_their_data_and_asks_to_be_erased(
    open_page: OpenPage, inside: Inside, work_off: Callable[[str], int], script: bool
) -> None:
    name = "Yves Kept" if script else "Zoe Kept"
    page = open_page(a_learner(inside, name, status="suspended"), script=script, width=390)
    page.goto("/skyline/standing")
    heading(page, "Your access is suspended", look=script)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download your data").click()
    assert json.loads(Path(download.value.path()).read_text())["membership"][0]["name"] == name
    page.get_by_role("link", name="Ask to be erased").click()
    heading(page, "Ask to be erased", look=script)
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_text("have your request").first).to_be_visible()

    work_off("skyline")
    admin = open_page(ANA, script=script)
    admin.goto("/skyline/notifications")
    admin.get_by_role("button", name=f"Open: {name} asks to be erased").click()
    heading(admin, name, look=script)
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Download their data").click()
    assert "user_session" not in json.loads(Path(download.value.path()).read_text())
    admin.locator("summary", has_text="Close their request").click()
    admin.get_by_role("button", name="Close request").click()
    expect(admin.get_by_text("is not waiting for an answer any more").first).to_be_visible()


@BOTH_WAYS
def test_whom_no_school_knows_deletes_their_account(open_page: OpenPage, inside: Inside, script: bool) -> None:
    person = Person("nobodys@elsewhere.example" if script else "nobodys2@elsewhere.example", "")
    with inside("skyline"):
        add_user(person.email, password=PASSWORD, cost=4).email_confirmed_at = clock.now()
    page = open_page(person, script=script, width=390)
    page.goto("/schools")
    heading(page, "Your schools", look=script)
    page.get_by_role("link", name="Delete your account").click()
    heading(page, "Delete your account", look=script)
    page.get_by_label("Your password").fill("not it")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("not your current password")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted.").first).to_be_visible()
    fill_in_sign_in(page, person.email)
    expect(page.get_by_text("do not belong together")).to_be_visible()
