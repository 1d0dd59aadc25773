"""Assigning a course: to a department with those below it, to one person, to everybody; what that changes for them."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select

from app.audit.queries import list_entries_about
from app.courses.models import Course
from app.foundation import clock, tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.models import Job, OutboxEvent
from app.foundation.pages import ListQuery
from app.foundation.refusals import Refusal
from app.identity.models import Membership
from app.learning.models import Assignment, Enrollment
from app.learning.operations import (
    AssignmentChanged,
    CourseIsClosed,
    Everybody,
    IsAssigned,
    IsTakenBack,
    assign_course,
    change_assignment,
    complete_step,
    remind,
    remove_assignment,
)
from app.learning.queries import (
    Mine,
    courses_of,
    find_assignment_line,
    find_standing,
    is_theirs,
    list_assigned_people,
    list_assignments,
    list_assignments_from_above,
    list_open_assignments_of,
    list_people_to_tell,
)
from app.tenants.models import Department
from app.tenants.operations import remove_department
from tests.cast import ANA, BEA, LEO, LOU, MAX, MIA, Person, actor, at_school, member
from tests.client import LintingClient
from tests.learning.departments import CABIN, TOP, grow_tree, move_to, narrow
from tests.learning.lessons import begin, start, taking_of

CATALOG = "/skyline/courses"
NOW = datetime(2037, 11, 24, 18, 30, tzinfo=UTC)
"""Tuesday 24 November 2037, 10:30 at Skyline."""
TODAY = date(2037, 11, 24)
DAY = timedelta(days=1)


def assign(course_id: int, *, to: int | Person | None = None, due_on: date | None = None, note: str = "") -> Assignment:
    """Max assigns a course to a department, a person, or everybody; a school must be in force."""
    course, whom = session.get_one(Course, course_id), audience(to)
    made = assign_course(course, to=whom, due_on=due_on, note=note, actor=actor(MAX))
    session.flush()
    return made


def audience(to: int | Person | None) -> Department | Membership | Everybody:
    if isinstance(to, int):
        return session.get_one(Department, to)
    return member(to) if to else Everybody()


def change(assignment: Assignment, *, due_on: date | None, note: str = "") -> Assignment:
    """Max changes it, over what it is now."""
    return change_assignment(assignment, due_on=due_on, note=note, version=str(assignment.version), actor=actor(MAX))


def complete(course_id: int, person: Person) -> None:
    begin(course_id, person)
    taking = taking_of(course_id, person)
    for place in taking.outline.places:
        complete_step(taking.enrollment_id, place, actor=actor(person))


def query(state: str | None = None, *, search: str = "", department: int | None = None, sort: str = "due") -> ListQuery:
    chosen = {"state": state, "department": str(department) if department else None}
    return ListQuery(search=search, sort=sort, chosen={name: value for name, value in chosen.items() if value})


def listed(state: str | None = None, *, today: date = TODAY, **more: Any) -> list[int]:
    return [line.assignment.id for line in list_assignments(query(state, **more), today=today).rows]


# -- the deeds -----------------------------------------------------------------------------------------------------


def test_assigning_is_audited_and_announced(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        made = assign(course_id, to=ids["Instrument"], due_on=TODAY + DAY, note="Soon, please")
        entry = list_entries_about("Assignment", made.id)[0]
        assert (entry.action, entry.actor_id) == ("assignment.created", member(MAX).id)
        assert entry.after == {
            "course_id": course_id, "department_id": ids["Instrument"], "membership_id": None, "due_on": "2037-11-25",
            "note": "changed",
        }  # fmt: skip
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.name == "CourseAssigned")).one()
        assert event.payload == {"assignment_id": made.id, "actor_id": member(MAX).id}


def test_the_same_again_is_refused_and_other_people_are_not(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        for to in (ids["Instrument"], ids[TOP], LEO, MIA, None):
            assign(course_id, to=to)
            with pytest.raises(IsAssigned), session.begin_nested():
                assign(course_id, to=to, due_on=TODAY)
        assert session.scalar(select(func.count()).select_from(Assignment)) == 5


def test_what_takes_no_learners_cannot_be_assigned(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        session.get_one(Course, course_id).archived_at = clock.now()
        with pytest.raises(CourseIsClosed):
            assign(course_id)


@pytest.mark.parametrize("status", ["pending", "suspended", "erased"])
def test_who_is_not_in_is_asked_nothing(app: Flask, course_id: int, status: str) -> None:
    with at_school("skyline"):
        mia = member(MIA)
        mia.status = status
        with pytest.raises(Refusal, match="is not in"):
            assign_course(session.get_one(Course, course_id), to=mia, due_on=None, actor=actor(MAX))


def test_a_department_that_went_meanwhile_is_refused(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        gone = Department(name="Gliders")
        session.add(gone)
        session.flush()
        remove_department(gone, actor=actor(ANA))
        with pytest.raises(Refusal, match="not there any more"):
            assign_course(session.get_one(Course, course_id), to=gone, due_on=None, actor=actor(MAX))


def test_a_department_that_something_is_assigned_to_is_not_removed(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        gliders = Department(name="Gliders")
        session.add(gliders)
        session.flush()
        made = assign(course_id, to=gliders.id)
        with pytest.raises(Refusal, match="A course is assigned to Gliders"), session.begin_nested():
            remove_department(gliders, actor=actor(ANA))
        remove_assignment(made, actor=actor(MAX))
        remove_department(gliders, actor=actor(ANA))


def test_a_change_is_audited_and_another_day_announced(app: Flask, course_id: int) -> None:
    with at_school("skyline"), time_machine.travel(NOW, tick=False):
        made = assign(course_id, due_on=TODAY + 9 * DAY)
        change(made, due_on=TODAY + 9 * DAY, note="")
        change(made, due_on=TODAY + 9 * DAY, note="Soon")
        change(made, due_on=None, note="Soon")
        session.flush()
        entries = [(e.action, e.before, e.after) for e in reversed(list_entries_about("Assignment", made.id))]
        assert entries[1:] == [
            ("assignment.changed", {"note": ""}, {"note": "changed"}),
            ("assignment.changed", {"due_on": "2037-12-03"}, {"due_on": None}),
        ]
        moved = session.scalars(select(OutboxEvent.payload).where(OutboxEvent.name == "AssignmentMoved")).all()
        assert moved == [{"assignment_id": made.id, "actor_id": member(MAX).id}]


def test_taking_it_back_leaves_what_people_did(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        made = assign(course_id, to=LEO)
        begin(course_id)
        remove_assignment(made, actor=actor(MAX))
        assert list_entries_about("Assignment", made.id)[0].action == "assignment.removed"
        assert courses_of(actor(LEO)) == Mine({}, frozenset({course_id}))
        assert session.scalar(select(func.count()).select_from(Enrollment)) == 1


def test_two_managers_at_once_make_one(committing_app: Flask) -> None:
    with at_school("skyline"):
        course_id = session.scalars(select(Course.id).where(Course.slug == "airspace")).one()
        max_, here = actor(MAX), tenancy.required()
        session.rollback()
    start_, refused = threading.Barrier(2), []

    def ask() -> None:
        with committing_app.app_context(), tenancy.tenant_scope(here):
            try:
                with unit_of_work():
                    course = session.get_one(Course, course_id)
                    start_.wait(10)
                    assign_course(course, to=Everybody(), due_on=None, actor=max_)
            except IsAssigned as refusal:
                refused.append(refusal)

    threads = [threading.Thread(target=ask) for _manager in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 1
    with at_school("skyline"):
        assert session.scalar(select(func.count()).select_from(Assignment)) == 1


# -- whose it is ---------------------------------------------------------------------------------------------------


def test_a_department_includes_those_below_it_now_and_later(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        made = assign(course_id, to=ids[TOP], due_on=TODAY)
        assert [is_theirs(actor(person), course_id) for person in (LEO, MIA, CABIN, BEA)] == [
            *(True, True, False, False)
        ]
        assert find_assignment_line(made.id).people == 24
        session.commit()
    move_to(CABIN, ids["Commercial"])
    move_to(LEO, None)
    with at_school("skyline"):
        assert [is_theirs(actor(person), course_id) for person in (LEO, MIA, CABIN)] == [False, True, True]
        assert find_assignment_line(made.id).people == 24


def test_of_several_the_one_that_is_due_first_counts(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        assign(course_id, note="All")
        assign(course_id, to=ids[TOP], due_on=TODAY + 5 * DAY, note="Top")
        assign(course_id, to=LEO, due_on=TODAY + 9 * DAY, note="Leo")
        mine = courses_of(actor(LEO)).assigned
        assert [(mine[course_id].due_on, mine[course_id].note, mine[course_id].by)] == [
            (TODAY + 5 * DAY, "Top", "Max Abara")
        ]
        assert courses_of(actor(CABIN)).assigned[course_id].due_on is None
        assert course_id in courses_of(actor(BEA)).assigned
        assert list(mine) == [course_id]
        standing = find_standing(actor(LEO), course_id)
        assert standing
        assert standing.assigned == mine[course_id]


def test_each_school_has_its_own(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        assign(course_id)
        session.commit()
    with at_school("harbour"):
        assert courses_of(actor(LOU)) == Mine({}, frozenset())
        assert list_assignments(query("all"), today=TODAY).rows == []


def test_whom_it_is_assigned_to_takes_it_whomever_it_is_for(app: Flask, course_id: int) -> None:
    narrow(course_id, grow_tree()["Cabin crew"])
    leo = LintingClient(app).sign_in(LEO)
    assert leo.get(f"{CATALOG}/{course_id}").status == 404
    with at_school("skyline"):
        assign(course_id, to=LEO, note="You teach them soon")
        session.commit()
    assert leo.get(CATALOG).by_id(f"course-{course_id}") is not None
    page = leo.get(f"{CATALOG}/{course_id}")
    assert "You teach them soon" in page.words_of("main")
    assert "Assigned by Max Abara" in page.words_of("main")
    assert leo.get(f"{CATALOG}/{course_id}/lessons/sky/steps/clouds", follow=True).status == 200
    assert start(leo, course_id).h1 == "Clouds"
    assert LintingClient(app).sign_in(MIA).get(f"{CATALOG}/{course_id}").status == 404


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_assignments_in_any_tree_reach_whom_they_should(app: Flask, data: st.DataObject) -> None:
    """People in any departments, assignments to any of them: each way of asking says what walking up the tree says."""
    count = data.draw(st.integers(1, 5), label="departments")
    parents = [data.draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(count)]
    people = (LEO, MIA, CABIN, BEA)
    places = [data.draw(st.none() | st.integers(0, count - 1), label="place") for _person in people]
    targets = data.draw(st.sets(st.sampled_from(["all", *range(count), *people]), max_size=4), label="assigned to")
    done = data.draw(st.sets(st.sampled_from(people)), label="done")
    with at_school("skyline") as here:
        session.execute(delete(Assignment))
        course = session.scalars(select(Course).where(Course.slug == "airspace")).one()
        made: list[int] = []
        for n, parent in enumerate(parents):
            row = {"tenant_id": here.id, "name": f"Any {n}", "parent_id": made[parent] if parent is not None else None}
            made.append(session.execute(insert(Department).values(row).returning(Department.id)).scalar_one())
        for person, place in zip(people, places, strict=True):
            session.get_one(Membership, member(person).id).department_id = made[place] if place is not None else None
        for person in done:
            row = {
                "tenant_id": here.id, "membership_id": member(person).id, "course_id": course.id,
                "publication_id": course.publication_id, "completed_at": NOW,
            }  # fmt: skip
            session.execute(insert(Enrollment).values(row))
        session.flush()
        reached: set[Person] = set()
        for target in targets:
            to = made[target] if isinstance(target, int) else target if isinstance(target, Person) else None
            assignment = assign(course.id, to=to)
            those = {
                person
                for person, place in zip(people, places, strict=True)
                if target == "all"
                or target == person
                or (isinstance(target, int) and target in _way_up(parents, place))
            }
            reached |= those
            line, told = find_assignment_line(assignment.id), set(list_people_to_tell(assignment))
            shown = {person.id for person in list_assigned_people(assignment, query()).rows}
            if target != "all":
                assert (line.people, line.done) == (len(those), len(those & done))
                assert shown == {member(person).id for person in those}
            assert told & {member(p).id for p in people} == {member(p).id for p in those - done}
        for n, department in enumerate(made):
            inside = {p for p, place in zip(people, places, strict=True) if n in _way_up(parents, place)}
            above = {
                made[target] for target in targets if isinstance(target, int) and target in _way_up(parents, n) - {n}
            }
            found = list_assignments_from_above(department, today=TODAY)
            assert {assignment.department_id for _one, assignment in found} <= above
            assert {one for one, _assignment in found} == ({member(p).id for p in inside - done} if above else set())
        for person in people:
            still = {one.course_id for one in list_open_assignments_of(member(person).id, today=TODAY)}
            assert (course.id in still) is (person in reached - done)
            assert is_theirs(actor(person), course.id) is (person in reached | done)
            assert (course.id in courses_of(actor(person)).assigned) is (person in reached)
        session.rollback()


def _way_up(parents: list[int | None], place: int | None) -> set[int]:
    way: set[int] = set()
    while place is not None:
        way.add(place)
        place = parents[place]
    return way


# -- how far they are ----------------------------------------------------------------------------------------------


def test_a_line_counts_those_who_are_in_and_how_far_they_are(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        made = assign(course_id, to=ids["Instrument"])
        begin(course_id, LEO)
        before = find_assignment_line(made.id)
        assert (before.people, before.begun, before.done, before.percent) == (8, 0, 0, 0)
        complete(course_id, MIA)
        begin(course_id, Person("learner05@skyline.example", "skyline"))
        line = find_assignment_line(made.id)
        assert (line.people, line.begun, line.done, line.percent) == (8, 2, 1, 12)
        member(MIA).status = "suspended"
        session.flush()
        line = find_assignment_line(made.id)
        assert (line.people, line.begun, line.done) == (7, 1, 0)


def test_states_of_the_list(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        late = assign(course_id, to=LEO, due_on=TODAY - DAY)
        today = assign(course_id, to=CABIN, due_on=TODAY)
        done = assign(course_id, to=MIA, due_on=TODAY - 9 * DAY)
        complete(course_id, MIA)
        never = assign(course_id)
        assert listed() == [late.id, today.id, never.id]
        assert listed("overdue") == [late.id]
        assert listed("overdue", today=TODAY + DAY) == [late.id, today.id]
        assert listed("done") == [done.id]
        assert listed("all") == [done.id, late.id, today.id, never.id]
        assert listed("all", sort="newest") == [never.id, done.id, today.id, late.id]
        assert listed("all", search="clouds FOR") == listed("all")
        assert listed("all", search="radio") == []


def test_a_department_nobody_is_in_is_still_to_complete(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        gliders = Department(name="Gliders")
        session.add(gliders)
        session.flush()
        made = assign(course_id, to=gliders.id, due_on=TODAY - DAY)
        assert listed() == [made.id]
        assert listed("done") == listed("overdue") == []


def test_the_list_is_narrowed_to_what_people_of_a_department_or_below_it_have_to_complete(
    app: Flask, course_id: int
) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        top, instrument = assign(course_id, to=ids[TOP]), assign(course_id, to=ids["Instrument"])
        mia, cabin = assign(course_id, to=MIA), assign(course_id, to=ids["Cabin crew"])
        everybody = assign(course_id)
        assert listed(department=ids[TOP]) == [top.id, instrument.id, mia.id, everybody.id]
        assert listed(department=ids["Instrument"]) == [top.id, instrument.id, mia.id, everybody.id]
        assert listed(department=ids["Commercial"]) == [top.id, everybody.id]
        assert listed(department=ids["Cabin crew"]) == [cabin.id, everybody.id]


def test_people_are_narrowed_by_state_name_and_department(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        made = assign(course_id, to=ids[TOP])
        complete(course_id, MIA)
        begin(course_id, LEO)

        def names(**asked: Any) -> set[str]:
            return {person.name for person in list_assigned_people(made, query(**asked)).rows}

        assert names(state="done") == {"Mia Okafor"}
        assert names(state="begun") == {"Leo Hart"}
        assert len(names(state="not_begun")) == 22
        assert names(state="open") == names(state="not_begun") | {"Leo Hart"}
        assert names(search="okafor") == {"Mia Okafor"}
        assert len(names(department=ids["Instrument"])) == 8
        assert len(names(department=ids[TOP])) == 24
        assert names(department=ids["Cabin crew"]) == set()


@pytest.mark.parametrize("sort", ["due", "newest"])
def test_pages_show_each_assignment_once(app: Flask, course_id: int, sort: str) -> None:
    with at_school("skyline") as here:
        members = session.scalars(select(Membership.id).order_by(Membership.id)).all()
        rows = [
            {
                "tenant_id": here.id, "course_id": course_id, "membership_id": one,
                "due_on": None if n % 3 == 0 else TODAY + (n % 4) * DAY, "assigned_at": NOW,
            }
            for n, one in enumerate(members)
        ]  # fmt: skip
        session.execute(insert(Assignment), rows)
        seen, cursor = [], ""
        while True:
            page = list_assignments(ListQuery(sort=sort, cursor=cursor, chosen={"state": "all"}), today=TODAY)
            seen += [line.assignment.id for line in page.rows]
            if page.after is None:
                break
            cursor = page.after
        assert len(seen) == len(set(seen)) == len(members) > 25
        back = list_assignments(ListQuery(sort=sort, cursor=page.before or "", chosen={"state": "all"}), today=TODAY)
        assert [line.assignment.id for line in back.rows] == seen[-25 - len(page.rows) : -len(page.rows)]


# -- reminders -----------------------------------------------------------------------------------------------------


def reminders(assignment_id: int) -> list[datetime]:
    found = select(Job.run_at).where(Job.kind == "learning.remind_of_assignment")
    mine = found.where(Job.args["assignment_id"].as_integer() == assignment_id)
    return list(session.scalars(mine.order_by(Job.run_at)))


def announced() -> list[dict[str, Any]]:
    due = select(OutboxEvent.payload).where(OutboxEvent.name == "AssignmentDue").order_by(OutboxEvent.id)
    session.flush()
    return list(session.scalars(due))


def test_reminders_lie_three_days_before_the_last_day_and_on_the_day_after(app: Flask, course_id: int) -> None:
    with at_school("skyline"), time_machine.travel(NOW, tick=False):
        made = assign(course_id, to=LEO, due_on=TODAY + 9 * DAY)
        assert reminders(made.id) == [datetime(2037, 11, 30, 16, tzinfo=UTC), datetime(2037, 12, 4, 16, tzinfo=UTC)]
        soon = assign(course_id, to=MIA, due_on=TODAY + DAY)
        assert reminders(soon.id) == [datetime(2037, 11, 26, 16, tzinfo=UTC)]
        assert reminders(assign(course_id, to=CABIN, due_on=TODAY - 9 * DAY).id) == []
        assert reminders(assign(course_id).id) == []


def test_a_reminder_of_a_day_that_was_changed_or_an_assignment_that_is_gone_is_none(app: Flask, course_id: int) -> None:
    with at_school("skyline"), time_machine.travel(NOW, tick=False):
        made = assign(course_id, to=LEO, due_on=TODAY + 9 * DAY)
        change(made, due_on=TODAY + 12 * DAY)
        assert len(reminders(made.id)) == 4
        remind(made.id, due_on="2037-12-03", is_over=False)
        assert announced() == []
        remind(made.id, due_on="2037-12-06", is_over=False)
        remove_assignment(made, actor=actor(MAX))
        remind(made.id, due_on="2037-12-06", is_over=False)
        assert announced() == [{"assignment_id": made.id, "due_on": "2037-12-06", "is_over": 0}]


def test_a_day_is_over_when_it_is_where_the_school_is(app: Flask, course_id: int) -> None:
    """Midnight at Skyline is 08:00 UTC. A reminder that comes while the day lasts asks to be made again on the next."""
    with at_school("skyline"):
        made = assign(course_id, to=LEO, due_on=TODAY)
        with time_machine.travel(datetime(2037, 11, 25, 7, tzinfo=UTC), tick=False):
            again = remind(made.id, due_on="2037-11-24", is_over=True)
            assert (again, announced()) == (datetime(2037, 11, 25, 16, tzinfo=UTC), [])
        with time_machine.travel(datetime(2037, 11, 25, 9, tzinfo=UTC), tick=False):
            assert remind(made.id, due_on="2037-11-24", is_over=True) is None
            assert [one["is_over"] for one in announced()] == [1]


def test_what_was_due_soon_is_not_said_once_it_is_over(app: Flask, course_id: int) -> None:
    with at_school("skyline"), time_machine.travel(NOW, tick=False):
        made = assign(course_id, to=LEO, due_on=TODAY - DAY)
        assert remind(made.id, due_on="2037-11-23", is_over=False) is None
        assert announced() == []


# -- who comes later -----------------------------------------------------------------------------------------------


def test_a_day_that_was_over_before_somebody_came_is_none_of_theirs(app: Flask, course_id: int) -> None:
    ids = grow_tree()
    with at_school("skyline"):
        mia = member(MIA)
        mia.approved_at = datetime(2037, 11, 20, 12, tzinfo=UTC)
        day = date(2037, 11, 20)
        over, same, none = (assign(course_id, to=ids[n]) for n in (TOP, "Instrument", "Cabin crew"))
        over.due_on, same.due_on = day - DAY, day
        session.flush()
        line = find_assignment_line(over.id)
        assert (line.people, find_assignment_line(same.id).people) == (23, 8)
        assert mia.id not in list_people_to_tell(over)
        assert mia.id in list_people_to_tell(same)
        assert "Mia Okafor" not in {person.name for person in list_assigned_people(over, query(search="mia")).rows}
        assert courses_of(actor(MIA)).assigned[course_id].due_on == day
        remove_assignment(same, actor=actor(MAX))
        assert courses_of(actor(MIA)).assigned == {}
        assert courses_of(actor(LEO)).assigned[course_id].due_on == day - DAY
        assert find_assignment_line(none.id).people == 7


def test_one_person_has_their_own_whenever_they_came(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        made = assign(course_id, to=MIA)
        made.due_on = date(2020, 1, 1)
        session.flush()
        assert find_assignment_line(made.id).people == 1
        assert courses_of(actor(MIA)).assigned[course_id].due_on == made.due_on


# -- two at once ---------------------------------------------------------------------------------------------------


def test_what_somebody_changed_meanwhile_is_not_overwritten(app: Flask, course_id: int) -> None:
    with at_school("skyline"), time_machine.travel(NOW, tick=False):
        made = assign(course_id, due_on=TODAY + 9 * DAY)
        change(made, due_on=TODAY + 12 * DAY)
        with pytest.raises(AssignmentChanged):
            change_assignment(made, due_on=TODAY + 9 * DAY, note="x", version="1", actor=actor(ANA))
        assert (made.due_on, made.note, made.version) == (TODAY + 12 * DAY, "", 2)


def test_what_was_taken_back_meanwhile_is_neither_changed_nor_taken_back_again(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        made = assign(course_id)
        session.execute(delete(Assignment))
        for deed in (lambda: change(made, due_on=None, note="x"), lambda: remove_assignment(made, actor=actor(ANA))):
            with pytest.raises(IsTakenBack):
                deed()
        assert [e.action for e in list_entries_about("Assignment", made.id)] == ["assignment.created"]


def test_an_archived_course_is_asked_for_no_more(app: Flask, course_id: int) -> None:
    with at_school("skyline"):
        made = assign(course_id, to=LEO, due_on=TODAY - DAY)
        session.get_one(Course, course_id).archived_at = NOW
        session.flush()
        assert listed() == listed("overdue") == []
        assert listed("all") == [made.id]
        assert list_people_to_tell(made) == []
        assert courses_of(actor(LEO)).assigned == {}
        assert list_open_assignments_of(member(LEO).id, today=TODAY - 2 * DAY) == []
