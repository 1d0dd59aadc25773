"""Makers for the tests of bookings: typed, plain, in the school in force. Times lie beyond what the demo seeds."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.foundation import clock, tenancy
from app.foundation.db import session
from app.identity.models import Membership
from app.scheduling.models import AvailabilityRule, Booking, Claim, Resource
from app.scheduling.operations.deciding import assign_booking
from app.scheduling.operations.requesting import request_booking
from app.scheduling.operations.resources import ensure_person_resource
from tests.cast import ANA, BEA, LEO, Person, actor, member

FAR = timedelta(days=60)
TUESDAY = 1


def an_hour(days: int = 0, hour: int = 18) -> datetime:
    """A full hour on a Tuesday two months from now, where nothing is seeded. 18:00 UTC is morning at Skyline."""
    then = (clock.now() + FAR).replace(hour=hour, minute=0, second=0, microsecond=0)
    return then + timedelta(days=(TUESDAY - then.weekday()) % 7 + days)


def work_only(of: Person, start_minute: int, end_minute: int) -> None:
    """Give one of the cast these hours, every day, in place of theirs. Minutes count from midnight at the school."""
    resource = person(of)
    session.query(AvailabilityRule).filter_by(resource_id=resource.id).delete()
    hours = {"start_minute": start_minute, "end_minute": end_minute, "zone": tenancy.required().zone}
    session.add_all(AvailabilityRule(resource_id=resource.id, weekday=day, **hours) for day in range(7))
    session.flush()


def person(of: Person) -> Resource:
    """The resource that one of the cast is."""
    return ensure_person_resource(member(of))


def aircraft(name: str = "N1TEST", kind: str = "aircraft") -> Resource:
    """An aircraft (or simulator) of this name."""
    found = session.query(Resource).filter_by(kind=kind, name=name).first()
    if found is None:
        found = Resource(kind=kind, name=name, detail="")
        session.add(found)
        session.flush()
    return found


def make_request(
    learner: Person = LEO,
    *,
    at: datetime | None = None,
    minutes: int = 60,
    wished: Person | None = BEA,
    activity: str = "dual_flight",
    note: str = "",
) -> Booking:
    """A request of one of the cast, made by themself."""
    return request_booking(
        learner=member(learner), starts_at=at or an_hour(), minutes=minutes, wished_instructor=person(wished) if wished else None,
        activity=activity, note=note, actor=actor(learner),
    )  # fmt: skip


def make_assigned(learner: Person = LEO, *, at: datetime | None = None, minutes: int = 60) -> Booking:
    """A booking of Leo's with Bea and an aircraft."""
    booking = make_request(learner, at=at, minutes=minutes)
    return assign_booking(booking, instructor=person(BEA), aircraft=aircraft(), actor=actor(ANA))


def move_to_the_past(booking: Booking, *, hours: int = 2) -> Booking:
    """As if time had passed: the booking began `hours` ago. Its claims move with it."""
    length = booking.ends_at - booking.starts_at
    start = (clock.now() - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    booking.starts_at, booking.ends_at = start, start + length
    for claim in booking.claims:
        claim.during = type(claim.during)(start, start + length, bounds="[)")
    session.flush()
    return booking


def states(booking: Booking) -> dict[str, str]:
    """The states of a booking's claims by role, as the database has them."""
    rows = session.query(Claim.role, Claim.state).filter_by(booking_id=booking.id)
    return dict(rows.all())


def another_learner(number: int) -> Membership:
    """One of the thirty."""
    return member(Person(f"learner{number:02}@skyline.example", "skyline"))
