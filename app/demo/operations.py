"""The demo's seed: steps that each run once, in one transaction, and are recorded; a second start adds what is missing.

Nothing already written is moved or changed. Dates are relative to the day a step runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.analytics.operations import count_recent_days
from app.audit.operations import audit
from app.courses.models import Course
from app.courses.operations import import_course, publish_course
from app.courses.queries import Outline, StepPlace, answer_key, find_outline, find_published_lesson
from app.demo import cast
from app.demo.models import SeedStep
from app.demo.rules import REASONS, Planned, fate_of, plan_week
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session, unit_of_work
from app.foundation.permissions import Role
from app.identity.models import Membership, User
from app.identity.operations.accounts import add_member, add_user
from app.identity.queries import find_membership_of_user, find_user_by_email, list_members_with_role
from app.learning.models import Enrollment, LessonProgress, StepProgress
from app.quizzes.models import Answer, Attempt
from app.quizzes.rules import most_points, shuffled_order
from app.scheduling.models import Booking, Resource
from app.scheduling.operations.availability import add_exception, set_week
from app.scheduling.operations.claims import SlotTaken, take
from app.scheduling.operations.deciding import approve_booking, assign_booking, decline_booking
from app.scheduling.operations.ending import cancel_booking
from app.scheduling.operations.requesting import request_booking, schedule_escalation
from app.scheduling.operations.resources import add_aircraft, add_simulator, ensure_person_resource
from app.scheduling.queries.availability import open_spans
from app.scheduling.rules.availability import covers
from app.scheduling.rules.bookings import instant_of
from app.tenants.operations import add_department, create_school
from app.tenants.queries import find_tenant_by_slug, list_departments

log = logging.getLogger(__name__)

CONTENT = Path(__file__).parents[2] / "content"
COURSES = {"skyline": ("weather", "radio", "airspace"), "harbour": ("weather", "radio")}
"""The folders of content/ that each school teaches."""
BOOKINGS = "/bookings/"
"""What the names of the steps that book a week have in common."""
WHAT_PEOPLE_DID = ("bookings/", "learning/", "counts")
"""How the names of the steps begin, behind the school, that write what people did."""
DAYS_OF_LEARNING = 12


@dataclass(frozen=True)
class Step:
    """One step of the seed: its recorded name, and what it writes for one school."""

    name: str
    school: str
    write: Callable[[], object]


def seed(*, bookings: bool = True) -> list[str]:
    """Run every step that has not run yet, each in a transaction of its own. Returns the names of those that ran.

    Without `bookings` the schools have nothing that people did, no bookings and no progress: tests make their own.
    """
    done = _recorded()
    ran = []
    for step in steps():
        if step.name not in done and (bookings or not step.name.partition("/")[2].startswith(WHAT_PEOPLE_DID)):
            _run(step)
            ran.append(step.name)
    return ran


def steps() -> list[Step]:
    """All steps in their order, for both schools."""
    people = [Step(f"{slug}/people", slug, partial(seed_people, slug)) for slug in cast.SCHOOLS]
    courses = [
        Step(f"{slug}/courses/{folder}", slug, partial(seed_course, slug, folder))
        for slug, folders in COURSES.items()
        for folder in folders
    ]
    resources = [Step(f"{slug}/resources", slug, partial(seed_resources, slug)) for slug in cast.SCHOOLS]
    hours = [Step(f"{slug}/availability", slug, partial(seed_availability, slug)) for slug in cast.SCHOOLS]
    weeks = [
        Step(f"{slug}{BOOKINGS}{monday:%G-W%V}", slug, partial(seed_bookings, slug, monday))
        for slug in cast.SCHOOLS
        for monday in _weeks_around(cast.SCHOOLS[slug].zone)
    ]
    taken = [
        Step(f"{slug}/learning/{folder}", slug, partial(seed_learning, slug, place))
        for slug, folders in COURSES.items()
        for place, folder in enumerate(folders)
    ]
    counts = [Step(f"{slug}/counts", slug, count_recent_days) for slug in cast.SCHOOLS]
    return [*people, *courses, *resources, *hours, *weeks, *taken, *counts]


def seed_people(slug: str) -> None:
    """A school with its departments and its people, all with the demo's password."""
    school = cast.SCHOOLS[slug]
    tenancy.enter(create_school(slug=slug, name=school.name, zone=school.zone, actor=SYSTEM))
    for name in school.departments:
        add_department(name, actor=SYSTEM)
    departments = {department.name: department for department in list_departments()}
    cost = current_app.config["SETTINGS"].bcrypt_cost if not current_app.config["SETTINGS"].demo else cast.DEMO_COST
    for person in school.people:
        user = find_user_by_email(person.email) or add_user(person.email, password=cast.PASSWORD, cost=cost)
        add_member(
            user, name=person.name, roles=person.roles, actor=SYSTEM,
            department=departments[person.department] if person.department else None,
        )  # fmt: skip


