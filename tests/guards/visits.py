"""How each route is asked rightly: by whom, with which records in its address, with which fields, in how many statements.

One line an endpoint. A route without a line fails tests/guards/test_walk.py, and so does a line without a route.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import Job
from app.foundation.tenancy import required
from tests.cast import ADA, ANA, BEA, LEO, MAX, Person, actor, member
from tests.scheduling import booking_makers as bookings

Values = dict[str, Any]
MOST_STATEMENTS = 6


@dataclass(frozen=True)
class Visit:
    """One rightful visit. `address` makes the records at Skyline and returns the values of the URL; `fields` what is posted.

    `statements` is the most a page or deed may need; a page never more than six. `reason` says why a deed needs more.
    """

    person: Person
    address: Callable[[], Values] = dict
    fields: Callable[[Values], Values] = lambda values: {}
    statements: int = MOST_STATEMENTS


# -- records in addresses ------------------------------------------------------------------------------------------


def a_course(slug: str = "weather-for-pilots") -> Values:
    from app.courses.queries import find_course_by_slug

    course = find_course_by_slug(slug)
    assert course
    return {"course_id": course.id}


def a_changed_course() -> Values:
    """A course whose draft differs from what is published."""
    from app.courses.models import Course

    values = a_course()
    session.get_one(Course, values["course_id"]).title = "Weather, again"
    return values


def _taking(person: Person = LEO) -> tuple[Values, Any]:
    from app.courses.models import Course
    from app.learning.operations import enroll
    from app.learning.queries import find_taking

    values = a_course()
    enroll(session.get_one(Course, values["course_id"]), actor=actor(person))
    session.flush()
    taking = find_taking(member(person).id, values["course_id"])
    assert taking
    return values, taking


def a_step() -> Values:
    """The first step of a course that Leo takes."""
    values, taking = _taking()
    place = taking.outline.places[0]
    return {**values, "lesson_key": place.lesson_key, "step_key": place.key}


def a_quiz() -> Values:
    """A quiz that Leo has not begun."""
    values, taking = _taking()
    place = next(place for place in taking.outline.places if place.kind == "quiz")
    return {**values, "lesson_key": place.lesson_key, "step_key": place.key}


def a_question() -> Values:
    """The first question of a quiz that Leo is at."""
    from app.courses.queries import find_published_lesson
    from app.learning.operations import start_quiz
    from app.learning.queries import find_taking

    values = a_quiz()
    taking = find_taking(member(LEO).id, values["course_id"])
    assert taking
    place = taking.find(values["lesson_key"], values["step_key"])
    lesson = find_published_lesson(taking.publication_id, values["lesson_key"])
    assert lesson
    assert place
    step = lesson.find_step(values["step_key"])
    assert step
    attempt = start_quiz(taking, place, step.content, actor=actor(LEO))
    session.flush()
    return {**values, "question_key": attempt.question_order[0][0]}


def an_open_quiz() -> Values:
    return {key: value for key, value in a_question().items() if key != "question_key"}


def a_request() -> Values:
    return {"booking_id": bookings.make_request().id}


def an_assigned_booking() -> Values:
    return {"booking_id": bookings.make_assigned().id}


def a_begun_booking() -> Values:
    return {"booking_id": bookings.move_to_the_past(bookings.make_assigned()).id}


def the_instructor() -> Values:
    return {"resource_id": bookings.person(BEA).id}


def an_aircraft() -> Values:
    return {"resource_id": bookings.aircraft().id}


def a_retired_aircraft() -> Values:
    from app.scheduling.operations.resources import retire_resource

    return {"resource_id": retire_resource(bookings.aircraft(), actor=actor(ANA)).id}


def a_day_off() -> Values:
    from app.scheduling.operations.availability import add_exception

    day = clock.today("UTC") + timedelta(days=40)
    made = add_exception(
        bookings.person(BEA), day=day, is_open=False, minutes=None, zone=required().zone, note="", actor=actor(BEA)
    )
    session.flush()
    return {"exception_id": made.id}


def an_assignment_made() -> Values:
    from app.courses.models import Course
    from app.learning.operations import Everybody, assign_course

    course = session.get_one(Course, a_course()["course_id"])
    due_on = clock.today("UTC") + timedelta(days=9)
    return {"assignment_id": assign_course(course, to=Everybody(), due_on=due_on, actor=actor(MAX)).id}


def a_course_not_begun() -> Values:
    """A course that is for Leo's department, among others, and assigned to him."""
    from app.courses.models import Course
    from app.courses.operations import choose_audience
    from app.tenants.queries import list_departments

    values = a_course()
    departments = [department.id for department in list_departments()]
    choose_audience(session.get_one(Course, values["course_id"]), departments, actor=actor(ADA))
    return values


