"""What journeys do in a browser: sign in, listen for faults, check accessibility and width."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response, Route, expect
from playwright.sync_api import Error as PlaywrightError

from tests.cast import PASSWORD, Person

AXE = (Path(__file__).parents[1] / "vendor/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_AXE = """async (rules) => {
  const found = await axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']});
  return found.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200) + ' — ' +
    (n.any.concat(n.all, n.none)[0]?.message ?? ''))}));
}"""
BE_STILL = """async () => {
  for (let ends = [null]; ends.length;) {  // What moved may have set what inherits from it in motion.
    await Promise.allSettled(ends.map(a => a?.finished));
    await new Promise(requestAnimationFrame);
    ends = document.getAnimations().filter(a => a.effect.getComputedTiming().endTime !== Infinity);
  }
}"""
WIDTHS = (390, 768, 1280)
NUMBERS = re.compile(r"\d+|(?<=/)[\w.-]{30,}")

BOTH_WAYS = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])

scriptless: WeakSet[Page] = WeakSet()
"""The pages that were opened with script off."""


def sign_in(page: Page, person: Person, school: str | None = None) -> Page:
    """Sign in through the form, to the person's own school unless another is named, and stand on the page that follows."""
    page.goto(f"/login?next=/schools&tenant={school or person.slug}")
    fill_in_sign_in(page, person.email)
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def fill_in_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Send the sign-in form that the page shows."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def heading(page: Page, words: str, *, look: bool = True) -> None:
    """The page is the one of this heading, on every screen. One that is gone both ways is looked at once."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    if look:
        check_widths(page)


def check_accessibility(page: Page) -> None:
    """No violation of WCAG 2.2 A and AA on the page as it stands, in light and in dark."""
    if page in scriptless:
        with _twin_with_script(page) as twin:
            check_accessibility(twin)
        return
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert_accessible(page, f"{page.url} in {scheme}")
    page.emulate_media(color_scheme="null", reduced_motion="reduce")


def assert_accessible(page: Page, where: str) -> None:
    """No violation on the page in the colors it has; `where` is what a failure calls it."""
    page.evaluate(BE_STILL)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    violations = page.evaluate(RUN_AXE, RULES)
    assert not violations, f"{where}:\n{_listed(violations)}"


def check_widths(page: Page, widths: tuple[int, ...] = WIDTHS) -> None:
    """Nothing sticks out to the side, on a phone, a tablet or a desk."""
    before = page.viewport_size
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        over = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
        assert over <= 0, f"{page.url} is {over} px too wide at {width} px"
    if before:
        page.set_viewport_size(before)


@contextmanager
def _twin_with_script(page: Page) -> Iterator[Page]:
    """The same page in a browser that runs scripts, because axe is one."""
    assert page.context.browser
    context = page.context.browser.new_context(viewport=page.viewport_size, storage_state=page.context.storage_state())
    twin, html = context.new_page(), page.content()
    twin.add_init_script(AXE)
    twin.route(page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    twin.goto(page.url)
    yield twin
    context.close()


class Looks:
    """Keeps each page that a browser was answered, so that no journey can forget to judge it: each address once an
    answer, in light where scripts run and in dark where none do."""

    seen: ClassVar[set[tuple[object, ...]]] = set()

    def __init__(self, page: Page) -> None:
        self.page = page
        self.scheme = "dark" if page in scriptless else "light"
        self.size = page.viewport_size
        self.kept: list[tuple[str, str]] = []
        page.on("response", self._keep)

    def _keep(self, answer: Response) -> None:
        if answer.status in (204, 301, 302, 303, 304) or not answer.request.is_navigation_request():
            return
        path = NUMBERS.sub("N", urlsplit(answer.url).path)
        key = (path, answer.status, self.scheme)
        if key in self.seen or not answer.headers.get("content-type", "").startswith("text/html"):
            return
        with suppress(PlaywrightError):  # The browser forgets an answer when it has gone on in haste.
            self.kept.append((answer.url, answer.text()))
            self.seen.add(key)

    def judge(self, mirror: Page) -> None:
        """Axe on all that was kept, in another browser's page: one that runs scripts, because axe is one."""
        with suppress(PlaywrightError):
            self.page.title()  # What it was answered last is kept by now.
        if self.kept and self.size:
            mirror.set_viewport_size(self.size)
            mirror.emulate_media(color_scheme=self.scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for url, html in self.kept:
            mirror.route(lambda asked, url=url: asked == url, _answering(html), times=1)  # type: ignore[misc]
            mirror.goto(url)
            assert_accessible(mirror, f"{url} in {self.scheme}")


def _answering(html: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")


class Faults:
    """Listens to a page: errors of scripts, refusals of the content policy, broken files and failed answers."""

    def __init__(self, page: Page, own: str) -> None:
        self.own = own
        self.found: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.found.append(f"script error: {error}"))
        page.on("response", self._judge)

    def assert_none(self) -> None:
        assert not self.found, "\n".join(self.found)

    def _hear(self, message: ConsoleMessage) -> None:
        # What the server answers is judged by its status below; the browser repeats each 4xx as an error.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.found.append(f"console {message.type}: {message.text}")

    def _judge(self, response: Response) -> None:
        if not response.url.startswith((self.own, "data:", "about:")):
            self.found.append(f"asked another site: {response.url}")
        elif response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
            self.found.append(f"{response.status} for {response.request.method} {response.url}")


def _listed(violations: list[dict[str, Any]]) -> str:
    return "\n".join(f"{v['id']}: {v['help']}\n    " + "\n    ".join(v["nodes"]) for v in violations)