def seed_course(slug: str, folder: str) -> None:
    """A course of content/, imported and published by the school's author."""
    author = _actor_with(slug, Role.AUTHOR)
    publish_course(import_course(CONTENT / folder, actor=author), actor=author)


def _actor_with(slug: str, role: Role) -> Actor:
    """The first person of the cast who has a role at a school, as the actor of a deed there."""
    person = next(person for person in cast.SCHOOLS[slug].people if role in person.roles)
    user = find_user_by_email(person.email)
    member = find_membership_of_user(user.id) if user else None
    if member is None:
        raise LookupError(f"{person.email} is not at {slug}: the step that makes the people has not run")
    return Actor(
        user_id=member.user_id, membership_id=member.id, name=member.name, email=person.email,
        roles=frozenset(member.roles), zone=cast.SCHOOLS[slug].zone,
    )  # fmt: skip


def seed_resources(slug: str) -> None:
    """What can be booked: the school's aircraft and simulators, its instructors and its learners."""
    add = {"aircraft": add_aircraft, "simulator": add_simulator}
    for kind, name, detail in cast.FLEET[slug]:
        add[kind](name, detail, actor=SYSTEM)
    for role in (Role.INSTRUCTOR, Role.LEARNER):
        for member in list_members_with_role(role):
            ensure_person_resource(member)


def seed_availability(slug: str) -> None:
    """When the school's instructors teach, and a coming day on which one is away."""
    zone = cast.SCHOOLS[slug].zone
    for email, week in cast.TEACHING[slug].items():
        rows = [(day, start * 60, end * 60) for days, hours in week.items() for day in days for start, end in hours]
        set_week(_instructor(email), rows, zone, actor=SYSTEM)
    email, weekday, note = cast.AWAY[slug]
    soon = clock.today(zone) + timedelta(days=8)
    day = soon + timedelta(days=(weekday - soon.weekday()) % 7)
    add_exception(_instructor(email), day=day, is_open=False, minutes=None, zone=zone, note=note, actor=SYSTEM)


def _instructor(email: str) -> Resource:
    user = find_user_by_email(email)
    assert user, email
    member = find_membership_of_user(user.id)
    assert member, email
    return ensure_person_resource(member)


def seed_bookings(slug: str, monday: date) -> None:
    """A week of bookings in every state: what is past as rows, what is to come by the deeds that people do."""
    zone = cast.SCHOOLS[slug].zone
    planned = [(one, instant_of(one.starts, zone)) for one in plan_week(slug, monday)]
    resources = {resource.name: resource for resource in session.scalars(select(Resource))}
    people = _people_by_email()
    teachers = [people[email].id for email in cast.TEACHING[slug]]
    hours = open_spans(teachers, _midnight(monday, zone), _midnight(monday, zone, days=7))
    admin, asked_before = _actor_with(slug, Role.ADMIN), False
    for one, at in planned:
        teacher, craft = people[one.instructor], resources.get(one.craft or "")
        if at is None or not covers(hours[teacher.id], at, at + timedelta(minutes=one.minutes)):
            continue
        status = fate_of(one.die, is_past=at <= clock.now(), is_fresh=clock.now() - at < timedelta(days=1))
        slot = Slot(one, at, people[one.learner], teacher, craft)
        if at <= clock.now() < slot.ends_at:
            status = "assigned"
        if at <= clock.now():
            _write_past(slot, status, admin)
        elif status == "requested":
            _write_request(slot, old=not asked_before, admin=admin)
            if not asked_before:
                _write_request(replace(slot, learner=_somebody_else(slot, people)), old=False, admin=admin)
            asked_before = True
        else:
            _book(slot, status, admin)


