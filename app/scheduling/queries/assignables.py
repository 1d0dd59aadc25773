"""What an admin may put on a booking: who teaches and what flies, when each is open, and where each is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Protocol

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import aliased

from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership
from app.scheduling.models import AvailabilityException, AvailabilityRule, Booking, Claim, Resource
from app.scheduling.queries.availability import TAKING
from app.scheduling.rules.availability import Span, covers, days_around, open_between
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
            taken.c.bookings, _hours(AvailabilityRule), _hours(AvailabilityException, *days_around(start, end)),
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
            open_between(_rules(rules), _exceptions(exceptions), start, end), let_in,
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


def _hours(model: Any, first: date | None = None, last: date | None = None) -> Any:
    """Per resource: its rows of one of the two tables of hours, as JSON."""
    one = func.to_jsonb(text(model.__tablename__))
    rows = select(func.jsonb_agg(one)).select_from(model).where(model.resource_id == Resource.id)
    if first and last:
        rows = rows.where(model.day.between(first, last))
    return rows.correlate(Resource).scalar_subquery()


def _rules(rows: list[dict[str, Any]] | None) -> list[AvailabilityRule]:
    return [_row(row, "valid_from", "valid_until") for row in rows or ()]


def _exceptions(rows: list[dict[str, Any]] | None) -> list[AvailabilityException]:
    return [_row(row, "day") for row in rows or ()]


def _row(values: dict[str, Any], *days: str) -> Any:
    """A row that is only computed with: its columns by name, without what the ORM keeps of a row."""
    for day in days:
        values[day] = date.fromisoformat(values[day]) if values[day] else None
    return SimpleNamespace(**values)
