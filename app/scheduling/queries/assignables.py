"""What an admin may put on a booking: who teaches and what flies, when each is open, and where each is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership
from app.scheduling.models import Booking, Claim, Resource
from app.scheduling.queries.availability import TAKING, exceptions_as_json, open_in_json, rules_as_json
from app.scheduling.rules.availability import Span, covers, days_around
from app.scheduling.rules.bookings import CRAFT_KINDS, LONGEST_MINUTES


class Slot(Protocol):
    """Anything with an id and a time: a booking, or a card of one. `learner_id` is a membership."""

    @property
    def id(self) -> int: ...
    @property
    def learner_id(self) -> int: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


@dataclass(frozen=True)
class Assignable:
    """A person or a thing, with the ids of the bookings in whose time it is taken by another, and when it is open.

    `is_let_in` is false of a person whom the school does not let in now: suspended, for one.
    """

    id: int
    kind: str
    name: str
    membership_id: int | None
    teaches: bool
    taken: frozenset[int]
    open: list[Span]
    is_let_in: bool = True

    def is_taken(self, slot: Slot) -> bool:
        return slot.id in self.taken

    def is_open(self, slot: Slot) -> bool:
        return covers(self.open, slot.starts_at, slot.ends_at)


def list_assignables(slots: Sequence[Slot]) -> list[Assignable]:
    """The instructors, aircraft and simulators in service and the learners of these bookings, by name, in one SELECT."""
    if not slots:
        return []
    start, end = min(s.starts_at for s in slots), max(s.ends_at for s in slots)
    taken = _taken([s.id for s in slots], start)
    teaches = Membership.roles.contains([Role.INSTRUCTOR.value]) & (Membership.status == "active")
    found = (
        select(
            Resource.id, Resource.kind, Resource.name, Resource.membership_id, func.coalesce(teaches, False),
            taken.c.bookings, rules_as_json(), exceptions_as_json(*days_around(start, end)),
            func.coalesce(Membership.status == "active", True),
        )
        .outerjoin(taken, taken.c.resource_id == Resource.id)
        .outerjoin(Membership, Membership.id == Resource.membership_id)
        .where(Resource.retired_at.is_(None))
        .where(or_(Resource.kind.in_(CRAFT_KINDS), teaches, Resource.membership_id.in_({s.learner_id for s in slots})))
        .order_by(Membership.name_key, Resource.name, Resource.id)
    )  # fmt: skip
    return [
        Assignable(
            id_, kind, name, membership_id, teaching, frozenset(bookings or ()),
            open_in_json(rules, exceptions, start, end), let_in,
        )
        for id_, kind, name, membership_id, teaching, bookings, rules, exceptions, let_in in session.execute(found)
    ]  # fmt: skip


def _taken(booking_ids: list[int], first: datetime) -> Any:
    """Resources, each with the ids of those of these bookings in whose time another takes it; none begins before `first`.

    The wall lets the planner use an index only for comparisons that cannot leak a row, which && on ranges is not: so the
    others are found by their beginnings first. None lasts longer than LONGEST_MINUTES.
    """
    wanted, other = aliased(Booking, name="wanted"), aliased(Booking, name="other")
    return (
        select(Claim.resource_id, func.array_agg(wanted.id).label("bookings"))
        .select_from(wanted)
        .join(
            other,
            (other.starts_at > first - timedelta(minutes=LONGEST_MINUTES))
            & (other.starts_at < wanted.ends_at)
            & (other.ends_at > wanted.starts_at)
            & (other.id != wanted.id),
        )
        .join(Claim, Claim.booking_id == other.id)
        .where(wanted.id.in_(booking_ids), Claim.state.in_(TAKING))
        .group_by(Claim.resource_id)
        .subquery("taken")
    )
