"""Whom a course is for: chosen at the desk, each department with those below it, and what it changes for whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from app.audit.queries import list_entries_about
from app.courses.models import Course
from app.courses.operations import choose_audience, import_course
from app.courses.queries import Reader, is_for, list_audience_ids, list_catalog, list_catalog_levels
from app.foundation.db import session
from app.foundation.pages import ListQuery
from app.foundation.refusals import Refusal
from app.tenants.models import Department
from app.tenants.queries import department_ids_below, list_departments
from tests.cast import ADA, ANA, BEA, HAL, LEO, LOU, MAX, MIA, OLGA, Person, actor, at_school
from tests.client import LintingClient, Page
from tests.courses.folders import a_course, write_folder
from tests.learning.departments import CABIN, TOP, grow_tree, move_to, narrow
from tests.learning.lessons import start

CATALOG = "/skyline/courses"


def finds(client: LintingClient, course_id: int) -> bool:
    return client.get(CATALOG).by_id(f"course-{course_id}") is not None


def audience_page(app: Flask, course_id: int, person: Person = ADA) -> Page:
    return LintingClient(app).sign_in(person).get(f"/skyline/desk/{course_id}/audience")


# -- choosing ------------------------------------------------------------------------------------------------------


def test_an_author_chooses_and_the_desk_says_whom_it_is_for(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    desk = LintingClient(app).sign_in(ADA).get(f"/skyline/desk/{course_id}")
    assert "Everybody" in desk.words_of("main")
    page = desk.link("Change whom the course is for").follow()
    assert "Flight training 24 people" in page.words_of("main")
    saved = page.form("Save").fill(departments=[ids[TOP]]).submit()
    assert "The course is now for: Flight training." in saved.words_of("flash")
    again = saved.link("Change whom the course is for").follow().form("Save")
    assert again.data().getlist("departments") == [str(ids[TOP])]
    saved = again.fill(departments=[]).submit()
    assert "The course is for everybody now." in saved.words_of("flash")
    with at_school("skyline"):
        assert list_audience_ids(course_id) == []
        chosen = [
            entry for entry in list_entries_about("Course", course_id) if entry.action == "course.audience_chosen"
        ]
        assert [(entry.before, entry.after) for entry in reversed(chosen)] == [
            ({"audience": []}, {"audience": [ids[TOP]]}),
            ({"audience": [ids[TOP]]}, {"audience": []}),
        ]


def test_choosing_the_same_again_is_no_deed(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    for _press in range(2):
        audience_page(app, course_id).form("Save").fill(departments=[ids[TOP], ids["Cabin crew"]]).submit()
    with at_school("skyline"):
        assert list_audience_ids(course_id) == sorted([ids[TOP], ids["Cabin crew"]])
        assert [e.action for e in list_entries_about("Course", course_id)].count("course.audience_chosen") == 1


def test_what_a_colleague_chose_meanwhile_is_not_overwritten_unseen(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    mine, theirs = (audience_page(app, course_id, person).form("Save") for person in (ADA, ANA))
    theirs.fill(departments=[ids["Instrument"], ids["Cabin crew"]]).submit()
    refused = mine.fill(departments=[ids["Commercial"]]).submit()
    assert refused.status == 409
    assert "it is now for Cabin crew, Instrument" in refused.words_of("errors")
    again = refused.form("Save")
    assert again.data().getlist("departments") == [str(ids["Commercial"])]
    assert "The course is now for: Commercial." in again.submit().words_of("flash")


@pytest.mark.parametrize("typed", [["999999"], ["seven"], ["harbour"]])
def test_what_is_no_department_here_is_refused_and_nothing_changes(
    app: Flask, course_id: int, typed: list[str]
) -> None:
    ids = grow_tree()
    narrow(course_id, ids["Instrument"])
    with at_school("harbour"):
        theirs = str(list_departments()[0].id)
    client = LintingClient(app).sign_in(ADA)
    sent = {"read": str(ids["Instrument"]), "departments": [theirs if one == "harbour" else one for one in typed]}
    answer = client.post(f"/skyline/desk/{course_id}/audience", sent)
    assert answer.status == 422
    with at_school("skyline"):
        assert list_audience_ids(course_id) == [ids["Instrument"]]


def test_a_department_that_goes_meanwhile_is_refused(app: Flask, course_id: int) -> None:
    with at_school("skyline"), pytest.raises(Refusal, match="not there any more"):
        choose_audience(session.get_one(Course, course_id), [999_999_999], actor=actor(ADA))


def test_who_may_choose(app: Flask, course_id: int) -> None:
    path = f"/skyline/desk/{course_id}/audience"
    for person in (ADA, ANA, OLGA):
        assert LintingClient(app).sign_in(person).get(path).status == 200, person
    for person in (LEO, BEA, MAX):
        client = LintingClient(app).sign_in(person)
        assert client.get(path).status == client.post(path).status == 403, person
    for person in (HAL, LOU):
        assert LintingClient(app).sign_in(person).get(path).status == 404, person
    ada = LintingClient(app).sign_in(ADA)
    assert ada.post(path, csrf=False).status == 400
    assert ada.get("/skyline/desk/999999/audience").status == 404
    assert ada.request("PUT", path).status == 405
    assert LintingClient(app).get(path).status == 303


def test_a_school_without_departments_is_told_what_to_do(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        session.execute(Department.__table__.delete())
        session.commit()
    assert "No departments yet" in audience_page(app, course_id).text


def test_a_department_that_a_course_is_for_is_not_removed(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        empty = Department(name="Gliders")
        session.add(empty)
        session.flush()
        choose_audience(session.get_one(Course, course_id), [empty.id], actor=actor(ADA))
        session.commit()
        gliders = empty.id
    ana = LintingClient(app).sign_in(ANA)
    refused = ana.get(f"/skyline/departments/{gliders}").form("Remove it").submit()
    assert refused.status == 409
    assert "A course is kept for Gliders. Choose whom it is for under Authoring first." in refused.text
    assert "Gliders" in ana.get("/skyline/departments").text
    narrow(course_id)
    assert "Gliders is removed." in ana.get(f"/skyline/departments/{gliders}").form("Remove it").submit().text


# -- what it changes -----------------------------------------------------------------------------------------------


def test_a_department_includes_those_below_it(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    narrow(course_id, ids[TOP])
    leo, mia, cabin = (LintingClient(app).sign_in(person) for person in (LEO, MIA, CABIN))
    assert (finds(leo, course_id), finds(mia, course_id), finds(cabin, course_id)) == (True, True, False)
    narrow(course_id, ids["Instrument"])
    assert (finds(leo, course_id), finds(mia, course_id), finds(cabin, course_id)) == (False, True, False)
    narrow(course_id, ids["Instrument"], ids["Cabin crew"])
    assert (finds(leo, course_id), finds(mia, course_id), finds(cabin, course_id)) == (False, True, True)
    narrow(course_id)
    assert all(finds(client, course_id) for client in (leo, mia, cabin))


def test_whom_it_is_not_for_finds_it_nowhere(app: Flask, course_id: int) -> None:
    narrow(course_id, grow_tree()["Cabin crew"])
    leo, path = LintingClient(app).sign_in(LEO), f"{CATALOG}/{course_id}"
    assert leo.get(path).status == leo.post(f"{path}/enrollment", {"once": "k" * 20}).status == 404
    assert leo.get(f"{path}/enrollment").status == 404
    assert leo.get(f"{path}/lessons/sky/steps/clouds").status == 404
    assert leo.get(f"{CATALOG}?search=yoke").by_id(f"course-{course_id}") is None
    cabin = LintingClient(app).sign_in(CABIN)
    assert cabin.get(f"{CATALOG}?search=yoke").by_id(f"course-{course_id}") is not None
    assert start(cabin, course_id).h1 == "Clouds"


def test_a_level_of_courses_for_others_is_no_choice(app: Flask) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        for course in list_catalog(ListQuery(sort="title", chosen={"level": "private"}), reader=Reader()).rows:
            choose_audience(course, [ids["Cabin crew"]], actor=actor(ADA))
        session.commit()
        assert list_catalog_levels(Reader(ids["Instrument"])) == ["student"]
        assert list_catalog_levels(Reader(ids["Cabin crew"])) == ["private", "student"]
        assert list_catalog_levels(Reader(finds_all=True)) == ["private", "student"]
    leo = LintingClient(app).sign_in(LEO)
    assert "private" not in leo.get(CATALOG).form("Apply").choices("level")


def test_whoever_has_begun_keeps_it(app: Flask, course_id: int) -> None:
    leo = LintingClient(app).sign_in(LEO)
    start(leo, course_id)
    narrow(course_id, grow_tree()["Cabin crew"])
    assert finds(leo, course_id)
    assert not finds(LintingClient(app).sign_in(MIA), course_id)
    assert leo.get(f"{CATALOG}/{course_id}/enrollment").location == f"{CATALOG}/{course_id}"
    again = leo.post(f"{CATALOG}/{course_id}/enrollment", {"once": "k" * 20})
    assert again.location == f"{CATALOG}/{course_id}/lessons/sky/steps/clouds"
    page = leo.get(f"{CATALOG}/{course_id}")
    assert page.link("Continue").follow().form("Next").submit().status == 200
    assert "Clouds for All" in leo.get("/skyline/").words_of("courses")


def test_whoever_is_in_no_department_finds_what_is_for_everybody(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    leo = LintingClient(app).sign_in(LEO)
    move_to(LEO, None)
    assert finds(leo, course_id)
    narrow(course_id, *ids.values())
    assert not finds(leo, course_id)
    assert leo.get(f"{CATALOG}/{course_id}").status == 404


def test_who_moves_finds_what_is_for_them_now(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    narrow(course_id, ids["Cabin crew"])
    leo = LintingClient(app).sign_in(LEO)
    assert not finds(leo, course_id)
    move_to(LEO, ids["Cabin crew"])
    assert finds(leo, course_id)


@pytest.mark.parametrize("person", [BEA, MAX, ADA, ANA])
def test_staff_find_every_course_and_read_whom_it_is_for(app: Flask, course_id: int, person: Person) -> None:
    ids = grow_tree()
    narrow(course_id, ids["Instrument"], ids["Cabin crew"])
    client = LintingClient(app).sign_in(person)
    assert "For: Cabin crew, Instrument" in client.get(CATALOG).words_of(f"course-{course_id}")
    assert client.get(f"{CATALOG}/{course_id}").status == 200


def test_a_learner_is_not_told_whom_else_it_is_for(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    narrow(course_id, ids[TOP], ids["Cabin crew"])
    assert "For:" not in LintingClient(app).sign_in(LEO).get(CATALOG).words_of(f"course-{course_id}")


def test_drafts_stay_with_those_at_the_desk(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        draft = import_course(write_folder(tmp_path, a_course(slug="draft")), actor=actor(ADA))
        session.commit()
        path = f"{CATALOG}/{draft.id}"
    for person in (LEO, MAX):
        assert LintingClient(app).sign_in(person).get(path).status == 404


# -- files ---------------------------------------------------------------------------------------------------------


def test_departments_of_a_file_are_whom_it_is_for(app: Flask, tmp_path: Path) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        tree = a_course(departments=[" Instrument", "Cabin crew"])
        course = import_course(write_folder(tmp_path, tree), actor=actor(ADA))
        assert list_audience_ids(course.id) == sorted([ids["Instrument"], ids["Cabin crew"]])
        choose_audience(course, [ids[TOP]], actor=actor(ADA))
        import_course(write_folder(tmp_path, a_course(title="Clouds, again")), actor=actor(ADA))
        assert list_audience_ids(course.id) == [ids[TOP]]
        import_course(
            write_folder(tmp_path, a_course(title="Clouds, again", departments=["Commercial"])), actor=actor(ADA)
        )
        assert list_audience_ids(course.id) == [ids["Commercial"]]


# -- any tree ------------------------------------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_any_tree_it_is_for_those_who_lie_in_one_of_its_departments(app: Flask, data: st.DataObject) -> None:
    """The parent of number n is one before it, or none. What the database says is what walking up says."""
    count = data.draw(st.integers(1, 7), label="departments")
    parents = [data.draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(count)]
    chosen = data.draw(st.sets(st.integers(0, count - 1)), label="audience")
    with at_school("skyline") as here:
        course = session.scalars(select(Course).where(Course.slug == "airspace")).one()
        made: list[int] = []
        for n, parent in enumerate(parents):
            row = {"tenant_id": here.id, "name": f"Any {n}", "parent_id": made[parent] if parent is not None else None}
            made.append(session.execute(insert(Department).values(row).returning(Department.id)).scalar_one())
        choose_audience(course, [made[n] for n in chosen], actor=actor(ADA))
        for n in range(count):
            up, way = n, {n}
            while (above := parents[up]) is not None:
                up = above
                way.add(up)
            expected = not chosen or bool(way & chosen)
            assert is_for(course.id, made[n]) is expected
            page = list_catalog(ListQuery(sort="title"), reader=Reader(made[n]))
            assert (course.id in {found.id for found in page.rows}) is expected
            assert {m for m in range(count) if made[n] in set(session.scalars(department_ids_below(made[m])))} == way
        assert is_for(course.id, None) is (not chosen)
        session.rollback()