@dataclass(frozen=True)
class Slot:
    """A planned booking with its instant and its resources found."""

    plan: Planned
    at: datetime
    learner: Resource
    instructor: Resource
    craft: Resource | None

    @property
    def ends_at(self) -> datetime:
        return self.at + timedelta(minutes=self.plan.minutes)

    def reason(self, status: str) -> str:
        """Why it ended, where it ended early."""
        reasons = REASONS.get(status, ("",))
        return reasons[int(self.plan.die * 1000) % len(reasons)]


def _book(slot: Slot, status: str, admin: Actor) -> None:
    """Ask, and decide, as people do. A time that somebody has booked in the demo by hand is left to them."""
    try:
        with session.begin_nested():
            booking = request_booking(
                learner=session.get_one(Membership, slot.learner.membership_id), starts_at=slot.at,
                minutes=slot.plan.minutes, wished_instructor=slot.instructor, activity=slot.plan.activity,
                note=slot.plan.note, actor=_actor_of(slot.learner), source="web",
            )  # fmt: skip
            if status == "assigned":
                assign_booking(booking, instructor=slot.instructor, aircraft=slot.craft, actor=admin)
            elif status == "approved":
                approve_booking(booking, actor=admin)
            elif status == "declined":
                decline_booking(booking, reason=slot.reason(status), actor=admin)
            else:
                cancel_booking(booking, reason=slot.reason(status), actor=_actor_of(slot.learner))
    except SlotTaken:
        log.info("a seeded booking found its time taken", extra={"starts_at": slot.at})


def _write_request(slot: Slot, *, old: bool, admin: Actor) -> None:
    """A request that waits: since some minutes, or, if `old`, for so long that it escalates."""
    waited = timedelta(hours=6) if old else timedelta(minutes=10 + int(slot.plan.die * 1000) % 150)
    booking = _write(slot, "requested", asked=clock.now() - waited, admin=admin)
    schedule_escalation(booking, number=1, since=booking.requested_at)


def _somebody_else(slot: Slot, people: dict[str, Resource]) -> Resource:
    """A second learner who wants the same hour."""
    learners = [one.email for one in cast.SCHOOLS[tenancy.required().slug].people if one.roles == (Role.LEARNER,)]
    other = learners[(learners.index(slot.plan.learner) + 7) % len(learners)]
    return people[other]


def _write_past(slot: Slot, status: str, admin: Actor) -> None:
    """A booking of days gone by, as its row would be by now."""
    try:
        with session.begin_nested():
            _write(slot, status, asked=slot.at - timedelta(days=2, hours=int(slot.plan.die * 100) % 40), admin=admin)
    except IntegrityError:
        log.info("a seeded booking found its time taken", extra={"starts_at": slot.at})


def _write(slot: Slot, status: str, *, asked: datetime, admin: Actor) -> Booking:
    decided = None if status == "requested" else asked + timedelta(hours=2)
    ends = {"completed": slot.ends_at, "declined": decided, "cancelled": slot.at - timedelta(hours=3)}
    was_assigned = status in ("assigned", "completed")
    booking = Booking(
        learner_id=slot.learner.membership_id, status=status, starts_at=slot.at, ends_at=slot.ends_at,
        activity=slot.plan.activity, note=slot.plan.note, source="desk" if slot.plan.die < 0.2 else "web",
        wished_instructor_id=slot.instructor.id, requested_at=asked, approved_at=decided if was_assigned else None,
        assigned_at=decided if was_assigned else None, ended_at=ends.get(status), reason=slot.reason(status),
        decided_by_id=admin.membership_id if decided else None, escalations=0, claims=[],
    )  # fmt: skip
    session.add(booking)
    state = {"requested": "soft", "declined": "released", "cancelled": "released"}.get(status, "firm")
    for role, resource in (("learner", slot.learner), ("instructor", slot.instructor)):
        take(booking, role, resource, state=state)
    if was_assigned and slot.craft:
        take(booking, slot.craft.kind, slot.craft, state=state)
    session.flush()
    audit("booking.requested", actor=_actor_of(slot.learner), subject=booking, after={"status": "requested"})
    if status != "requested":
        trail = {"before": {"status": "requested"}, "after": {"status": status, "reason": booking.reason}}
        audit(f"booking.{status}", actor=admin, subject=booking, **trail)
    return booking


