"""Kept parts: drawn once, shown to many, and never one person's to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask, render_template_string
from jinja2 import DictLoader, UndefinedError
from jinja2.environment import Template

from app.foundation import clock, csrf, db
from app.foundation.forms import Form
from app.foundation.kept import init_kept
from app.scheduling.models import Booking
from tests.cast import ANA, LEO, MAX, OLGA, Person, at_school, member
from tests.client import LintingClient

HEAD = '{{ kept("layout/head.html", theme=theme, brand_css=none) }}'


@pytest.fixture
def drawn(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The parts that were drawn, each time they were. The application's own is put back afterwards."""
    names: list[str] = []
    draw = Template.render
    standing = app.jinja_env.globals["kept"]
    init_kept(app)

    def noted(template: Template, *args: object, **kwargs: object) -> str:
        names.append(template.name or "")
        return draw(template, *args, **kwargs)

    monkeypatch.setattr(Template, "render", noted)
    yield names
    app.jinja_env.globals["kept"] = standing


def test_a_part_is_drawn_once_for_each_set_of_inputs(app: Flask, drawn: list[str]) -> None:
    with app.test_request_context():
        first = render_template_string(HEAD, theme="dark")
        assert render_template_string(HEAD, theme="dark") == first
        assert render_template_string(HEAD, theme="light") != first
        assert render_template_string(HEAD, theme="dark", lang="de") == first
    assert drawn.count("layout/head.html") == 3


def test_a_part_that_reads_more_than_its_inputs_fails_at_once(app: Flask, drawn: list[str]) -> None:
    """Else the first person's name would be shown to the second."""
    with app.test_request_context(), pytest.raises(UndefinedError, match="theme"):
        render_template_string('{{ kept("layout/_account.html", tenant=none, name="Leo Hart") }}')


def test_each_session_gets_its_own_token_in_a_kept_form(app: Flask, drawn: list[str]) -> None:
    def token_on(page: str) -> str:
        found = re.search(r'action="/theme">\s*<input type="hidden" name="csrf_token" value="([^"]+)"', page)
        assert found
        return found.group(1)

    leo, other = LintingClient(app).sign_in(LEO), LintingClient(app).sign_in(LEO)
    pages = [client.get("/skyline/courses").html for client in (leo, other)]
    assert drawn.count("layout/_bar.html") == 1
    assert token_on(pages[0]) != token_on(pages[1])
    assert not any(csrf.SLOT in page for page in pages)
    # A token of another session would be refused here with 400.
    assert other.post("/theme", {"theme": "dark", "csrf_token": token_on(pages[1])}, csrf=False).status == 303


def test_a_part_with_a_session_s_token_written_in_is_never_kept(
    app: Flask, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form drawn past `csrf_token()` would hand one person's token to the next."""
    careless = DictLoader({"careless.html": "{{ form.csrf_token }}"})
    monkeypatch.setattr(app.jinja_env, "loader", careless)
    with app.test_request_context(), pytest.raises(RuntimeError, match="token of one session"):
        render_template_string('{{ kept("careless.html", form=form) }}', form=Form(formdata=None))


def test_times_in_a_kept_row_are_each_reader_s(app: Flask) -> None:
    """Else whoever looks second reads the first one's zone."""
    start = clock.now() + timedelta(days=2)
    with at_school("skyline"):
        member(ANA).zone, member(OLGA).zone = "Asia/Tokyo", "Africa/Nairobi"
        db.session.add(
            Booking(learner_id=member(LEO).id, status="approved", starts_at=start, ends_at=start + timedelta(hours=1))
        )
        db.session.commit()
    ana, olga = (LintingClient(app).sign_in(who).get("/skyline/bookings").html for who in (ANA, OLGA))
    assert " JST</a>" in ana
    assert " JST</a>" not in olga
    assert " EAT</a>" in olga


def test_a_day_that_is_kept_gets_its_year_when_that_is_over(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.jinja_env, "loader", DictLoader({"day.html": "{{ one | day }}"}))
    for now, words in ((datetime(2026, 12, 31, 12), "Thu 31 Dec"), (datetime(2027, 1, 2, 12), "Thu 31 Dec 2026")):
        with app.test_request_context(), time_machine.travel(now.replace(tzinfo=UTC), tick=False):
            assert render_template_string('{{ kept("day.html", one=one) }}', one=date(2026, 12, 31)) == words


def test_people_see_their_own_name_and_rail(app: Flask) -> None:
    for _round in range(2):
        leo = LintingClient(app).sign_in(LEO).get("/skyline/courses")
        ana = LintingClient(app).sign_in(ANA).get("/skyline/courses")
        assert "Leo Hart" in leo.html
        assert "Leo Hart" not in ana.html
        assert "Requests" in ana.links()
        assert "Requests" not in leo.links()
        current = ana.find(".//nav[@class='rail']/a[@aria-current='page']")
        assert current is not None
        assert current.get("href") == "/skyline/courses"


def test_what_is_reached_by_a_card_of_the_schools_page_lights_that_page(app: Flask) -> None:
    def lit(person: Person, path: str) -> str | None:
        current = LintingClient(app).sign_in(person).get(path).find(".//nav[@class='rail']/a[@aria-current='page']")
        return None if current is None else current.get("href")

    for path in ("resources", "departments", "assignments", "assignments/new", "audit"):
        assert lit(ANA, f"/skyline/{path}") == "/skyline/school", path
    assert lit(MAX, "/skyline/assignments/new") == "/skyline/assignments"
    with at_school("skyline"):
        leo = member(LEO).id
    for person in (ANA, MAX):
        assert lit(person, f"/skyline/people/{leo}/courses") == "/skyline/people"
    assert lit(ANA, "/skyline/week") == "/skyline/week"
