"""Catalog, course and step, as a browser with script off sees them, and as htmx asks for them."""

from __future__ import annotations

import pytest
from flask import Flask, url_for
from sqlalchemy import select

from app.courses.models import Course
from app.courses.operations import import_course
from app.foundation import clock
from app.foundation.db import session
from app.learning.models import Enrollment
from app.learning.views.player import course_path, step_path
from tests.cast import ADA, ANA, BEA, LEO, LOU, MAX, Person, actor, at_school
from tests.client import LintingClient, count_statements
from tests.courses.folders import a_course, write_folder
from tests.learning.lessons import STEPS, begin, start, take_quiz, taking_of, weather

CATALOG = "/skyline/courses"


def step_url(course_id: int, lesson_key: str = "sky", step_key: str = "clouds") -> str:
    return f"{CATALOG}/{course_id}/lessons/{lesson_key}/steps/{step_key}"


# -- the catalog ---------------------------------------------------------------------------------------------------


def test_the_catalog_shows_each_course_with_my_state(leo: LintingClient, course_id: int) -> None:
    page = leo.get(CATALOG)
    assert "not started" in page.words_of(f"course-{course_id}")
    page.form("Start Clouds for All").submit().form("Next").submit()
    words = leo.get(CATALOG).words_of(f"course-{course_id}")
    assert "in progress" in words
    assert "33 %" in words
    assert "not started" not in words


def test_a_completed_course_says_so_and_offers_nothing_to_continue(leo: LintingClient, course_id: int) -> None:
    page = start(leo, course_id).form("Next").submit()
    take_quiz(page, {"which-cloud": ["a"], "which-ice": ["k-rime", "k-clear"]}).form("Finish lesson").submit()
    done = leo.get(step_url(course_id, "wind", "gusts")).form("Finish lesson").submit()
    assert "Course completed: Clouds for All." in done.words_of("flash")
    assert "100 %" in done.text
    assert "Continue" not in done.text
    words = leo.get(CATALOG).words_of(f"course-{course_id}")
    assert "completed" in words
    assert "Continue" not in words


def test_the_catalog_s_continue_opens_the_exact_step(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id)
    leo.get(step_url(course_id, "wind", "gusts"))
    assert leo.get(CATALOG).link("Continue Clouds for All").follow().h1 == "Gusts"


def test_search_and_level_narrow_the_catalog(leo: LintingClient, course_id: int) -> None:
    page = leo.get(CATALOG).form("Search courses").fill(search="yoke").submit()
    assert page.find_all(".//article[@class='course']")[0].get("id") == f"course-{course_id}"
    assert len(page.find_all(".//article[@class='course']")) == 1
    levels = leo.get(CATALOG).form("Apply").choices("level")
    assert levels == {"": "All levels", "private": "Private", "student": "Student"}
    narrowed = leo.get(f"{CATALOG}?level=private")
    assert len(narrowed.find_all(".//article[@class='course']")) == 1
    assert "No course fits" in leo.get(f"{CATALOG}?search=zeppelins").text


@pytest.mark.parametrize("query", ["level=none", "sort=color", "cursor=x"])
def test_a_broken_filter_is_a_bad_request(leo: LintingClient, query: str) -> None:
    assert leo.get(f"{CATALOG}?{query}").status == 400


def test_an_empty_catalog_says_what_to_expect(leo: LintingClient) -> None:
    with at_school("skyline"):
        for course in session.scalars(select(Course)):
            course.archived_at = clock.now()
        session.commit()
    assert "No courses yet" in leo.get(CATALOG).text


# -- a course ------------------------------------------------------------------------------------------------------


def test_the_outline_marks_what_is_done_and_where_i_am(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id).form("Next").submit()
    page = leo.get(f"{CATALOG}/{course_id}")
    rows = page.find_all(".//ol[@class='lessons']/li")
    assert "1 of 2 steps" in "".join(rows[0].itertext())
    assert [row.get("aria-current") for row in rows] == ["step", None]
    assert "33 %" in page.text
    assert "1 of 3" in page.text


def test_a_lesson_is_entered_at_its_first_open_step(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id).form("Next").submit()
    assert leo.get(f"{CATALOG}/{course_id}").link("The Sky").follow().h1 == "Check yourself"


