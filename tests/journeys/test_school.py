"""Running a school in a browser: its color, its departments, its trail; and the first school of an empty instance."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cast import ANA
from tests.journeys.browsing import BOTH_WAYS, Faults, check_accessibility, check_widths, heading
from tests.live import LiveServer

OpenPage = Callable[..., Page]
CHOSEN = "gusting from the west"


@BOTH_WAYS
def test_the_school_wears_its_color(open_page: OpenPage, script: bool) -> None:
    page = open_page(ANA, script=script)
    page.goto("/skyline/settings")
    page.get_by_label("Brand color").fill("#ffee00")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Words in this color cannot be read.").first).to_be_visible()
    if script:
        check_widths(page)
    color = "#7a1fa2" if script else "#0b6b3a"
    page.get_by_label("Brand color").fill(color)
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.").first).to_be_visible()
    wide = tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
    expect(page.get_by_role("button", name="Save settings")).to_have_css("background-color", f"rgb{wide}")


@BOTH_WAYS
def test_a_test_mail_arrives(open_page: OpenPage, work_off: Callable[[str], int], script: bool) -> None:
    page = open_page(ANA, script=script, width=390)
    page.goto("/skyline/settings")
    page.get_by_role("button", name="Send a test mail").click()
    expect(page.get_by_text(f"A test mail is on its way to {ANA.email}.").first).to_be_visible()
    work_off("skyline")
    page.goto("/demo/mailbox?search=test+mail")
    page.get_by_role("link", name="A test mail from Skyline Flight School").first.click()
    expect(page.get_by_text("Mail from Groundschool arrives.")).to_be_visible()


@BOTH_WAYS
def test_who_may_do_what_is_looked_up(open_page: OpenPage, script: bool) -> None:
    page = open_page(ANA, script=script, width=390)
    page.goto("/skyline/school")
    page.get_by_role("link", name="Permissions").click()
    heading(page, "Permissions")
    row = page.get_by_role("row", name="Approve, assign and decline bookings")
    expect(row.get_by_role("cell").last).to_contain_text("yes")
    expect(row.get_by_role("cell").first).not_to_contain_text("yes")


def test_departments_grow_and_go(open_page: OpenPage) -> None:
    page = open_page(ANA, script=False)
    page.goto("/skyline/departments")
    for name, parent in (("Rotors", "Nothing: at the top"), ("Rescue", "Rotors")):
        page.get_by_label("Name").fill(name)
        page.get_by_label("Below").select_option(label=parent)
        page.get_by_role("button", name="Add department").click()
        expect(page.get_by_text(f"{name} is added.").first).to_be_visible()
    expect(page.locator("ul.tree ul.tree").get_by_role("link", name="Rescue", exact=True)).to_be_visible()
    heading(page, "Departments")
    page.get_by_role("link", name="Rescue", exact=True).click()
    heading(page, "Rescue")
    page.locator("summary", has_text="Remove department").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Rescue is removed.").first).to_be_visible()


@BOTH_WAYS
def test_the_trail_is_narrowed_read_and_taken_along(open_page: OpenPage, script: bool) -> None:
    page = open_page(ANA, script=script)
    page.goto("/skyline/settings")
    tag = "night rating" if script else "day rating"
    page.get_by_label("Tags").fill(tag)
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.").first).to_be_visible()

    page.goto("/skyline/audit")
    page.get_by_label("What was done").select_option(label="Settings changed")
    if not script:
        page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**action=settings.changed*")
    entries = page.get_by_role("region", name="Entries").locator("ol.trail > li")
    expect(entries.filter(has_not_text="Settings changed")).to_have_count(0)
    entries.first.locator("summary").click()
    expect(entries.first.get_by_role("row", name="Tags")).to_contain_text(tag)
    if script:
        check_accessibility(page)
        check_widths(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert rows
    assert {row["action"] for row in rows} == {"settings.changed"}


@pytest.fixture
def empty_server() -> Iterator[LiveServer]:
    """A web server as it stands after a first start outside the demo."""
    server = LiveServer(f"empty_live_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}", empty=True)
    yield server
    server.stop()


def test_from_an_empty_instance_to_the_first_admins_home(empty_server: LiveServer, browser: Browser) -> None:
    page = browser.new_page(base_url=empty_server.url, reduced_motion="reduce")
    faults = Faults(page, empty_server.url)
    found = re.search(r"http://[^/]+(/setup/\S+)", empty_server.run("tenant", "set-up-link"))
    assert found
    page.goto(found.group(1))
    heading(page, "Set up your school")
    for label, words in (
        ("Name of the school", "Ridge Gliding"), ("Address", "ridge"), ("Your name", "Reto Amsler"),
        ("Your e-mail", "reto@ridge.example"), ("Password", CHOSEN),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Home time zone").select_option("Europe/Zurich")
    page.get_by_role("button", name="Make the school").click()
    expect(page.get_by_text("Ridge Gliding is there.").first).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
    check_accessibility(page)
    check_widths(page)
    page.close()
    faults.assert_none()