def a_notification() -> Values:
    from app.notifications.models import Notification
    from app.notifications.operations import notify

    booking = bookings.make_request()
    notify(member(LEO).id, "booking.approved", cause="walk", subject_id=booking.id, facts=_facts(booking))
    return {"notification_id": session.query(Notification.id).filter_by(cause="walk").scalar()}


def _facts(booking: Any) -> Values:
    return {
        "starts_at": booking.starts_at.isoformat(),
        "ends_at": booking.ends_at.isoformat(),
        "learner_id": booking.learner_id,
    }


def anything(*makers: Callable[[], Values]) -> Callable[[], Values]:
    """Makes the records for a page whose address names none."""

    def made() -> Values:
        for maker in makers:
            maker()
        return {}

    return made


def a_stuck_job() -> Values:
    job = Job(
        tenant_id=required().id, kind="walk.nothing", key=f"walk:{uuid.uuid4()}", args={}, run_at=clock.now(),
        dead_at=clock.now(), error="on purpose",
    )  # fmt: skip
    session.add(job)
    session.flush()
    return {"job_id": job.id}


# -- fields of posts -----------------------------------------------------------------------------------------------


def once(_values: Values) -> Values:
    return {"once": uuid.uuid4().hex}


def a_booking(_values: Values) -> Values:
    at = bookings.an_hour(days=1)
    return {
        **once(_values), "day": at.date().isoformat(), "time": "10:00", "minutes": "60", "instructor": "",
        "activity": "dual_flight", "note": "",
    }  # fmt: skip


def an_assignment(_values: Values) -> Values:
    return {"instructor": bookings.person(BEA).id, "craft": bookings.aircraft().id}


def a_simulator(_values: Values) -> Values:
    return {**once(_values), "kind": "simulator", "name": f"Simulator {uuid.uuid4().hex[:6]}", "detail": "FNPT II"}


def a_course_to_assign(_values: Values) -> Values:
    return {**once(_values), "course": a_course()["course_id"], "whom": "everybody", "person": "", "note": "Soon"}


def another_day(_values: Values) -> Values:
    return {"due_on": (clock.today("UTC") + timedelta(days=20)).isoformat(), "note": "Later", "version": "1"}


def an_audience(_values: Values) -> Values:
    from app.tenants.queries import list_departments

    return {"departments": list_departments()[0].id, "read": ""}


def an_exception(_values: Values) -> Values:
    day = (clock.today("UTC") + timedelta(days=41)).isoformat()
    return {**once(_values), "day": day, "kind": "day", "begins": "", "ends": "", "note": ""}


def an_answer(_values: Values) -> Values:
    from app.quizzes.models import Attempt

    attempt = session.query(Attempt).filter_by(submitted_at=None).order_by(Attempt.id.desc()).first()
    assert attempt
    return {"attempt": attempt.id, "chosen": attempt.question_order[0][1][0], "go": "next"}


def somebody(status: str = "pending") -> Callable[[], Values]:
    """A person of Skyline in some state, as a maker of records."""

    def make() -> Values:
        from app.foundation.actor import SYSTEM
        from app.foundation.permissions import Role
        from app.identity.operations.accounts import add_member, add_user

        user = add_user(f"{uuid.uuid4().hex}@elsewhere.example", password="a long password of theirs", cost=4)
        user.email_confirmed_at = clock.now()
        made = add_member(user, name="Ines Roy", roles=[Role.LEARNER], actor=SYSTEM)
        made.status = status
        session.flush()
        return {"member_id": made.id}

    return make


def somebody_who_asks_to_be_erased() -> Values:
    from app.identity.models import Membership

    values = somebody("active")()
    session.get_one(Membership, values["member_id"]).erasure_asked_at = clock.now()
    return values


def a_department() -> Values:
    from app.foundation.actor import SYSTEM
    from app.tenants.operations import add_department

    return {"department_id": add_department(f"Gliders {uuid.uuid4().hex[:6]}", actor=SYSTEM).id}


def an_import() -> Values:
    from app.identity.operations.imports import draft_import

    draft = draft_import("name,email,roles\nInes Roy,ines.roy@elsewhere.example,learner\n", actor=actor(ANA))
    session.flush()
    return {"import_id": draft.id}


def the_settings(_values: Values) -> Values:
    from app.tenants.queries import school_settings

    return {
        "version": str(school_settings().version), "school_name": "Skyline Flight School", "slug": "skyline",
        "zone": "America/Los_Angeles", "locale": "en", "escalate_after_hours": "5", "registration_open": "y",
    }  # fmt: skip


def a_person(_values: Values) -> Values:
    return {
        **once(_values),
        "name": "Ines Roy",
        "email": "ines.roy@elsewhere.example",
        "roles": "learner",
        "department": "",
        "how": "at_once",
    }


