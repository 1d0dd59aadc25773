"""Asking for an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _

from app.audit.operations import audit
from app.foundation import clock, formats
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.refusals import Refusal
from app.identity.models import Membership
from app.scheduling.events import BookingRequested
from app.scheduling.models import Booking, Resource
from app.scheduling.operations.claims import SlotTaken, next_free_sentence, take
from app.scheduling.operations.escalating import schedule_escalation
from app.scheduling.operations.resources import ensure_person_resource
from app.scheduling.queries.availability import next_free_times
from app.scheduling.queries.bookings import list_taken
from app.scheduling.queries.resources import find_instructor
from app.scheduling.rules.bookings import FURTHEST_AHEAD, LENGTHS, Activity, is_on_the_step


class NotARequest(Refusal):
    """What was asked for can be no booking, whoever is free: its length, its time, its instructor."""

    status = 422


def request_booking(
    *,
    learner: Membership,
    starts_at: datetime,
    minutes: int,
    wished_instructor: Resource | None,
    activity: str,
    note: str,
    actor: Actor,
    source: str = "web",
) -> Booking:
    """Ask for `minutes` from an instant on, with an instructor or none in particular.

    Claims are soft: any number of learners may ask for one hour, and one learner for several alternatives at the same
    time. Raises NotARequest, and SlotTaken where the learner is booked firmly then.
    """
    _check(starts_at, minutes, activity, learner, wished_instructor)
    own = ensure_person_resource(learner)
    ends_at = starts_at + timedelta(minutes=minutes)
    _check_own_time(own, starts_at, ends_at, wished_instructor, zone=actor.zone)
    booking = Booking(
        learner_id=learner.id, status="requested", starts_at=starts_at, ends_at=ends_at, activity=activity, source=source,
        note=note, wished_instructor_id=wished_instructor.id if wished_instructor else None, requested_at=clock.now(),
        escalations=0, reason="", claims=[],
    )  # fmt: skip
    session.add(booking)
    take(booking, "learner", own, state="soft")
    if wished_instructor:
        take(booking, "instructor", wished_instructor, state="soft")
    session.flush()
    schedule_escalation(booking, number=1, since=booking.requested_at)
    audit(
        "booking.requested", actor=actor, subject=booking,
        after={
            "status": "requested", "starts_at": starts_at.isoformat(), "minutes": minutes, "activity": activity,
            "wished_instructor_id": booking.wished_instructor_id,
        },
    )  # fmt: skip
    announce(BookingRequested(booking.id, actor.membership_id))
    return booking


def _check(starts_at: datetime, minutes: int, activity: str, learner: Membership, wished: Resource | None) -> None:
    now = clock.now()
    if minutes not in LENGTHS:
        raise NotARequest(_("Ask for 30 to 180 minutes, in steps of 15."))
    if not is_on_the_step(starts_at):
        raise NotARequest(_("Begin on a quarter hour, such as 10:45."))
    if starts_at <= now:
        raise NotARequest(_("This time has passed. Choose a later one."))
    if starts_at > now + FURTHEST_AHEAD:
        raise NotARequest(_("Choose a day within the next %(days)d days.", days=FURTHEST_AHEAD.days))
    if activity not in set(Activity):
        raise NotARequest(_("Choose what you want to do from the list."))
    if wished and (wished.membership_id == learner.id or find_instructor(wished.id) is None):
        raise NotARequest(_("Choose an instructor from the list, or none in particular."))


def _check_own_time(
    own: Resource, starts_at: datetime, ends_at: datetime, wished: Resource | None, *, zone: str
) -> None:
    taken = list_taken([own.id], starts_at, ends_at)
    if not taken:
        return
    minutes = int((ends_at - starts_at).total_seconds() // 60)
    ids = [own.id, wished.id] if wished else [own.id]
    next_free = next_free_times(ids, minutes=minutes, after=starts_at)
    opening = _("You are booked then: %(span)s.", span=formats.span(taken[0].starts_at, taken[0].ends_at, zone))
    raise SlotTaken(next_free_sentence(opening, next_free, starts_at, zone=zone), next_free)
