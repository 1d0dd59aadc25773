"""Nobody who tries the demo meets an empty page: every account of the README, everything that its pages lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask

from app.demo.cast import HOUSES, SCHOOLS, TEACHING
from app.foundation import clock
from launcher.run import DEMO_EXTRAS, DEMO_ROLES, DEMO_SCHOOLS
from tests.cast import BO, Person
from tests.client import LintingClient, Page
from tests.demo.whole import WholeDemo, whole_demo

ACCOUNTS = (
    *(Person(f"{role}@{slug}.example", slug) for slug in DEMO_SCHOOLS for role in DEMO_ROLES),
    *(Person(email, "skyline") for email in DEMO_EXTRAS),
    Person(BO.email, "harbour"),
)
FURTHEST = 3
"""So many clicks from the home: to the rail, to what its pages list, to the forms of those."""
RECORD = re.compile(r"/\d+(/|$)")
NOT_READ = re.compile(r"\.(csv|jsonl|json)$|/logout$|/export$")


@pytest.fixture(scope="module")
def demo(the_app: Flask) -> Iterator[WholeDemo]:
    with whole_demo(the_app, "pages") as here:
        yield here


@pytest.mark.parametrize("person", ACCOUNTS, ids=lambda person: f"{person.email.partition('@')[0]}-{person.slug}")
def test_no_page_of_the_account_is_empty(the_app: Flask, demo: WholeDemo, person: Person) -> None:
    pages = list(walk(LintingClient(the_app).sign_in(person), f"/{person.slug}/"))
    assert len(pages) > 5, "the walk finds the rail no more"
    found = [(page.path, words) for page in pages for words in empty_blocks(page)]
    assert [one for one in found if not is_meant(one[1], person)] == []


MEANT = {
    "Nothing is stuck": "work that has failed too often would be a fault of the demo, not a part of it",
    "No lessons today": "an instructor is told so on the days on which they do not teach",
}
"""What may be empty, with the reason."""


def is_meant(words: str, person: Person) -> bool:
    if words.startswith("No lessons today"):
        today = clock.today(SCHOOLS[person.slug].zone)
        days = [weekday for days in TEACHING[person.slug][person.email] for weekday in days]
        return today.weekday() not in days or (today.month, today.day) in HOUSES[person.slug].closed
    return any(words.startswith(beginning) for beginning in MEANT)


def walk(client: LintingClient, home: str) -> Iterator[Page]:
    """The pages that lead from one to the next, records and filters left out: each of those is another of its kind."""
    seen, ring = {home}, [home]
    for _ in range(FURTHEST):
        following = []
        for path in ring:
            page = client.get(path, follow=True)
            assert page.status == 200, f"{path} answers {page.status}"
            yield page
            for address in page.links().values():
                parts = urlsplit(urljoin(path, address))
                new = parts.path
                if parts.netloc or parts.query or RECORD.search(new) or NOT_READ.search(new) or new in seen:
                    continue
                if new.startswith((home, "/account", "/schools")):
                    seen.add(new)
                    following.append(new)
        ring = following


def empty_blocks(page: Page) -> Iterator[str]:
    for element in page.tree.iter():
        if "empty" in (element.get("class") or "").split():
            yield " ".join("".join(element.itertext()).split())
