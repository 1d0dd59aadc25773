"""An operator opens a school, suspends it and ends that, in a browser with script and in one without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.cast import HAL, OPERATOR
from tests.journeys.browsing import check_widths

OpenPage = Callable[..., Page]


@pytest.mark.parametrize("path", ["", "/new", "/skyline", "?search=nothing-like-it"])
def test_the_console_fits_every_screen_and_everybody(open_page: OpenPage, path: str) -> None:
    page = open_page(OPERATOR)
    page.goto(f"/operator/schools{path}")
    expect(page.get_by_role("banner").get_by_role("link", name="Operator", exact=True)).to_be_visible()
    check_widths(page)


def test_a_list_narrows_as_one_types(open_page: OpenPage) -> None:
    page = open_page(OPERATOR)
    page.goto("/operator/schools")
    page.get_by_label("Search").fill("harb")
    expect(page.get_by_role("link", name="Skyline Flight School")).to_have_count(0)
    expect(page.get_by_role("link", name="Harbour Aviation Academy")).to_be_visible()
    assert "search=harb" in page.url


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_school_is_opened_and_its_admin_comes_in(open_page: OpenPage, script: bool) -> None:
    slug = f"ridge-{'with' if script else 'without'}"
    page = open_page(OPERATOR, script=script)
    page.goto("/operator/schools")
    page.get_by_role("link", name="New school").click()
    page.get_by_label("Name of the school").fill(f"Ridge Gliding {slug}")
    page.get_by_label("Address", exact=True).fill(slug)
    page.get_by_label("Home time zone").select_option("Europe/Zurich")
    page.get_by_label("Name of its first admin").fill("Reto Amsler")
    page.get_by_label("E-mail of its first admin").fill(f"reto@{slug}.example")
    page.get_by_role("button", name="Open school").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Ridge Gliding {slug} is open")
    check_widths(page)
    link = page.locator("main code").inner_text()

    admin = open_page(script=script)
    admin.goto("/" + link.split("/", 3)[3])
    admin.get_by_label("Password").fill("gusting from the west")
    admin.get_by_role("button", name="Accept the invitation").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Today")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_school_is_suspended_and_opened_again(open_page: OpenPage, script: bool) -> None:
    admin = open_page(HAL, script=script)
    page = open_page(OPERATOR, script=script, width=390)
    page.goto("/operator/schools/harbour")
    page.locator("summary", has_text="Suspend").click()
    page.get_by_label("Reason").fill("The invoice of October is not paid")
    page.get_by_role("button", name="Suspend school").click()
    expect(page.get_by_text("Suspended since")).to_be_visible()
    page.goto("/operator/schools")
    expect(page.get_by_text("Suspended", exact=True).last).to_be_visible()

    told = admin.goto("/schools?stay=1")
    assert told
    expect(admin.get_by_text("The school is suspended: nobody can come in")).to_be_visible()

    page.goto("/operator/schools/harbour")
    page.get_by_role("button", name="End the suspension").click()
    expect(page.get_by_text("Harbour Aviation Academy is open again.").first).to_be_visible()
    admin.goto("/harbour/")
    expect(admin.get_by_role("heading", level=1, name="Today")).to_be_visible()
