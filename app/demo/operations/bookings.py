"""What can be booked in the demo, when instructors teach, and weeks of bookings in every state."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.audit.operations import audit
from app.demo import cast
from app.demo.operations.people import actor_of, actor_with, resources_by_email
from app.demo.rules import REASONS, Planned, fate_of, plan_week
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership
from app.identity.queries import find_membership_of_user, find_user_by_email, list_members_with_role
from app.scheduling.models import Booking, Resource
from app.scheduling.operations.availability import add_exception, set_week
from app.scheduling.operations.claims import SlotTaken, take
from app.scheduling.operations.deciding import approve_booking, assign_booking, decline_booking
from app.scheduling.operations.ending import cancel_booking
from app.scheduling.operations.escalating import schedule_escalation
from app.scheduling.operations.requesting import request_booking
from app.scheduling.operations.resources import add_aircraft, add_simulator, ensure_person_resource
from app.scheduling.queries.availability import open_spans
from app.scheduling.rules.availability import covers
from app.scheduling.rules.bookings import instant_of
from app.tenants.queries import find_school, school_settings

log = logging.getLogger(__name__)
DAYS_OF_ASKING = 12
"""A lesson that is to come was asked for within so many days."""


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
    people = resources_by_email()
    teachers = [people[email].id for email in cast.TEACHING[slug]]
    hours = open_spans(teachers, _midnight(monday, zone), _midnight(monday, zone, days=7))
    admin, asked_before, closed = actor_with(slug, Role.ADMIN), False, set(school_settings().closed_days)
    for one, at in planned:
        teacher, craft = people[one.instructor], resources.get(one.craft or "")
        if at is None or not covers(hours[teacher.id], at, at + timedelta(minutes=one.minutes)):
            continue
        if one.starts.date() in closed:
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
    """Ask, and decide some hours later, as people do. A time that somebody has booked in the demo by hand is left to them."""
    now = clock.now()
    asked = _asked_at(slot, status, now)
    decided = min(asked + timedelta(minutes=25 + int(slot.plan.die * 10_000) % 400), now)
    try:
        with session.begin_nested():
            with clock.held_at(asked):
                booking = request_booking(
                    learner=session.get_one(Membership, slot.learner.membership_id), starts_at=slot.at,
                    minutes=slot.plan.minutes, wished_instructor=slot.instructor, activity=slot.plan.activity,
                    note=slot.plan.note, actor=actor_of(slot.learner), source="web",
                )  # fmt: skip
            with clock.held_at(decided):
                _decide(booking, slot, status, admin)
    except SlotTaken:
        log.info("a seeded booking found its time taken", extra={"starts_at": slot.at})


def _decide(booking: Booking, slot: Slot, status: str, admin: Actor) -> None:
    if status == "assigned":
        assign_booking(booking, instructor=slot.instructor, aircraft=slot.craft, actor=admin)
    elif status == "approved":
        approve_booking(booking, actor=admin)
    elif status == "declined":
        decline_booking(booking, reason=slot.reason(status), actor=admin)
    else:
        cancel_booking(booking, reason=slot.reason(status), actor=actor_of(slot.learner))


def _asked_at(slot: Slot, status: str, now: datetime) -> datetime:
    """When a coming lesson was asked for: some days ago, in the daytime; a moment ago where it still waits for its assignment.

    Never before the school was there.
    """
    opened_at = find_school().created_at
    if status == "approved":
        return max(now - timedelta(minutes=20 + int(slot.plan.die * 1000) % 60), opened_at)
    back = int(slot.plan.die * 7919) % DAYS_OF_ASKING
    zone = ZoneInfo(tenancy.required().zone)
    hour, minute = 8 + int(slot.plan.die * 104_729) % 11, int(slot.plan.die * 1_299_709) % 60
    day = now.astimezone(zone).date() - timedelta(days=back)
    asked = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
    recent = now - timedelta(minutes=30 + minute)
    return max(min(asked, recent), opened_at)


def _write_request(slot: Slot, *, old: bool, admin: Actor) -> None:
    """A request that waits: since some minutes, or, if `old`, for so long that it escalates."""
    too_long = timedelta(hours=school_settings().escalate_after_hours, minutes=20)
    waited = too_long if old else timedelta(minutes=10 + int(slot.plan.die * 1000) % 150)
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
    decided = None if status == "requested" else min(asked + timedelta(hours=2), slot.at)
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
    _write_trail(booking, slot, admin)
    return booking


def _write_trail(booking: Booking, slot: Slot, admin: Actor) -> None:
    """The entries that the deeds would have left: who asked, who decided, who said that it took place."""
    _write_entry(booking, booking.requested_at, actor_of(slot.learner), "", "requested")
    was = "requested"
    if booking.assigned_at:
        _write_entry(booking, booking.assigned_at, admin, was, "assigned")
        was = "assigned"
    if booking.ended_at:
        doer = {"completed": actor_of(slot.instructor), "cancelled": actor_of(slot.learner)}.get(booking.status, admin)
        _write_entry(booking, booking.ended_at, doer, was, booking.status)


def _write_entry(booking: Booking, at: datetime, doer: Actor, was: str, became: str) -> None:
    """One of them. The trail of a school that was made late begins with the school."""
    reason = {"reason": booking.reason} if became == booking.status and booking.reason else {}
    with clock.held_at(max(at, find_school().created_at)):
        before, after = {"status": was} if was else None, {"status": became, **reason}
        audit(f"booking.{became}", actor=doer, subject=booking, before=before, after=after)


def weeks_around(zone: str) -> list[date]:
    """The Mondays of the last two weeks, this week and the next two, where the school is."""
    today = clock.today(zone)
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=n) for n in (-2, -1, 0, 1, 2)]


def _midnight(day: date, zone: str, *, days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