def test_before_starting_the_outline_shows_no_way_in(leo: LintingClient, course_id: int) -> None:
    page = leo.get(f"{CATALOG}/{course_id}")
    assert "The Sky" in page.text
    assert "The Sky" not in page.links()


def test_who_is_in_an_archived_course_goes_on_and_nobody_else_begins(
    app: Flask, leo: LintingClient, course_id: int
) -> None:
    start(leo, course_id)
    with at_school("skyline"):
        session.get_one(Course, course_id).archived_at = clock.now()
        session.commit()
    assert leo.get(f"{CATALOG}/{course_id}").link("Continue").follow().h1 == "Clouds"
    page = LintingClient(app).sign_in(MAX).get(f"{CATALOG}/{course_id}")
    assert "takes no new learners" in page.text
    assert "Start course" not in page.text


def test_a_draft_is_no_course_to_take(app: Flask, tmp_path, course_id: int) -> None:  # type: ignore[no-untyped-def]
    with at_school("skyline"):
        draft = import_course(write_folder(tmp_path / "draft", a_course(slug="draft")), actor=actor(ADA)).id
        session.commit()
    assert LintingClient(app).sign_in(LEO).get(f"{CATALOG}/{draft}").status == 404
    assert LintingClient(app).sign_in(ADA).get(f"{CATALOG}/{draft}").status == 404


# -- a step --------------------------------------------------------------------------------------------------------


def test_next_and_previous_lead_through_a_lesson(leo: LintingClient, course_id: int) -> None:
    page = start(leo, course_id)
    assert (page.h1, page.title.split(" · ")[:2]) == ("Clouds", ["Clouds", "Clouds for All"])
    assert "Lesson 1 of 2 · Step 1 of 2" in page.text
    page = page.form("Next").submit()
    assert page.h1 == "Check yourself"
    page = page.link("Previous").follow()
    assert page.h1 == "Clouds"
    assert "Done" in page.words_of("step")


def test_the_last_step_ends_the_lesson_quietly(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id)
    page = leo.get(step_url(course_id, "wind", "gusts"))
    page = page.form("Finish lesson").submit()
    assert page.path == f"{CATALOG}/{course_id}"
    assert "Lesson done: The Wind." in page.words_of("flash")


def test_leaving_the_last_step_of_an_unfinished_lesson_claims_nothing(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id)
    page = leo.get(step_url(course_id, "sky", "quiz-clouds")).form("To the outline").submit()
    assert page.path == f"{CATALOG}/{course_id}"
    assert page.words_of("flash") == ""
    assert page.link("Continue").follow().h1 == "Gusts"


def test_a_step_writes_only_where_i_am_and_only_when_that_changed(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id)
    leo.get(step_url(course_id, "wind", "gusts"))
    leo.get(step_url(course_id))
    for expected in (1, 0):
        with count_statements() as statements:
            leo.get(step_url(course_id, "wind", "gusts"))
        writes = [s for s in statements if not s.lstrip().lower().startswith("select")]
        assert len(writes) == expected
        assert len(statements) == 3 + expected, (
            "sign-in, the person in the course, the bell; lessons come from the cache"
        )
    with at_school("skyline"):
        assert taking_of(course_id).here.key == "gusts"
        assert taking_of(course_id).done == frozenset()


def test_htmx_gets_the_step_alone_with_title_address_and_focus(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id)
    page = leo.partial(step_url(course_id))
    assert page.title.startswith("Clouds · Clouds for All")
    assert page.headers["HX-Push-Url"] == step_url(course_id)
    heading = page.find(".//article[@id='step']/h1")
    assert heading is not None
    assert {"tabindex": "-1", "autofocus": ""}.items() <= heading.attrib.items()
    assert page.by_id("main") is None


def test_next_by_htmx_answers_with_the_next_step_and_its_address(leo: LintingClient, course_id: int) -> None:
    form = start(leo, course_id).form("Next")
    page = form.submit(partial=True)
    assert page.h1 == "Check yourself"
    assert page.headers["HX-Push-Url"] == step_url(course_id, step_key="quiz-clouds")
    assert page.by_id("step") is not None


def test_a_step_without_having_begun_leads_to_the_course(leo: LintingClient, course_id: int) -> None:
    page = leo.get(step_url(course_id), follow=True)
    assert page.path == f"{CATALOG}/{course_id}"
    assert "Start the course first" in page.words_of("flash")
    assert page.form("Start course")
    assert leo.post(step_url(course_id) + "/completion").location == f"{CATALOG}/{course_id}"
    with at_school("skyline"):
        assert session.scalars(select(Enrollment)).all() == []


