"""Every SELECT about bookings: one, lists, the queue, and what takes people's time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, any_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.pages import ListQuery, Page, paginate
from app.identity.models import Membership
from app.scheduling.models import Booking, Claim, Resource
from app.scheduling.policies import Can
from app.scheduling.queries.availability import TAKING
from app.scheduling.rules.bookings import CRAFT_KINDS
from app.tenants.models import SchoolSettings

WAITING = ("requested", "approved")
OPEN = (*WAITING, "assigned")
"""What may still take place."""
QUEUE_SIZE = 20
ESCALATED = "escalated"
"""What waits and was escalated: in the queue a choice beside the states."""

_instructor_claim = aliased(Claim, name="instructor_claim")
_craft_claim = aliased(Claim, name="craft_claim")
_instructor = aliased(Resource, name="instructor")
_craft = aliased(Resource, name="craft")


@dataclass(frozen=True)
class BookingCard:
    """A booking as lists show it, in plain values. The instructor is the wished one until another is assigned.

    `learner` and `learner_id` are of the membership; `instructor_id` and `craft_id` are resources'.
    """

    id: int
    status: str
    starts_at: datetime
    ends_at: datetime
    activity: str
    source: str
    note: str
    reason: str
    requested_at: datetime
    escalated_at: datetime | None
    escalations: int
    learner_id: int
    learner: str
    instructor_id: int | None
    instructor: str | None
    craft_id: int | None
    craft: str | None
    rivals: int = 0

    @property
    def waits_for_admin(self) -> bool:
        return self.status in WAITING

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


_COLUMNS: tuple[Any, ...] = (
    Booking.id, Booking.status, Booking.starts_at, Booking.ends_at, Booking.activity, Booking.source, Booking.note,
    Booking.reason, Booking.requested_at, Booking.escalated_at, Booking.escalations, Booking.learner_id,
    Membership.name.label("learner"), _instructor.id.label("instructor_id"), _instructor.name.label("instructor"),
    _craft.id.label("craft_id"), _craft.name.label("craft"),
)  # fmt: skip


def _cards(*more: Any) -> Select[Any]:
    """Every booking of the school in force as a card; each claim joins at most once, so a booking is one row."""
    return (
        select(*_COLUMNS, *more)
        .select_from(Booking)
        .join(Membership, Membership.id == Booking.learner_id)
        .outerjoin(
            _instructor_claim, and_(_instructor_claim.booking_id == Booking.id, _instructor_claim.role == "instructor")
        )
        .outerjoin(_instructor, _instructor.id == _instructor_claim.resource_id)
        .outerjoin(_craft_claim, and_(_craft_claim.booking_id == Booking.id, _craft_claim.role.in_(CRAFT_KINDS)))
        .outerjoin(_craft, _craft.id == _craft_claim.resource_id)
    )


def _first(statement: Select[Any]) -> BookingCard | None:
    row = session.execute(statement.limit(1)).first()
    return BookingCard(*row) if row else None


# -- one booking ---------------------------------------------------------------------------------------------------


def with_claims() -> tuple[ORMOption, ...]:
    """What `access(Booking, id, …)` loads besides, in the same SELECT: the claims and what they take."""
    return (joinedload(Booking.claims).joinedload(Claim.resource),)


def find_card(booking_id: int) -> BookingCard | None:
    """One booking as lists show it, with how many others ask for its time."""
    return _first(_cards(_rivals().label("rivals")).where(Booking.id == booking_id))


@dataclass(frozen=True)
class OwnRequest:
    """Another booking of the same learner about the same time, and whom they wish for."""

    starts_at: datetime
    ends_at: datetime
    instructor: str | None


@dataclass(frozen=True)
class Alongside:
    """What else is asked for at the time of a booking: by how many others, and by its own learner; and the school's settings,
    which say whether it is open then (None for a booking that waits no more)."""

    others: int
    own: tuple[OwnRequest, ...]
    settings: SchoolSettings | None = None


def asked_alongside(booking: Booking) -> Alongside:
    """Who else waits for an answer about the same time: with the same instructor, where one is wished. One SELECT."""
    wanted = select(_rivals(), _own_alongside(), SchoolSettings).select_from(Booking)
    wanted = wanted.join(SchoolSettings, SchoolSettings.tenant_id == Booking.tenant_id)
    others, own, settings = session.execute(wanted.where(Booking.id == booking.id)).one()
    return Alongside(
        others or 0,
        tuple(
            OwnRequest(datetime.fromisoformat(start), datetime.fromisoformat(end), name)
            for start, end, name in own or ()
        ),
        settings,
    )


@dataclass(frozen=True)
class Deed:
    """An entry of a booking's history: what was done, when, by whom (none: the system)."""

    at: datetime
    action: str
    actor: str | None


