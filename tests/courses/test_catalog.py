"""The catalog: what is published, found by title, summary and text, page by page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.courses.models import Course, Publication
from app.courses.operations import import_course, publish_course
from app.courses.queries import Reader, list_catalog, list_catalog_levels
from app.courses.rules import SEARCH_LANGUAGES, prefix_query, search_language
from app.foundation import clock
from app.foundation.db import session
from app.foundation.pages import ListQuery
from tests.cast import ADA, actor, at_school
from tests.courses.folders import a_course, write_folder

WEATHER, RADIO, AIRSPACE = "Weather for Private Pilots", "Radio Calls at Towered Airports", "Airspace at a Glance"


def titles(search: str = "", sort: str = "title", **chosen: str) -> list[str]:
    page = list_catalog(ListQuery(search=search, sort=sort, chosen=chosen), reader=Reader())
    return [course.publication.title for course in page.rows]  # type: ignore[union-attr]


def published(tmp_path: Path, **over: Any) -> Course:
    course = import_course(write_folder(tmp_path, a_course(**over)), actor=actor(ADA))
    publish_course(course, actor=actor(ADA))
    return course


def put_in_catalog(slug: str, title: str) -> None:
    """A row of the catalog without lessons behind it, for lists that only need many."""
    course = Course(slug=slug, title=title, title_key=title.casefold())
    session.add(course)
    session.flush()
    publication = Publication(
        course_id=course.id, version=1, title=title, outline={"modules": []}, step_count=0, lesson_count=0, checksum="",
        published_at=clock.now(),
    )  # fmt: skip
    session.add(publication)
    session.flush()
    course.publication_id = publication.id


def test_drafts_and_archived_courses_are_not_in_it(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        import_course(write_folder(tmp_path, a_course()), actor=actor(ADA))
        assert titles() == [AIRSPACE, RADIO, WEATHER]
        session.query(Course).filter(Course.slug == "airspace").update({"archived_at": clock.now()})
        assert titles() == [RADIO, WEATHER]


def test_each_school_has_its_own(app: Flask) -> None:
    with at_school("harbour"):
        assert titles() == [RADIO, WEATHER]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("thunderstorms", {WEATHER}),
        ("thunderstorm", {WEATHER}),
        ("thunderst", {WEATHER}),
        ("density alt", {WEATHER}),
        ("GLANCE", {AIRSPACE}),
        ("radio read back", {RADIO}),
        ("zeppelin", set()),
        ("metar -taf", set()),
        ("' & | ! ( :*", set()),
        ("%", set()),
    ],
)
def test_search_looks_inside_lessons(app: Flask, search: str, found: set[str]) -> None:
    with at_school("skyline"):
        assert set(titles(search)) == found


def test_a_course_in_another_language_is_found_by_its_own_word_forms_or_word_for_word(
    app: Flask, tmp_path: Path
) -> None:
    with at_school("skyline"):
        published(tmp_path, title="Wolken über Häusern", language="de")
        assert titles("wolken") == ["Wolken über Häusern"]
        assert titles("häus") == ["Wolken über Häusern"]


def test_levels_filter(app: Flask) -> None:
    with at_school("skyline"):
        assert list_catalog_levels(Reader()) == ["private", "student"]
        assert titles(level="private") == [WEATHER]


def test_the_newest_come_first_if_asked(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        published(tmp_path)
        assert titles(sort="newest")[0] == "Clouds for All"


@pytest.mark.parametrize("sort", ["title", "newest"])
def test_pages_show_each_course_once(app: Flask, tmp_path: Path, sort: str) -> None:
    """More courses than fit on a page, some with the same title."""
    with at_school("skyline"):
        for n in range(27):
            put_in_catalog(f"course-{n}", f"Course {n // 3:02}")
        seen: list[int] = []
        cursor = ""
        while True:
            page = list_catalog(ListQuery(sort=sort, cursor=cursor), reader=Reader())
            seen += [course.id for course in page.rows]
            if page.after is None:
                break
            cursor = page.after
        assert len(seen) == len(set(seen)) == 30


@pytest.mark.parametrize(("tag", "configuration"), [("en", "english"), ("pt-BR", "portuguese"), ("ja", "simple")])
def test_the_language_chooses_the_word_forms(tag: str, configuration: str) -> None:
    assert search_language(tag) == configuration


def test_postgres_knows_each_search_language(app: Flask) -> None:
    from sqlalchemy import text

    with at_school("skyline"):
        known = set(session.scalars(text("select cfgname::text from pg_ts_config")))
    assert set(SEARCH_LANGUAGES.values()) <= known


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("density alt", "'density' & 'alt':*"),
        ("fog -ice", ""),
        ('"dew point"', ""),
        ("fog or ice", ""),
        ("o'hare", "'o' & 'hare':*"),
        ("!!", ""),
    ],
)
def test_the_last_word_may_be_unfinished(typed: str, query: str) -> None:
    assert prefix_query(typed) == query