@pytest.mark.parametrize("path", ["lessons/sky/steps/none", "lessons/none/steps/clouds", "lessons/wind/steps/clouds"])
def test_a_step_the_version_does_not_have_is_not_there(leo: LintingClient, course_id: int, path: str) -> None:
    start(leo, course_id)
    assert leo.get(f"{CATALOG}/{course_id}/{path}").status == 404


def test_addresses_are_built_as_the_router_would(the_app: Flask, course_id: int) -> None:
    with at_school("skyline") as school, the_app.test_request_context(f"/{school.slug}/"):
        begin(course_id)
        for place in taking_of(course_id).outline.places:
            built = url_for(
                "learning.step_show", tenant="skyline", course_id=course_id, lesson_key=place.lesson_key,
                step_key=place.key,
            )  # fmt: skip
            assert step_path(course_path(course_id), place) == built


@pytest.mark.parametrize("person", [BEA, ADA, MAX, ANA])
def test_staff_take_courses_on_the_same_pages(app: Flask, course_id: int, person: Person) -> None:
    page = start(LintingClient(app).sign_in(person), course_id)
    assert page.form("Next").submit().h1 == "Check yourself"


def test_one_person_s_place_is_not_another_s(app: Flask, leo: LintingClient, course_id: int) -> None:
    start(leo, course_id).form("Next").submit()
    other = LintingClient(app).sign_in(MAX)
    start(other, course_id)
    assert "33 %" not in other.get(f"{CATALOG}/{course_id}").text


# -- the door ------------------------------------------------------------------------------------------------------

POSTS = ("completion", "attempts", "submission", "questions/which-cloud/answer")
GETS = ("", "/completion", "/attempts", "/submission", "/review", "/questions/which-cloud")


def test_lou_of_harbour_finds_nothing(app: Flask, leo: LintingClient, course_id: int) -> None:
    """Neither below Skyline's name nor by Skyline's ids below Harbour's."""
    start(leo, course_id)
    lou = LintingClient(app).sign_in(LOU)
    for slug in ("skyline", "harbour"):
        base = f"/{slug}/courses/{course_id}"
        steps = [f"{base}/lessons/sky/steps/{step}{more}" for step in STEPS for more in GETS]
        for path in (base, f"{base}/enrollment", *steps):
            assert lou.get(path).status == 404, path
        for path in (f"{base}/enrollment", *(f"{base}/lessons/sky/steps/quiz-clouds/{post}" for post in POSTS)):
            assert lou.post(path, {"once": "k" * 32, "attempt": "1"}).status == 404, path
    assert lou.get(CATALOG).status == 404
    assert "Clouds for All" not in lou.get("/harbour/courses").text


def test_nobody_signed_in_is_led_to_sign_in(app: Flask, course_id: int) -> None:
    stranger = LintingClient(app)
    for path in (CATALOG, f"{CATALOG}/{course_id}", step_url(course_id)):
        assert stranger.get(path).location.startswith("/login?next=/skyline/courses")


def test_ids_that_are_none_and_verbs_that_are_wrong(leo: LintingClient) -> None:
    course = weather()
    assert leo.get(f"{CATALOG}/999999").status == 404
    assert leo.get(f"{CATALOG}/x").status == 404
    assert leo.post(f"{CATALOG}/999999/enrollment", {"once": "k" * 32}).status == 404
    assert leo.post(CATALOG).status == 405
    assert leo.post(f"{CATALOG}/{course}").status == 405
    assert leo.post(step_url(course, "metar-and-taf", "read-a-metar")).status == 405


def test_a_get_on_a_deed_leads_to_its_page(leo: LintingClient, course_id: int) -> None:
    start(leo, course_id)
    assert leo.get(f"{CATALOG}/{course_id}/enrollment").location == f"{CATALOG}/{course_id}"
    quiz = step_url(course_id, step_key="quiz-clouds")
    for deed in ("completion", "attempts", "submission"):
        assert leo.get(f"{quiz}/{deed}").location == quiz
    answer = f"{quiz}/questions/which-cloud/answer"
    assert leo.get(answer).location == f"{quiz}/questions/which-cloud"
