"""What bookings take of resources: locked in one order, checked, and left to the database as the last word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.foundation import clock, formats
from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.scheduling.models import Booking, Claim, Resource
from app.scheduling.queries.availability import next_free_times
from app.scheduling.queries.bookings import Taken, list_taken
from app.scheduling.rules.booking_words import status_word
from app.scheduling.rules.bookings import may_become

EXCLUSION_VIOLATION = "23P01"
A_MOMENT = timedelta(minutes=10)


class NotPossible(Refusal):
    """The booking's state, or the rules of bookings, do not allow this."""


class SlotTaken(Refusal):
    """Somebody or something is booked at that time already. `next_free` holds the next instants that would do, in UTC."""

    def __init__(self, sentence: str, next_free: Sequence[datetime]) -> None:
        super().__init__(sentence)
        self.next_free = tuple(next_free)


def lock_booking(booking: Booking, *, wanted: str) -> Booking:
    """Wait for whoever decides on this booking now, and refuse a state from which `wanted` is not reached.

    The state is read afresh; the rest of the row and its claims only change with it.
    """
    afresh = select(Booking.status).where(Booking.id == booking.id).with_for_update(key_share=True)
    status = session.execute(afresh).scalar_one()
    if not may_become(status, wanted):
        raise NotPossible(
            _("This booking is %(status)s, so it cannot become %(wanted)s.",
              status=status_word(status), wanted=status_word(wanted))
        )  # fmt: skip
    if status != booking.status:
        session.get(Booking, booking.id, options=_with_claims(), populate_existing=True)
    return booking


def make_firm(booking: Booking, resources: Iterable[tuple[str, Resource]], *, zone: str) -> None:
    """Take the resources, by role, firmly for the booking's time; raises SlotTaken, whose sentence is in `zone`.

    Who comes too late is told before waiting for a lock. Then the rows of the resources are locked in the order of their
    ids, so that rivals queue up and never deadlock; the database's constraint has the last word.
    """
    wanted = dict(resources)
    _refuse_if_taken(booking, wanted, zone=zone)
    _lock_resources([resource.id for resource in wanted.values()])
    _refuse_if_taken(booking, wanted, zone=zone)
    try:
        with session.begin_nested():
            for role, resource in wanted.items():
                take(booking, role, resource, state="firm")
    except IntegrityError as error:
        if getattr(error.orig, "pgcode", None) != EXCLUSION_VIOLATION:
            raise
        raise _slot_taken(booking, wanted, [], zone=zone) from error


def take(booking: Booking, role: str, resource: Resource, *, state: str) -> None:
    """Write the booking's claim of one role: on this resource, in this state, for the booking's time."""
    during = Range(booking.starts_at, booking.ends_at, bounds="[)")
    claim = next((claim for claim in booking.claims if claim.role == role), None)
    if claim is None:
        booking.claims.append(Claim(role=role, resource_id=resource.id, resource=resource, state=state, during=during))
    else:
        claim.resource_id, claim.resource, claim.state, claim.during = resource.id, resource, state, during


def release(booking: Booking) -> None:
    """Let go of everything the booking takes: its time is free at once."""
    for claim in booking.claims:
        claim.state = "released"


def claimed(booking: Booking, role: str) -> Resource | None:
    """What the booking takes in a role, in whatever state."""
    return next((claim.resource for claim in booking.claims if claim.role == role), None)


def next_free_sentence(opening: str, next_free: Sequence[datetime], after: datetime, *, zone: str) -> str:
    """The opening and where to go from there: "That slot was booked a moment ago. The next free one is 10:45." """
    if not next_free:
        return opening + " " + _("There is no free one in the next two weeks.")
    same_day = formats.day(next_free[0], zone) == formats.day(after, zone)
    words = formats.clock_time(next_free[0], zone) if same_day else formats.when(next_free[0], zone)
    return opening + " " + _("The next free one is %(time)s.", time=words)


def _with_claims() -> tuple[ORMOption, ...]:
    return (selectinload(Booking.claims).joinedload(Claim.resource),)


def _refuse_if_taken(booking: Booking, wanted: dict[str, Resource], *, zone: str) -> None:
    ids = [resource.id for resource in wanted.values()]
    if taken := list_taken(ids, booking.starts_at, booking.ends_at, besides=booking.id):
        raise _slot_taken(booking, wanted, taken, zone=zone)


def _lock_resources(ids: list[int]) -> None:
    in_order = select(Resource.id).where(Resource.id.in_(ids)).order_by(Resource.id)
    session.execute(in_order.with_for_update(key_share=True))


def _slot_taken(booking: Booking, wanted: dict[str, Resource], taken: list[Taken], *, zone: str) -> SlotTaken:
    minutes = int((booking.ends_at - booking.starts_at).total_seconds() // 60)
    ids = [resource.id for role, resource in wanted.items() if not _is_firm_already(booking, role, resource)]
    next_free = next_free_times(ids, minutes=minutes, after=booking.starts_at)
    recent = not taken or any(t.since and clock.now() - t.since < A_MOMENT for t in taken)
    opening = _("That slot was booked a moment ago.") if recent else _("That slot is booked already.")
    sentence = next_free_sentence(opening, next_free, booking.starts_at, zone=zone)
    if taken:
        sentence += " " + _("Taken: %(names)s.", names=", ".join(dict.fromkeys(t.name for t in taken)))
    return SlotTaken(sentence, next_free)


def _is_firm_already(booking: Booking, role: str, resource: Resource) -> bool:
    return any(c.role == role and c.resource_id == resource.id and c.state == "firm" for c in booking.claims)