def seed_learning(slug: str, place: int) -> None:
    """Learners in the school's course at that place: some begun, some done, over the days before today.

    The first learner, whom the README lends to everybody, has the first course still before them.
    """
    course = list(session.scalars(select(Course).order_by(Course.id)))[place]
    outline = find_outline(course.publication_id or 0)
    assert outline
    learners = [person for person in cast.SCHOOLS[slug].people if Role.LEARNER in person.roles]
    people = _people_by_email()
    for number, person in enumerate(learners):
        if (number + place) % 3:
            resource = people[person.email]
            part = 1 + (number * 7 + 2) % outline.step_count
            steps = outline.places[:part] if (number + place) % 5 else outline.places
            begun = clock.now() - timedelta(days=DAYS_OF_LEARNING - number % 4, hours=number % 9)
            _write_progress(resource, outline, steps, begun)


def _write_progress(resource: Resource, outline: Outline, steps: Sequence[StepPlace], begun: datetime) -> None:
    """A person's enrollment with the steps they have done, evenly from `begun` until an hour ago."""
    pace = (clock.now() - timedelta(hours=1) - begun) / len(steps)
    done = {step.key: begun + pace * (n + 1) for n, step in enumerate(steps)}
    following = outline.places[min(len(steps), outline.step_count - 1)]
    last = done[steps[-1].key]
    enrollment = Enrollment(
        membership_id=resource.membership_id, course_id=outline.course_id, publication_id=outline.publication_id,
        steps_done=len(steps), last_lesson_key=following.lesson_key, last_step_key=following.key, last_seen_at=last,
        enrolled_at=begun, completed_at=last if len(steps) == outline.step_count else None,
    )  # fmt: skip
    session.add(enrollment)
    session.flush()
    for step in steps:
        at = done[step.key]
        of_step = {"enrollment_id": enrollment.id, "lesson_key": step.lesson_key}
        session.add(StepProgress(**of_step, step_key=step.key, done_at=at))
        if step.number == step.steps_in_lesson:
            session.add(LessonProgress(**of_step, completed_at=at))
        if step.kind == "quiz":
            _write_attempt(resource, outline, step, at)


def _write_attempt(resource: Resource, outline: Outline, step: StepPlace, at: datetime) -> None:
    """A passed attempt at a quiz, every answer right."""
    lesson = find_published_lesson(outline.publication_id, step.lesson_key)
    found = lesson.find_step(step.key) if lesson else None
    assert found
    right = answer_key(outline.publication_id, step.lesson_key, step.key)["questions"]
    most = most_points(found.content)
    answers = [
        Answer(
            question_key=q["key"], chosen=right[q["key"]]["correct"], saved_at=at, points=q["points"], is_correct=True
        )
        for q in found.content["questions"]
    ]
    session.add(
        Attempt(
            membership_id=resource.membership_id, publication_id=outline.publication_id, lesson_key=step.lesson_key,
            step_key=step.key, number=1, question_order=shuffled_order(found.content, f"{resource.id}/{step.key}"),
            started_at=at - timedelta(minutes=6), submitted_at=at, points=most, most_points=most, passed=True,
            answers=answers,
        )
    )  # fmt: skip


def _people_by_email() -> dict[str, Resource]:
    """The resources that people of the school in force are."""
    people = select(User.email, Resource).join(Membership, Membership.user_id == User.id)
    return dict(session.execute(people.join(Resource, Resource.membership_id == Membership.id)).all())


def _actor_of(resource: Resource) -> Actor:
    """The member whom a person's resource stands for, as the actor of their own deeds."""
    return Actor(membership_id=resource.membership_id, name=resource.name, zone=tenancy.required().zone)


def _weeks_around(zone: str) -> list[date]:
    """The Mondays of last week, this week and the next two, where the school is."""
    today = clock.today(zone)
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=n) for n in (-1, 0, 1, 2)]


def _midnight(day: date, zone: str, *, days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)


def _recorded() -> set[str]:
    with tenancy.tenant_scope(None), unit_of_work():
        return set(session.scalars(select(SeedStep.name)))


def _run(step: Step) -> None:
    with tenancy.tenant_scope(None), unit_of_work():
        tenancy.enter(find_tenant_by_slug(step.school))
        step.write()
        session.add(SeedStep(name=step.name))
    log.info("seeded", extra={"step": step.name})