def a_list(_values: Values) -> Values:
    return {
        **once(_values),
        "pasted": "name,email,roles\nInes Roy,ines.roy@elsewhere.example,learner\n",
        "how": "at_once",
    }


def a_department_named(_values: Values) -> Values:
    return {**once(_values), "name": f"Balloons {uuid.uuid4().hex[:6]}", "parent": ""}


def no_facts(_values: Values) -> Values:
    return {
        "department_id": "",
        "level": "",
        "primary_instructor_id": "",
        "certificate_number": "",
        "license_number": "",
    }


def _reason(_values: Values) -> Values:
    return {"reason": "A word about it"}


VISITS: dict[str, Visit] = {
    "audit.trail_index": Visit(ANA),
    "audit.trail_csv": Visit(ANA),
    "audit.trail_jsonl": Visit(ANA),
    "identity.profile_show": Visit(LEO),
    "identity.profile_update": Visit(LEO, fields=lambda _: {"name": "Leo Hart", "locale": "en"}, statements=14),
    "identity.profile_export": Visit(LEO),
    "identity.erasure_request_new": Visit(LEO),
    "identity.erasure_request_create": Visit(LEO, fields=lambda _: {"name": "Leo Hart"}, statements=14),
    "identity.facts_edit": Visit(ANA, somebody("active")),
    "identity.facts_update": Visit(ANA, somebody("active"), no_facts, statements=16),
    "identity.erasure_new": Visit(ANA, somebody("active")),
    "identity.erasure_create": Visit(ANA, somebody("active"), lambda _: {"name": "Ines Roy"}, statements=40),
    "identity.person_export": Visit(ANA, somebody("active")),
    "identity.erasure_answer_create": Visit(ANA, somebody_who_asks_to_be_erased, statements=16),
    "identity.erasure_answer_show": Visit(ANA, somebody("active")),
    "people.index": Visit(ANA, anything(somebody())),
    "people.show": Visit(ANA, somebody("active")),
    "people.approvals_create": Visit(ANA, somebody(), lambda values: {"member": values["member_id"]}, statements=24),
    "people.approval_create": Visit(ANA, somebody(), statements=24),
    "people.refusal_create": Visit(ANA, somebody(), _reason, statements=24),
    "people.suspension_create": Visit(ANA, somebody("active"), _reason, statements=24),
    "people.reinstatement_create": Visit(ANA, somebody("suspended"), statements=24),
    "people.roles_update": Visit(ANA, somebody("active"), lambda _: {"roles": "instructor"}, statements=24),
    "people.invitation_create": Visit(ANA, somebody("invited"), statements=24),
    "people.acting_new": Visit(ANA, somebody("active")),
    "people.acting_create": Visit(ANA, somebody("active"), _reason, statements=24),
    "people.new": Visit(ANA),
    "people.create": Visit(ANA, fields=a_person, statements=30),
    "people.imports_new": Visit(ANA),
    "people.import_create": Visit(ANA, fields=a_list, statements=20),
    "people.import_show": Visit(ANA, an_import),
    "people.import_carry_out": Visit(ANA, an_import, once, statements=40),
    "people.import_remove": Visit(ANA, an_import, once, statements=10),
    "people.import_deed_show": Visit(ANA, lambda: {**an_import(), "deed": "removal"}),
    "people.deed_show": Visit(ANA, lambda: {**somebody("active")(), "deed": "approval"}),
    "people.approvals_show": Visit(ANA),
    "identity.acting_end": Visit(ANA, statements=10),
    "identity.acting_end_shown": Visit(ANA),
    "identity.test_mail_show": Visit(ANA),
    "identity.test_mail_create": Visit(ANA, fields=once, statements=14),
    "tenants.departments_index": Visit(ANA),
    "tenants.department_create": Visit(ANA, fields=a_department_named, statements=16),
    "tenants.department_edit": Visit(ANA, a_department),
    "tenants.department_removal_show": Visit(ANA, a_department),
    "tenants.department_update": Visit(ANA, a_department, a_department_named, statements=16),
    "tenants.department_removal_create": Visit(ANA, a_department, statements=16),
    "tenants.settings_edit": Visit(ANA),
    "tenants.settings_update": Visit(ANA, fields=the_settings, statements=20),
    "tenants.permissions_index": Visit(ANA),
    "tenants.school_show": Visit(ANA),
    "home.show": Visit(LEO),
    "tenants.stuck_work_index": Visit(ANA, a_stuck_job),
    "tenants.stuck_work_replay": Visit(ANA, a_stuck_job, statements=6),
    "tenants.stuck_work_replay_show": Visit(ANA, a_stuck_job),
    "courses.desk_index": Visit(ADA),
    "courses.desk_show": Visit(ADA, a_course),
    "courses.audience_edit": Visit(ADA, a_course),
    "courses.audience_update": Visit(ADA, a_course, an_audience, statements=16),
    "courses.publication_create": Visit(ADA, a_changed_course, once, statements=20),
    "courses.publication_show": Visit(ADA, a_course),
    "learning.catalog_index": Visit(LEO),
    "learning.course_show": Visit(LEO, a_course_not_begun),
    "learning.assignment_index": Visit(MAX, anything(an_assignment_made)),
    "learning.assignment_new": Visit(MAX),
    "learning.assignment_create": Visit(MAX, fields=a_course_to_assign, statements=20),
    "learning.assignment_show": Visit(MAX, an_assignment_made),
    "learning.assignment_update": Visit(MAX, an_assignment_made, another_day, statements=20),
    "learning.assignment_removal_create": Visit(MAX, an_assignment_made, statements=12),
    "learning.assignment_removal_show": Visit(MAX, an_assignment_made),
    "learning.person_show": Visit(MAX, lambda: {"member_id": member(LEO).id}),
    "learning.enrollment_create": Visit(LEO, a_course, once, statements=10),
    "learning.enrollment_show": Visit(LEO, a_course),
    "learning.step_show": Visit(LEO, a_step),
    "learning.completion_create": Visit(LEO, a_step, statements=10),
    "learning.completion_show": Visit(LEO, a_step),
    "learning.attempt_create": Visit(LEO, a_quiz, once, statements=10),
    "learning.attempt_show": Visit(LEO, a_quiz),
    "learning.question_show": Visit(LEO, a_question),
    "learning.answer_create": Visit(LEO, a_question, an_answer, statements=10),
    "learning.answer_show": Visit(LEO, a_question),
    "learning.review_show": Visit(LEO, an_open_quiz),
    "learning.submission_create": Visit(LEO, an_open_quiz, statements=16),
    "learning.submission_show": Visit(LEO, an_open_quiz),
    "scheduling.resource_index": Visit(ANA),
    "scheduling.resource_create": Visit(ANA, fields=a_simulator, statements=12),
    "scheduling.resource_edit": Visit(ANA, an_aircraft),
    "scheduling.resource_update": Visit(ANA, an_aircraft, a_simulator, statements=12),
    "scheduling.resource_retire": Visit(ANA, an_aircraft, statements=12),
    "scheduling.resource_return": Visit(ANA, a_retired_aircraft, statements=12),
    "scheduling.resource_deed_show": Visit(ANA, lambda: {**an_aircraft(), "deed": "retirement"}),
    "scheduling.availability_own": Visit(BEA),
    "scheduling.availability_own_update": Visit(BEA, fields=lambda _: {"zone": "UTC"}, statements=12),
    "scheduling.availability_index": Visit(ANA),
    "scheduling.availability_show": Visit(ANA, the_instructor),
    "scheduling.availability_update": Visit(ANA, the_instructor, lambda _: {"zone": "UTC"}, statements=12),
    "scheduling.availability_exception_create": Visit(BEA, the_instructor, an_exception, statements=12),
    "scheduling.availability_exception_index": Visit(BEA, the_instructor),
    "scheduling.availability_exception_destroy": Visit(BEA, a_day_off, statements=8),
    "scheduling.availability_exception_back": Visit(BEA, a_day_off),
    "scheduling.week": Visit(LEO),
    "scheduling.booking_index": Visit(LEO),
    "scheduling.booking_new": Visit(LEO),
    "scheduling.booking_create": Visit(LEO, fields=a_booking, statements=20),
    "scheduling.booking_show": Visit(LEO, a_request),
    "scheduling.booking_deed": Visit(LEO, lambda: {**a_request(), "deed": "approval"}),
    "scheduling.request_index": Visit(ANA, anything(a_request)),
    "scheduling.approval_create": Visit(ANA, a_request, statements=20),
    "scheduling.assignment_create": Visit(ANA, a_request, an_assignment, statements=24),
    "scheduling.decline_create": Visit(ANA, a_request, lambda _: {"reason": "Wind"}, statements=16),
    "scheduling.cancellation_create": Visit(LEO, a_request, lambda _: {"reason": ""}, statements=16),
    "scheduling.completion_create": Visit(BEA, a_begun_booking, statements=16),
    "notifications.notification_index": Visit(LEO, anything(a_notification)),
    "notifications.reading_create": Visit(LEO, a_notification),
    "notifications.reading_create_all": Visit(LEO),
    "notifications.reading_show": Visit(LEO, a_notification),
    "notifications.reading_index": Visit(LEO),
}
"""Every route of a school."""
