"""What tells a demo from a real instance: the banner on its pages, and its people beside the sign-in form."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from tests.cast import CAST, LEO, OPERATOR, PASSWORD
from tests.client import LintingClient
from tests.conftest import second_app

PAGES = ["/login", "/skyline/", "/skyline/courses", "/account", "/nowhere/at/all"]


@pytest.fixture
def real(app: Flask) -> Flask:
    """The same schools outside of the demo."""
    made = second_app(replace(app.config["SETTINGS"], demo=False))
    made.config["SESSION_COOKIE_SECURE"] = False  # the tests' client speaks http
    return made


@pytest.mark.parametrize("path", PAGES)
def test_each_page_of_a_demo_carries_one_thin_banner_that_leads_to_its_mail(app: Flask, path: str) -> None:
    client = LintingClient(app)
    page = (client if path == "/login" else client.sign_in(LEO)).get(path)
    assert page.words_of("demo") == "This is a demo. Mail stays here: open the mailbox"
    assert page.link("open the mailbox").follow().h1 == "Mailbox"


@pytest.mark.parametrize("path", PAGES)
def test_a_real_instance_carries_none(real: Flask, path: str) -> None:
    client = LintingClient(real)
    page = (client if path == "/login" else client.sign_in(LEO)).get(path)
    assert page.by_id("demo") is None
    assert "/demo/mailbox" not in page.html


def test_the_demo_s_sign_in_page_lists_its_people_as_text_beside_its_one_form(app: Flask) -> None:
    page = LintingClient(app).get("/login")
    listed = page.by_id("demo-accounts")
    assert listed is not None
    words = page.words_of("demo-accounts")
    assert all(person.email in words for person in (*CAST, OPERATOR))
    assert PASSWORD in words
    assert [e.tag for e in listed.iter() if e.tag in ("form", "button", "a", "input")] == []
    assert [form.action for form in page.forms() if not form.is_inside("bar")] == ["/login"]


def test_a_real_instance_lists_nobody(real: Flask) -> None:
    page = LintingClient(real).get("/login")
    assert page.by_id("demo-accounts") is None
    assert not any(word in page.html for word in (PASSWORD, "skyline.example", "harbour.example"))
