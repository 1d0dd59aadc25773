"""The author's desk: the list, a draft with its versions, and publishing by form."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.courses.models import Course, Publication
from app.courses.operations import import_course, publish_course
from app.courses.queries import find_course_by_slug
from app.foundation import tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.operations.accounts import add_member
from app.identity.queries import find_user_by_email
from app.tenants.operations import create_school
from tests.cast import ADA, ANA, BEA, HAL, LEO, LOU, MAX, Person, actor, at_school
from tests.client import LintingClient, count_statements
from tests.courses.folders import a_course, a_text, write_folder


@pytest.fixture
def course_id(app: Flask, tmp_path: Path) -> int:
    """A draft at Skyline that was never published."""
    with at_school("skyline"):
        course = import_course(write_folder(tmp_path, a_course()), actor=actor(ADA))
        session.commit()
        return course.id


def change(tmp_path: Path) -> None:
    with at_school("skyline"):
        import_course(write_folder(tmp_path, a_course(a_text(title="Reworded"))), actor=actor(ADA))
        session.commit()


def versions_of(course_id: int) -> list[int]:
    with at_school("skyline"):
        return list(session.scalars(select(Publication.version).where(Publication.course_id == course_id)))


def test_the_list_says_what_became_of_each_draft(app: Flask, course_id: int) -> None:
    page = LintingClient(app).sign_in(ADA).get("/skyline/desk")
    assert page.h1 == "Authoring"
    rows = {
        " ".join(head.itertext()).strip(): " ".join(row.itertext())
        for row in page.tree.iter("tr")
        for head in row.iter("th")
        if row.get("id")
    }
    assert "draft" in rows["Clouds for All"]
    assert "published, version 1" in rows["Weather for Private Pilots"]
    assert len(rows) == 4


def test_the_list_is_searched_filtered_and_sorted(app: Flask, course_id: int, tmp_path: Path) -> None:
    client = LintingClient(app).sign_in(ADA)
    assert "Clouds for All" not in client.get("/skyline/desk?search=weather").text
    only_drafts = client.get("/skyline/desk?status=draft").text
    assert "Clouds for All" in only_drafts
    assert "Weather for" not in only_drafts
    assert "No course fits" in client.get("/skyline/desk?status=changed").text
    newest = client.get("/skyline/desk?sort=updated").text
    assert newest.index("Clouds for All") < newest.index("Weather for")
    assert client.get("/skyline/desk?sort=nonsense").status == 400


def test_an_empty_desk_says_what_to_do(app: Flask) -> None:
    new = create_school(slug="newfield", name="Newfield", zone="UTC", actor=SYSTEM)
    with tenancy.tenant_scope(new):
        user = find_user_by_email(ADA.email)
        assert user
        add_member(user, name="Ada Kessler", roles=[Role.AUTHOR], actor=SYSTEM)
        session.commit()
    client = LintingClient(app).sign_in(ADA, school="newfield")
    assert "No course yet" in client.get("/newfield/desk").text


def test_a_draft_is_published_by_form(app: Flask, course_id: int) -> None:
    client = LintingClient(app).sign_in(ADA)
    page = client.get(f"/skyline/desk/{course_id}")
    assert "Not published yet" in page.text
    assert page.words_of("outline") == "Draft"
    page = page.form("Yes, publish version 1").submit()
    assert page.path.endswith(f"/skyline/desk/{course_id}")
    assert "Version 1 is published." in page.text
    assert "by Ada Kessler" in page.text
    assert page.words_of("outline") == "Outline"
    assert versions_of(course_id) == [1]


def test_a_changed_draft_says_so_and_becomes_the_next_version(app: Flask, course_id: int, tmp_path: Path) -> None:
    client = LintingClient(app).sign_in(ANA)
    client.get(f"/skyline/desk/{course_id}").form("Yes, publish version 1").submit()
    change(tmp_path)
    page = client.get(f"/skyline/desk/{course_id}")
    assert "changed since" in page.text
    assert page.words_of("outline") == "Draft"
    page = page.form("Yes, publish version 2").submit()
    assert "changed since" not in page.text
    assert versions_of(course_id) == [1, 2]


def test_a_double_click_makes_one_version(app: Flask, course_id: int) -> None:
    client = LintingClient(app).sign_in(ADA)
    form = client.get(f"/skyline/desk/{course_id}").form("Yes, publish version 1")
    first, second = form.submit(follow=False), form.submit(follow=False)
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert versions_of(course_id) == [1]


def test_nothing_changed_is_refused_where_it_was_asked(app: Flask, course_id: int) -> None:
    """Two people have the page open; the second one's press finds the work done."""
    client = LintingClient(app).sign_in(ADA)
    form = client.get(f"/skyline/desk/{course_id}").form("Yes, publish version 1")
    with at_school("skyline"):
        publish_course(session.get_one(Course, course_id), actor=actor(ADA))
        session.commit()
    page = form.submit()
    assert page.status == 409
    assert "Nothing has changed since version 1." in page.text
    assert versions_of(course_id) == [1]


