"""A course is kept for a department, assigned, taken and looked after: in a browser, with script and without."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.cast import ADA, ANA, LEO, MAX, MIA
from tests.journeys.browsing import BOTH_WAYS, check_accessibility, check_widths, heading

OpenPage = Callable[..., Page]
COURSES = {True: "Airspace at a Glance", False: "Radio Calls at Towered Airports"}
"""One for the way with script, and one for the way without."""


@BOTH_WAYS
def test_a_course_is_kept_for_a_department_and_those_below_it(open_page: OpenPage, script: bool) -> None:
    title, above = COURSES[script], "Flying" if script else "Gliding"
    ana = open_page(ANA, script=script)
    ana.goto("/skyline/departments")
    ana.get_by_label("Name").fill(above)
    ana.get_by_role("button", name="Add department").click()
    expect(ana.get_by_text(f"{above} is added.").first).to_be_visible()
    ana.get_by_role("link", name="Private pilots", exact=True).click()
    ana.get_by_label("Below").select_option(label=above)
    ana.get_by_role("button", name="Save department").click()

    ada = open_page(ADA, script=script)
    ada.goto("/skyline/desk")
    ada.get_by_role("link", name=title, exact=True).click()
    heading(ada, title)
    ada.get_by_role("link", name="Change whom the course is for").click()
    heading(ada, "Whom the course is for")
    check_widths(ada)
    ada.get_by_label(re.compile(f"^{above}")).check()
    ada.get_by_role("button", name="Save", exact=True).click()
    expect(ada.get_by_text(f"The course is now for: {above}.").first).to_be_visible()
    heading(ada, title)

    for person, found in ((LEO, 1), (MIA, 0)):
        page = open_page(person, script=script, width=390)
        page.goto("/skyline/courses")
        heading(page, "Courses")
        expect(page.get_by_role("link", name=title, exact=True)).to_have_count(found)


@BOTH_WAYS
def test_a_course_is_assigned_taken_and_looked_after(
    open_page: OpenPage, work_off: Callable[[str], int], script: bool
) -> None:
    title = COURSES[script]
    manager = open_page(MAX, script=script)
    manager.get_by_role("link", name="Assignments", exact=True).first.click()
    heading(manager, "Assignments")
    manager.get_by_role("link", name="Assign a course").first.click()
    heading(manager, "Assign a course")
    check_widths(manager)
    manager.get_by_label("Course", exact=True).select_option(label=title)
    manager.get_by_label("For", exact=True).select_option(label="One person")
    manager.get_by_label("Note").fill("Before your check ride")
    manager.get_by_role("button", name="Assign it").click()
    expect(manager.get_by_text("Give the person’s e-mail or whole name.").first).to_be_visible()
    expect(manager.get_by_label("Note")).to_have_value("Before your check ride")
    if script:
        check_accessibility(manager)
    manager.get_by_label("Person").fill(LEO.email)
    manager.get_by_role("button", name="Assign it").click()
    expect(manager.get_by_text(f"“{title}” is assigned to 1 person.").first).to_be_visible()
    heading(manager, title)
    expect(manager.get_by_role("row", name="Leo Hart")).to_contain_text("not begun")
    check_widths(manager)
    where = manager.url

    work_off("skyline")
    leo = open_page(LEO, script=script, width=390)
    expect(leo.locator("#assigned")).to_contain_text(title)
    check_widths(leo)
    leo.goto("/skyline/notifications")
    note = leo.locator("li, article").filter(has_text=f"“{title}” is assigned to you").first
    note.get_by_role("button", name="Open").click()
    heading(leo, title)
    expect(leo.get_by_role("main")).to_contain_text("Before your check ride")
    leo.get_by_role("button", name="Start course").click()
    expect(leo.get_by_role("button", name="Next")).to_be_visible()
    leo.get_by_role("button", name="Next").click()
    expect(leo.get_by_text(re.compile("Step 2 of")).first).to_be_visible()

    manager.goto(where)
    row = manager.get_by_role("row", name="Leo Hart")
    expect(row.get_by_role("progressbar")).to_be_visible()
    expect(row).not_to_contain_text("not begun")
    manager.locator("summary", has_text="Take it back").click()
    manager.get_by_role("button", name="Take it back now").click()
    expect(manager.get_by_text("The assignment is taken back.").first).to_be_visible()
    leo.goto("/skyline/")
    heading(leo, "Today")
    expect(leo.locator("#assigned")).to_have_count(0)


@BOTH_WAYS
def test_assignments_are_found_by_state_and_department(open_page: OpenPage, script: bool) -> None:
    title = "Weather for Private Pilots"
    manager = open_page(MAX, script=script)
    manager.goto("/skyline/assignments/new")
    manager.get_by_label("Course", exact=True).select_option(label=title)
    manager.get_by_label("For", exact=True).select_option(label="Instrument" if script else "Cabin crew")
    manager.get_by_role("button", name="Assign it").click()
    heading(manager, title)
    manager.get_by_label("State").select_option(label="Completed")
    if not script:
        manager.get_by_role("button", name="Apply").click()
    expect(manager.get_by_text("Nobody like that")).to_be_visible()
    manager.goto("/skyline/assignments")
    manager.get_by_label("Department").select_option(label="Commercial")
    if not script:
        manager.get_by_role("button", name="Apply").click()
    expect(manager.get_by_text("No assignment fits")).to_be_visible()
    if script:
        check_widths(manager)
