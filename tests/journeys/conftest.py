"""A real browser on a live server.

    def test_a_lesson(open_page):
        page = open_page(LEO)                      # signed in, script on
        page.goto("/skyline/courses")
        check_widths(page)                         # tests/journeys/browsing.py

`browser_page` and `plain_page` are pages with script on and off where nobody is signed in yet. Each module has a server and a
database of its own, with the cast in it. A journey fails if its page logs an error, breaks the content policy or answers 5xx, and
if axe finds fault with any page it was answered: `check_accessibility` is for what a script has changed since.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from launcher.browser import NAMES, WINDOWLESS, installed
from tests.cast import Person
from tests.identity.mailbox import take_from
from tests.journeys.browsing import AXE, Faults, Looks, scriptless
from tests.live import LiveServer

QUIET = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
HERE = Path(__file__).parent
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder is a journey."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.journey)


def chromium(*, keeps_pages: bool = False) -> str:
    """The browser's program; one that keeps whole pages for Back, if that is asked for. Skips the test where there is none."""
    named = os.environ.get("CHROMIUM")
    if keeps_pages:
        found = installed(NAMES) or (named if named and Path(named).name not in WINDOWLESS else None)
    else:
        found = named or installed(WINDOWLESS) or installed(NAMES)
    return str(found or pytest.skip("there is no such Chromium: install one"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def mirror(browser: Browser) -> Page:
    """A page that shows again what others were answered, to be judged by axe."""
    page = browser.new_page(reduced_motion="reduce", locale="en-US")
    page.add_init_script(AXE)
    return page


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """gunicorn on a fresh database, for the tests of one module."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "one")
    server = LiveServer(f"live_{worker}_{request.module.__name__.rpartition('.')[2]}", workers=1)
    yield server
    server.stop()


@pytest.fixture
def open_page(live: LiveServer, the_app: Flask, browser: Browser, mirror: Page) -> Iterator[OpenPage]:
    """Opens pages: `open_page(LEO)`, `open_page(LEO, script=False)`, `open_page(width=390)`. Each is a browser of its own.

    A person is signed in there without the form, which journeys of its own go through.
    """
    contexts: list[BrowserContext] = []
    listeners: list[Faults] = []
    looks: list[Looks] = []

    def opened(
        person: Person | None = None, *, script: bool = True, width: int = 1280, school: str | None = None
    ) -> Page:
        context = browser.new_context(
            base_url=live.url,
            java_script_enabled=script,
            viewport={"width": width, "height": 844},
            reduced_motion="reduce",
            locale="en-US",
        )
        context.set_default_timeout(8000)
        contexts.append(context)
        page = context.new_page()
        if not script:
            scriptless.add(page)
        listeners.append(Faults(page, live.url))
        looks.append(Looks(page))
        if person:
            cookie = live.cookie_of(person.email, app=the_app)
            context.add_cookies([{"name": "groundschool", "value": cookie, "url": live.url, "httpOnly": True}])
            page.goto(f"/{school or person.slug}/" if person.slug else "/schools")
        return page

    yield opened
    try:
        for look in looks:
            look.judge(mirror)
    finally:
        for context in contexts:
            context.close()
    for faults in listeners:
        faults.assert_none()


@pytest.fixture
def browser_page(open_page: OpenPage) -> Page:
    """A page with script on."""
    return open_page()


@pytest.fixture
def plain_page(open_page: OpenPage) -> Page:
    """A page with script off."""
    return open_page(script=False)


@pytest.fixture
def work_off(live: LiveServer, the_app: Flask) -> Callable[[str], int]:
    """Does a school's due work on the live database: `work_off("skyline")` returns how many rows ran."""
    return lambda slug: live.work_off(slug, app=the_app)


@pytest.fixture
def mailed_path(live: LiveServer, work_off: Callable[[str], int]) -> Callable[[str], str]:
    """Where the latest mail to an address leads: `mailed_path("nia@elsewhere.example")`. Does Skyline's due work first."""

    def found(to: str) -> str:
        work_off("skyline")
        return [mail.path for mail in take_from(live.settings) if mail.to == to][-1]

    return found


@pytest.fixture
def inside(live: LiveServer, the_app: Flask):  # type: ignore[no-untyped-def]
    """Works on the live database from the test: `with inside("skyline"): make_course()`. Commits on leaving."""
    return lambda slug=None: live.inside(slug, app=the_app)