def test_an_empty_course_is_refused(app: Flask) -> None:
    with at_school("skyline"):
        course = Course(slug="empty", title="Empty", title_key="empty")
        session.add(course)
        session.commit()
        course_id = course.id
    client = LintingClient(app).sign_in(ADA)
    assert "Nothing in it yet" in client.get(f"/skyline/desk/{course_id}").text
    page = client.post(f"/skyline/courses/{course_id}/publication", {"once": "0123456789abcdef"})
    assert page.status == 409
    assert "has no lesson yet" in page.text


def test_the_address_of_the_deed_leads_to_the_draft(app: Flask, course_id: int) -> None:
    answer = LintingClient(app).sign_in(ADA).get(f"/skyline/courses/{course_id}/publication")
    assert (answer.status, answer.location) == (303, f"/skyline/desk/{course_id}")


PAGES = ["/skyline/desk", "/skyline/desk/{id}", "/skyline/courses/{id}/publication"]


@pytest.mark.parametrize("path", PAGES)
def test_another_schools_people_find_nothing(app: Flask, course_id: int, path: str) -> None:
    for person in (HAL, LOU):
        assert LintingClient(app).sign_in(person).get(path.format(id=course_id)).status == 404


@pytest.mark.parametrize("path", PAGES[1:])
def test_a_course_of_another_school_is_not_there(app: Flask, course_id: int, path: str) -> None:
    client = LintingClient(app).sign_in(HAL)
    path = path.format(id=course_id).replace("/skyline", "/harbour")
    assert client.get(path).status == 404
    if path.endswith("publication"):
        assert client.post(path, {"once": "0123456789abcdef"}).status == 404


@pytest.mark.parametrize("person", [BEA, MAX, LEO])
def test_it_needs_rights(app: Flask, course_id: int, person: Person) -> None:
    client = LintingClient(app).sign_in(person)
    for path in PAGES:
        assert client.get(path.format(id=course_id)).status == 403
    assert client.post(f"/skyline/courses/{course_id}/publication", {"once": "0123456789abcdef"}).status == 403
    assert versions_of(course_id) == []


def test_a_bad_id_and_a_wrong_verb(app: Flask, course_id: int) -> None:
    client = LintingClient(app).sign_in(ADA)
    assert client.get("/skyline/desk/0").status == 404
    assert client.get("/skyline/desk/x").status == 404
    assert client.post("/skyline/courses/0/publication", {"once": "0123456789abcdef"}).status == 404
    assert client.post("/skyline/desk", {}).status == 405
    assert client.post(f"/skyline/desk/{course_id}", {}).status == 405


def test_the_pages_ask_the_database_little(app: Flask, course_id: int) -> None:
    client = LintingClient(app).sign_in(ADA)
    with at_school("skyline"):
        weather = find_course_by_slug("weather-for-pilots")
        assert weather
        weather_id = weather.id
    for path in ("/skyline/desk", f"/skyline/desk/{weather_id}"):
        client.get(path)
        with count_statements() as statements:
            client.get(path)
        assert len(statements) <= 6, statements


def test_markup_in_titles_is_shown_as_text(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        tree = a_course(a_text(title="<script>alert(2)</script>"), title="<script>alert(1)</script>")
        course_id = import_course(write_folder(tmp_path, tree), actor=actor(ADA)).id
        session.commit()
    client = LintingClient(app).sign_in(ADA)
    for path in ("/skyline/desk", f"/skyline/desk/{course_id}"):
        assert "<script>alert" not in client.get(path).html


def test_an_id_beyond_all_ids_is_not_there(app: Flask) -> None:
    assert LintingClient(app).sign_in(ADA).get("/skyline/desk/99999999999999999999").status == 404