def list_history(booking_id: int) -> list[Deed]:
    """What was done to a booking, newest first, with the names of those who did it."""
    entries = (
        select(AuditEntry.at, AuditEntry.action, Membership.name)
        .outerjoin(Membership, Membership.id == AuditEntry.actor_id)
        .where(AuditEntry.subject_type == "Booking", AuditEntry.subject_id == booking_id)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(50)
    )
    return [Deed(*row) for row in session.execute(entries)]


# -- lists ---------------------------------------------------------------------------------------------------------


def list_bookings(query: ListQuery, *, actor: Actor) -> Page[BookingCard]:
    """A page of the bookings that concern this person: a learner's and an instructor's own, all for other staff.

    Coming is what may still take place, past is all else: over, declined or cancelled. A state that is asked for is shown.
    """
    statement = _cards().where(*_concerning(actor), *_narrowed(query))
    by = {"asked": (Booking.requested_at, Booking.id)}.get(query.sort, (Booking.starts_at, Booking.id))
    page = paginate(statement, by, cursor=query.cursor, descending=query.sort != "soonest", scalars=False)
    return Page([BookingCard(*row) for row in page.rows], page.before, page.after)


def _concerning(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.may(Can.LIST_ALL_BOOKINGS):
        return []
    return [or_(Booking.learner_id == actor.membership_id, _instructor.membership_id == actor.membership_id)]


def _narrowed(query: ListQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if status := query.get("status"):
        conditions.append(Booking.status == status)
    if source := query.get("source"):
        conditions.append(Booking.source == source)
    when = query.get("when") or ("all" if status else "coming")
    if when == "coming":
        conditions.append(Booking.ends_at > clock.now())
        conditions += [] if status else [Booking.status.in_(OPEN)]
    elif when == "past":
        conditions.append(or_(Booking.ends_at <= clock.now(), Booking.status.not_in(OPEN)))
    return [*conditions, *_searched(query)]


def _searched(query: ListQuery) -> list[ColumnElement[bool]]:
    """Bookings that take somebody or something of this name: learner, instructor or craft.

    The names are looked through once, and indexes lead from those that match to their claims. Left to itself the database guesses
    wrong how many match, and looks through all of them again for every booking.
    """
    if not query.search:
        return []
    of_a_person = select(Membership.id).where(Membership.name_key.contains(sort_key(query.search), autoescape=True))
    of_a_thing = and_(Resource.kind != "person", Resource.name.icontains(query.search, autoescape=True))
    named = select(Resource.id).where(or_(Resource.membership_id.in_(of_a_person), of_a_thing))
    found = select(Claim.booking_id).where(Claim.resource_id == any_(func.array(named.scalar_subquery())))
    return [Booking.id.in_(select(found.cte("found").prefix_with("materialized", dialect="postgresql").c.booking_id))]


def list_queue(query: ListQuery) -> Page[BookingCard]:
    """A page of what waits for an admin: requests, and approved ones that are not assigned.

    Sorts: `asked`, the oldest request first, and `soonest`, the next lesson first. Filter `status`: of WAITING, or escalated.
    """
    waiting = _cards(_rivals().label("rivals")).where(Booking.status.in_(WAITING), *_searched(query))
    if status := query.get("status"):
        waiting = waiting.where(Booking.escalations > 0 if status == ESCALATED else Booking.status == status)
    by = (Booking.starts_at if query.sort == "soonest" else Booking.requested_at, Booking.id)
    page = paginate(waiting, by, cursor=query.cursor, size=QUEUE_SIZE, scalars=False)
    return Page([BookingCard(*row) for row in page.rows], page.before, page.after)


def list_waiting() -> list[tuple[int, str]]:
    """The id and the status of every booking to come that waits for an admin."""
    waiting = select(Booking.id, Booking.status).where(Booking.status.in_(WAITING), Booking.starts_at > clock.now())
    return [(booking_id, status) for booking_id, status in session.execute(waiting.order_by(Booking.id))]


@dataclass(frozen=True)
class WaitingCounts:
    """How much waits for the admins: requests, approved ones without assignment, and how many of both were escalated."""

    requests: int
    unassigned: int
    escalated: int


def waiting_counts() -> WaitingCounts:
    """The three numbers of the queue, in one SELECT."""
    numbers = select(
        func.count().filter(Booking.status == "requested"),
        func.count().filter(Booking.status == "approved"),
        func.count().filter(Booking.escalations > 0),
    ).where(Booking.status.in_(WAITING))
    return WaitingCounts(*session.execute(numbers).one())


# -- what is free --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """A stretch in which a resource is booked for certain; `since` when that was decided."""

    resource_id: int
    name: str
    starts_at: datetime
    ends_at: datetime
    since: datetime | None


def list_taken(
    resource_ids: Collection[int], start: datetime, end: datetime, *, besides: int | None = None
) -> list[Taken]:
    """What takes these resources for certain between two instants, in order; `besides` is a booking to leave out."""
    rivals = (
        select(
            Claim.resource_id, Resource.name, func.lower(Claim.during), func.upper(Claim.during),
            func.coalesce(Booking.assigned_at, Booking.approved_at),
        )
        .join(Resource, Resource.id == Claim.resource_id)
        .join(Booking, Booking.id == Claim.booking_id)
        .where(Claim.resource_id.in_(resource_ids), Claim.state.in_(TAKING))
        .where(Claim.during.op("&&")(func.tstzrange(start, end)))
        .order_by(Claim.during, Claim.id)
    )  # fmt: skip
    if besides is not None:
        rivals = rivals.where(Claim.booking_id != besides)
    return [Taken(*row) for row in session.execute(rivals)]


def _own_alongside() -> Any:
    """Per booking: what its learner asks for besides at a time that overlaps, as JSON, in order of time."""
    other, wished = aliased(Booking, name="own"), aliased(Resource, name="wished")
    row = func.jsonb_build_array(other.starts_at, other.ends_at, wished.name)
    return (
        select(func.jsonb_agg(aggregate_order_by(row, other.starts_at, other.id)))
        .select_from(other)
        .outerjoin(wished, wished.id == other.wished_instructor_id)
        .where(other.status.in_(OPEN), other.id != Booking.id, other.learner_id == Booking.learner_id)
        .where(other.starts_at < Booking.ends_at, other.ends_at > Booking.starts_at)
        .correlate(Booking)
        .scalar_subquery()
    )


def _rivals() -> Any:
    """Per booking: the learners of other waiting requests that overlap and want the same instructor, or either has no wish."""
    other = aliased(Booking, name="rival")
    return (
        select(func.count(func.distinct(other.learner_id)))
        .where(other.status.in_(WAITING), other.id != Booking.id, other.learner_id != Booking.learner_id)
        .where(other.starts_at < Booking.ends_at, other.ends_at > Booking.starts_at)
        .where(
            or_(
                other.wished_instructor_id == Booking.wished_instructor_id,
                other.wished_instructor_id.is_(None),
                Booking.wished_instructor_id.is_(None),
            )
        )
        .correlate(Booking)
        .scalar_subquery()
    )
