"""The pages of assignments, for those who assign and for those whom it is assigned to, as a browser without script sees them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, insert, select

from app.courses.models import Course
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.identity.models import Membership
from app.learning.models import Assignment
from app.tenants.models import Department
from tests.cast import ADA, ANA, BEA, HAL, LEO, MAX, MIA, OLGA, Person, at_school, member
from tests.client import LintingClient, count_statements
from tests.courses.test_catalog import put_in_catalog
from tests.learning.departments import CABIN, TOP, grow_tree
from tests.learning.lessons import start, weather
from tests.learning.test_assigning import assign, complete

PATH = "/skyline/assignments"
NOON = datetime(2037, 11, 24, 20, tzinfo=UTC)
TODAY = date(2037, 11, 24)
DAY = timedelta(days=1)


@pytest.fixture
def max_(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(MAX)


@pytest.fixture
def at_noon(app: Flask) -> Iterator[None]:
    """Noon at Skyline on a Tuesday, long after what the seed wrote. Sign in after it."""
    with time_machine.travel(NOON, tick=False):
        yield


def given_to(course_id: int, to: int | Person | None = None, *, due_on: date | None = None, note: str = "") -> int:
    with at_school("skyline"):
        made = assign(course_id, to=to, due_on=due_on, note=note)
        session.commit()
        return made.id


def count_assignments() -> int:
    with at_school("skyline"):
        return session.scalar(select(func.count()).select_from(Assignment)) or 0


# -- who may -------------------------------------------------------------------------------------------------------


def test_the_litany(app: Flask, course_id: int) -> None:
    one = given_to(course_id)
    for person in (MAX, ANA, OLGA):
        assert LintingClient(app).sign_in(person).get(f"{PATH}/{one}").status == 200, person
    for person in (LEO, BEA, ADA):
        client = LintingClient(app).sign_in(person)
        assert client.get(PATH).status == client.get(f"{PATH}/new").status == client.get(f"{PATH}/{one}").status == 403
        assert client.post(PATH, {"once": "k" * 20}).status == client.post(f"{PATH}/{one}").status == 403
        assert client.post(f"{PATH}/{one}/removal").status == 403
    assert LintingClient(app).sign_in(HAL).get(f"{PATH}/{one}").status == 404
    assert LintingClient(app).sign_in(HAL).get(f"/harbour/assignments/{one}").status == 404
    client = LintingClient(app).sign_in(MAX)
    assert client.get(f"{PATH}/999999").status == client.post(f"{PATH}/999999/removal").status == 404
    assert client.get(f"{PATH}/{one}/removal").location == f"{PATH}/{one}"
    assert client.post(f"{PATH}/{one}", csrf=False).status == 400
    assert client.request("PUT", f"{PATH}/{one}").status == 405
    assert client.get(f"{PATH}?state=lost").status == client.get(f"{PATH}?department=7777777").status == 400
    assert client.get(f"{PATH}/{one}?cursor=x").status == 400
    assert LintingClient(app).get(PATH).status == 303


# -- assigning -----------------------------------------------------------------------------------------------------


def test_a_manager_assigns_a_course_to_a_department(at_noon: None, max_: LintingClient, course_id: int) -> None:
    ids = grow_tree()
    page = max_.get("/skyline/").link("Assignments").follow()
    assert "Nothing is left to complete" in page.text
    form = page.link("Assign a course").follow().form("Assign it")
    assert form.choices("whom")[str(ids["Instrument"])] == "– Instrument"
    made = form.fill(course=str(course_id), whom=str(ids[TOP]), due_on="2037-12-04", note="Before you fly").submit()
    assert "“Clouds for All” is assigned to 24 people." in made.words_of("flash")
    assert made.h1 == "Clouds for All"
    assert "Assigned to: Flight training" in made.words_of("main")
    assert "Fri 4 Dec" in made.words_of("main")
    row = max_.get(PATH).find_all(".//tbody/tr")[0]
    assert " ".join("".join(row.itertext()).split()).startswith("Clouds for All Flight training Fri 4 Dec")


@pytest.mark.parametrize(
    "typed", ["learner01@skyline.example", " LEARNER01@skyline.example ", "mia okafor", "Mia  Okafor"]
)
def test_one_person_is_named_by_address_or_whole_name(max_: LintingClient, course_id: int, typed: str) -> None:
    form = max_.get(f"{PATH}/new?course={course_id}").form("Assign it")
    assert form.value("course") == str(course_id)
    made = form.fill(whom="person", person=typed).submit()
    assert "is assigned to 1 person." in made.words_of("flash")
    assert "Assigned to: Mia Okafor" in made.words_of("main")
    assert "Filter people" not in made.text


def test_the_page_of_a_person_leads_to_the_form(max_: LintingClient) -> None:
    with at_school("skyline"):
        mia = member(MIA).id
    form = max_.get(f"/skyline/people/{mia}").link("Assign a course").follow().form("Assign it")
    assert (form.value("whom"), form.value("person")) == ("person", "learner01@skyline.example")


@pytest.mark.parametrize("query", ["person=999999", "person=seven", "course=seven", "course=999999"])
def test_a_link_that_asks_for_nothing_there_is_answered(max_: LintingClient, query: str) -> None:
    assert max_.get(f"{PATH}/new?{query}").status == (404 if query == "person=999999" else 200)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"course": ""}, "Choose a course."),
        ({"whom": ""}, "Choose whom it is for."),
        ({"course": "999999"}, "Not a valid choice."),
        ({"whom": "999999"}, "Not a valid choice."),
        ({"whom": "person"}, "Give the person’s e-mail or whole name."),
        ({"whom": "person", "person": "Nobody Atall"}, "Nobody here has this e-mail or this whole name."),
        ({"whom": "person", "person": "Mia"}, "Nobody here has this e-mail or this whole name."),
        ({"whom": "person", "person": "learner@harbour.example"}, "Nobody here has this e-mail or this whole name."),
        ({"whom": "person", "person": "learner10@skyline.example"}, "Tomás Navarro is not in at present."),
        ({"person": "Mia Okafor"}, "Choose “One person” above, or leave this empty."),
        ({"due_on": "2037-11-23"}, "That day is over. Choose today or a later one."),
        ({"due_on": "2047-11-23"}, "Choose a day within the next five years."),
        ({"due_on": "tomorrow"}, "Not a valid date value."),
        ({"due_on": "9999-12-31"}, "Choose a day within the next five years."),
        ({"note": "x" * 301}, "Field cannot be longer than 300 characters."),
    ],
)
def test_what_is_typed_wrong_is_said_and_kept(
    at_noon: None, max_: LintingClient, course_id: int, fields: dict[str, str], sentence: str
) -> None:
    with at_school("skyline"):
        jonas = session.scalars(select(Membership).where(Membership.name_key == "tomas navarro")).one()
        jonas.status = "suspended"
        session.commit()
    sent = {
        "once": "k" * 20, "course": str(course_id), "whom": "everybody", "person": "", "due_on": "2037-12-04",
        "note": "Keep this", **fields,
    }  # fmt: skip
    answer = max_.post(PATH, sent)
    assert answer.status == 422
    assert sentence in answer.words_of("errors")
    kept = answer.form("Assign it")
    assert kept.value("note") == sent["note"]
    assert kept.value("person") == sent["person"]
    assert count_assignments() == 0


def test_two_of_one_name_are_told_apart_by_address(max_: LintingClient, course_id: int) -> None:
    with at_school("skyline"):
        namesake, mia = session.get_one(Membership, member(LEO).id), member(MIA)
        namesake.name, namesake.name_key = mia.name, mia.name_key
        session.commit()
    form = max_.get(f"{PATH}/new").form("Assign it").fill(course=str(course_id), whom="person", person="Mia Okafor")
    refused = form.submit()
    assert (refused.status, "Several people are called that. Give the e-mail." in refused.text) == (422, True)
    made = refused.form("Assign it").fill(person="learner01@skyline.example").submit()
    assert "is assigned to 1 person." in made.words_of("flash")


def test_the_same_again_is_refused_with_what_was_typed(max_: LintingClient, course_id: int) -> None:
    given_to(course_id)
    form = max_.get(f"{PATH}/new").form("Assign it").fill(course=str(course_id), whom="everybody", note="Again")
    refused = form.submit()
    assert refused.status == 409
    assert "That course is assigned to them already." in refused.text
    assert refused.form("Assign it").value("note") == "Again"
    assert count_assignments() == 1


def test_a_double_click_assigns_once(max_: LintingClient, course_id: int) -> None:
    form = max_.get(f"{PATH}/new").form("Assign it").fill(course=str(course_id), whom="everybody")
    answers = [form.submit(follow=False) for _click in range(2)]
    assert [answer.status for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    with at_school("skyline"):
        assert session.scalar(select(func.count()).where(OutboxEvent.name == "CourseAssigned")) == 1


def test_without_a_published_course_there_is_nothing_to_assign(max_: LintingClient) -> None:
    with at_school("skyline"):
        for course in session.scalars(select(Course)):
            course.archived_at = clock.now()
        session.commit()
    assert "No course to assign yet" in max_.get(f"{PATH}/new").text


# -- looking after it ----------------------------------------------------------------------------------------------


def test_the_page_says_how_far_each_is(at_noon: None, max_: LintingClient, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        complete(course_id, MIA)
        session.commit()
    start(LintingClient(max_.app).sign_in(LEO), course_id).form("Next").submit()
    one = given_to(course_id, ids[TOP], due_on=TODAY - DAY)
    page = max_.get(f"{PATH}/{one}")
    rows = {row[0].find(".//a").text: " ".join("".join(row.itertext()).split()) for row in page.find_all(".//tbody/tr")}
    assert "completed Tue 24 Nov" in rows["Mia Okafor"]
    assert "overdue" not in rows["Mia Okafor"]
    assert "33 %" in rows["Leo Hart"]
    assert "overdue" in rows["Leo Hart"]
    assert len(rows) == 24
    assert "1 of 24" in page.words_of("main")
    narrowed = page.form("Filter people").fill(state="begun").submit()
    assert [link for link in narrowed.links() if link == "Leo Hart"] == ["Leo Hart"]
    assert "Mia Okafor" not in narrowed.links()
    assert "Nobody like that" in max_.get(f"{PATH}/{one}?search=nobody").text
    below = max_.get(f"{PATH}/{one}").form("Filter people").choices("department")
    assert [word.strip("– ") for word in below.values()] == ["All", TOP, "Commercial", "Instrument", "Private pilots"]


def test_the_day_and_the_note_are_changed(at_noon: None, max_: LintingClient, course_id: int) -> None:
    one = given_to(course_id, due_on=TODAY + DAY, note="Soon")
    form = max_.get(f"{PATH}/{one}").form("Save")
    assert (form.value("due_on"), form.value("note")) == ("2037-11-25", "Soon")
    saved = form.fill(due_on="2037-12-24", note="By Christmas").submit()
    assert "The assignment is saved." in saved.words_of("flash")
    assert "Thu 24 Dec" in saved.words_of("main")
    refused = saved.form("Save").fill(due_on="2037-11-01", note="Kept").submit()
    assert (refused.status, "That day is over." in refused.text) == (422, True)
    assert refused.form("Save").value("note") == "Kept"
    assert "no day" in saved.form("Save").fill(due_on="").submit().words_of("main")


def test_a_day_that_is_over_stays_where_only_the_note_is_changed(
    at_noon: None, max_: LintingClient, course_id: int
) -> None:
    one = given_to(course_id, due_on=TODAY - DAY)
    saved = max_.get(f"{PATH}/{one}").form("Save").fill(note="Still").submit()
    assert "The assignment is saved." in saved.words_of("flash")


def test_what_a_colleague_changed_is_shown_and_what_was_typed_is_kept(
    at_noon: None, app: Flask, max_: LintingClient, course_id: int
) -> None:
    one = given_to(course_id, due_on=TODAY + DAY)
    mine = max_.get(f"{PATH}/{one}").form("Save").fill(note="Typed by Max")
    LintingClient(app).sign_in(ANA).get(f"{PATH}/{one}").form("Save").fill(due_on="2037-12-24").submit()
    refused = mine.submit()
    assert refused.status == 409
    assert "Somebody else changed this assignment while you did." in refused.text
    assert "Thu 24 Dec" in refused.words_of("main")
    again = refused.form("Save")
    assert again.value("note") == "Typed by Max"
    saved = again.fill(due_on="2037-12-24").submit()
    assert "The assignment is saved." in saved.words_of("flash")


def test_what_a_colleague_took_back_is_said(app: Flask, max_: LintingClient, course_id: int) -> None:
    one = given_to(course_id)
    change, removal = (max_.get(f"{PATH}/{one}").form(button) for button in ("Save", "Take it back now"))
    LintingClient(app).sign_in(ANA).get(f"{PATH}/{one}").form("Take it back now").submit()
    assert change.fill(note="x").submit().status == removal.submit().status == 404


def test_it_is_taken_back(max_: LintingClient, course_id: int) -> None:
    one = given_to(course_id, LEO)
    page = max_.get(f"{PATH}/{one}").form("Take it back now").submit()
    assert "The assignment is taken back." in page.words_of("flash")
    assert count_assignments() == 0
    assert max_.get(f"{PATH}/{one}").status == 404


def test_an_empty_department_says_what_happens_with_it(max_: LintingClient, course_id: int) -> None:
    with at_school("skyline"):
        gliders = Department(name="Gliders")
        session.add(gliders)
        session.commit()
        gliders_id = gliders.id
    assert "Nobody is in it yet" in max_.get(f"{PATH}/{given_to(course_id, gliders_id)}").text


def test_a_list_that_nothing_fits_says_so(max_: LintingClient, course_id: int) -> None:
    given_to(course_id)
    assert "No assignment fits" in max_.get(f"{PATH}?search=zeppelins").text
    assert "No assignment fits" in max_.get(f"{PATH}?state=done").text


def test_admins_find_it_below_the_school(app: Flask) -> None:
    page = LintingClient(app).sign_in(ANA).get("/skyline/school").link("Assignments").follow()
    assert page.h1 == "Assignments"


# -- those whom it is assigned to ----------------------------------------------------------------------------------


def test_home_catalog_and_course_say_what_is_assigned_to_me(at_noon: None, app: Flask, course_id: int) -> None:
    ids = grow_tree()
    given_to(course_id, ids[TOP], due_on=TODAY + 10 * DAY, note="Before you fly")
    leo = LintingClient(app).sign_in(LEO)
    assigned = leo.get("/skyline/").words_of("assigned")
    assert "Clouds for All" in assigned
    assert "Not started yet." in assigned
    assert "due Fri 4 Dec" in assigned
    only = leo.get("/skyline/").link("All that is assigned").follow()
    assert [card.get("id") for card in only.find_all(".//article[@class='course']")] == [f"course-{course_id}"]
    assert "assigned, due Fri 4 Dec" in only.words_of(f"course-{course_id}")
    assert only.form("Apply").value("assigned") == "yes"
    course = leo.get(f"/skyline/courses/{course_id}").words_of("main")
    assert "assigned, due Fri 4 Dec Before you fly Assigned by Max Abara" in course
    cabin = LintingClient(app).sign_in(CABIN)
    assert cabin.get("/skyline/").by_id("assigned") is None
    assert "assigned" not in cabin.get("/skyline/courses").form("Apply").names()
    assert "assigned" not in cabin.get(f"/skyline/courses/{course_id}").words_of("main")


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "overdue since Mon 23 Nov"), (0, "due today"), (3, "due Fri 27 Nov"), (4, "due Sat 28 Nov"), (None, "")],
)
def test_the_day_is_told_by_how_near_it_is(
    at_noon: None, app: Flask, course_id: int, days: int | None, words: str
) -> None:
    given_to(course_id, LEO, due_on=TODAY + days * DAY if days is not None else None)
    home = LintingClient(app).sign_in(LEO).get("/skyline/")
    assert words in home.words_of("assigned")
    assert ("due" in home.words_of("assigned")) is bool(words)


def test_what_is_completed_is_asked_for_no_more(at_noon: None, app: Flask, course_id: int) -> None:
    given_to(course_id, LEO, due_on=TODAY - DAY)
    with at_school("skyline"):
        complete(course_id, LEO)
        session.commit()
    leo = LintingClient(app).sign_in(LEO)
    assert leo.get("/skyline/").by_id("assigned") is None
    assert "overdue" not in leo.get("/skyline/courses").words_of(f"course-{course_id}")
    assert "It was assigned to you." in leo.get(f"/skyline/courses/{course_id}").words_of("main")


def test_staff_are_asked_too(at_noon: None, app: Flask, course_id: int) -> None:
    given_to(course_id)
    for person in (BEA, ADA, ANA, MAX, OLGA):
        assert "Clouds for All" in LintingClient(app).sign_in(person).get("/skyline/").words_of("assigned"), person


def test_a_managers_home_counts_what_is_overdue(at_noon: None, app: Flask, course_id: int) -> None:
    def overdue() -> str:
        return LintingClient(app).sign_in(MAX).get("/skyline/").words_of("top")

    assert "0 assignments overdue" in overdue()
    given_to(course_id, LEO, due_on=TODAY - DAY)
    given_to(course_id, MIA, due_on=TODAY)
    assert "1 assignment overdue" in overdue()
    page = LintingClient(app).sign_in(MAX).get("/skyline/").find(".//a[@class='stat stop']")
    assert page is not None
    assert page.get("href") == f"{PATH}?state=overdue"
    with at_school("skyline"):
        complete(course_id, LEO)
        session.commit()
    assert "0 assignments overdue" in overdue()


# -- one person ----------------------------------------------------------------------------------------------------


def test_the_courses_of_one_person_are_on_one_page(at_noon: None, app: Flask, course_id: int) -> None:
    ids = grow_tree()
    given_to(course_id, ids[TOP], due_on=TODAY - DAY)
    with at_school("skyline"):
        leo, other = member(LEO).id, weather()
        assign(other, to=LEO)
        session.commit()
    start(LintingClient(app).sign_in(LEO), course_id).form("Next").submit()
    manager = LintingClient(app).sign_in(MAX)
    page = manager.get(f"/skyline/people/{leo}").link("Their courses").follow()
    assert page.h1 == "Courses of Leo Hart"
    assert [row.get("id") for row in page.find_all(".//tbody/tr")] == [f"record-{course_id}", f"record-{other}"]
    assert "33 % 33 % overdue since Mon 23 Nov Tue 24 Nov" in page.words_of(f"record-{course_id}")
    assert "not begun no day –" in page.words_of(f"record-{other}")
    listed = manager.get("/skyline/").link("Leo Hart").follow()
    assert listed.h1 == "Courses of Leo Hart"
    with at_school("skyline"):
        complete(course_id, LEO)
        session.commit()
    words = manager.get(f"/skyline/people/{leo}/courses").words_of(f"record-{course_id}")
    assert "completed Tue 24 Nov Mon 23 Nov" in words


def test_what_is_not_theirs_is_not_on_it(at_noon: None, app: Flask, course_id: int) -> None:
    ids = grow_tree()
    given_to(course_id, ids[TOP])
    given_to(course_id, LEO)
    with at_school("skyline"):
        cabin = member(CABIN).id
    page = LintingClient(app).sign_in(ANA).get(f"/skyline/people/{cabin}/courses")
    assert "has begun none, and none is assigned to them." in page.text
    assert LintingClient(app).sign_in(LEO).get(f"/skyline/people/{cabin}/courses").status == 403
    assert LintingClient(app).sign_in(HAL).get(f"/harbour/people/{cabin}/courses").status == 404


@pytest.mark.parametrize("why", ["archived", "suspended"])
def test_who_cannot_be_asked_is_not_overdue(at_noon: None, app: Flask, course_id: int, why: str) -> None:
    given_to(course_id, LEO, due_on=TODAY - DAY)
    start(LintingClient(app).sign_in(LEO), course_id)
    with at_school("skyline"):
        leo = member(LEO)
        if why == "archived":
            session.get_one(Course, course_id).archived_at = NOON
        else:
            leo.status = "suspended"
        session.commit()
        path = f"/skyline/people/{leo.id}/courses"
    words = LintingClient(app).sign_in(MAX).get(path).words_of(f"record-{course_id}")
    assert "0 %" in words
    assert "overdue" not in words


def test_many_courses_of_one_person_are_paged_in_few_statements(app: Flask) -> None:
    with at_school("skyline"):
        leo = member(LEO).id
        for n in range(30):
            put_in_catalog(f"more-{n}", f"More {n:02}")
        for course in session.scalars(select(Course).where(Course.slug.like("more-%"))):
            session.add(Assignment(course_id=course.id, membership_id=leo, assigned_at=clock.now()))
        session.commit()
    manager, path = LintingClient(app).sign_in(MAX), f"/skyline/people/{leo}/courses"
    first = manager.get(path)
    with count_statements() as statements:
        manager.get(path)
    assert len(statements) <= 6, statements
    second = first.link("Next").follow()
    names = ["".join(row.find("th").itertext()) for page in (first, second) for row in page.find_all(".//tbody/tr")]
    assert names == [f"More {n:02}" for n in range(30)]


# -- speed ---------------------------------------------------------------------------------------------------------


def test_pages_ask_little_of_the_database_however_many_there_are(max_: LintingClient, course_id: int) -> None:
    ids = grow_tree()
    one = given_to(course_id, ids[TOP])
    with at_school("skyline") as here:
        people = session.scalars(select(Membership.id)).all()
        rows = [{"tenant_id": here.id, "course_id": course_id, "membership_id": person} for person in people]
        session.execute(insert(Assignment), rows)
        session.commit()
    for path in (PATH, f"{PATH}/new?person={people[0]}", f"{PATH}/{one}", f"{PATH}?department={ids[TOP]}"):
        max_.get(path)
        with count_statements() as statements:
            max_.get(path)
        assert len(statements) <= 6, statements


def test_a_learner_s_pages_ask_as_little(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    given_to(course_id, ids[TOP])
    leo = LintingClient(app).sign_in(LEO)
    for path in ("/skyline/", "/skyline/courses", "/skyline/courses?assigned=yes", f"/skyline/courses/{course_id}"):
        leo.get(path)
        with count_statements() as statements:
            leo.get(path)
        assert len(statements) <= 6, statements
