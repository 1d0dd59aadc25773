"""Tables of resources, availability, bookings and claims."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.models import Base, TenantRow, tenant_ref

STATUSES = ("requested", "approved", "assigned", "completed", "declined", "cancelled")
CLAIM_STATES = ("soft", "firm", "hold", "override", "released")
FIRM = "state in ('firm', 'hold')"
"""Claims that exclude one another on a resource. Soft ones never collide, an override is a named person's audited act."""


class Resource(TenantRow, Base):
    """Something a booking needs: a person, an aircraft, a room, a simulator. A person's is made from their membership."""

    __tablename__ = "resource"
    called_by = "name"
    constraints = (
        CheckConstraint("kind in ('person', 'aircraft', 'room', 'simulator')", name="known_kind"),
        CheckConstraint("(kind = 'person') = (membership_id is not null)", name="a_person_is_a_member"),
        Index(
            "uq_resource_member", "tenant_id", "membership_id", unique=True,
            postgresql_where=text("membership_id is not null"),
        ),
        Index("uq_resource_name", "tenant_id", "kind", "name", unique=True, postgresql_where=text("kind <> 'person'")),
    )  # fmt: skip

    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(120))
    detail: Mapped[str] = mapped_column(String(120), server_default="")
    membership_id: Mapped[int | None] = tenant_ref("membership", nullable=True, index=False)
    retired_at: Mapped[datetime | None]

    member: Mapped[Any] = relationship("Membership", foreign_keys=[membership_id])


class AvailabilityRule(TenantRow, Base):
    """When a person works each week, in wall time of `zone`. Minutes count from midnight; `end_minute` is 1440 at most.

    `weekday` is 0 (Monday) to 6 (Sunday).
    """

    __tablename__ = "availability_rule"
    constraints = (
        CheckConstraint("weekday between 0 and 6", name="weekday_of_a_week"),
        CheckConstraint("start_minute >= 0 and start_minute < end_minute and end_minute <= 1440", name="within_a_day"),
    )

    resource_id: Mapped[int] = tenant_ref("resource")
    weekday: Mapped[int] = mapped_column(Integer)
    start_minute: Mapped[int] = mapped_column(Integer)
    end_minute: Mapped[int] = mapped_column(Integer)
    zone: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]


class AvailabilityException(TenantRow, Base):
    """A day on which a person is away (`is_open` false; the whole day if no minutes are given) or works besides their week."""

    __tablename__ = "availability_exception"
    called_by = "day"
    constraints = (
        CheckConstraint("(start_minute is null) = (end_minute is null)", name="both_or_neither"),
        CheckConstraint("start_minute is not null or not is_open", name="open_has_hours"),
        CheckConstraint("start_minute >= 0 and start_minute < end_minute and end_minute <= 1440", name="within_a_day"),
        Index("ix_availability_exception_day", "tenant_id", "resource_id", "day"),
    )

    resource_id: Mapped[int] = tenant_ref("resource", index=False)
    day: Mapped[date]
    is_open: Mapped[bool] = mapped_column(server_default="false")
    start_minute: Mapped[int | None] = mapped_column(Integer)
    end_minute: Mapped[int | None] = mapped_column(Integer)
    zone: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(200), server_default="")

    resource: Mapped[Resource] = relationship(foreign_keys=[resource_id])


class Booking(TenantRow, Base):
    """A learner's hour with an instructor and, once assigned, an aircraft. What it takes is in its claims.

    requested → approved → assigned → completed; declined and cancelled end it, with a reason. `escalations` counts how often
    admins were told that nobody had acted.
    """

    __tablename__ = "booking"
    called_by = "starts_at"
    constraints = (
        CheckConstraint("status in ('" + "','".join(STATUSES) + "')", name="known_status"),
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        CheckConstraint("status not in ('declined', 'cancelled') or reason <> ''", name="an_end_has_a_reason"),
        Index("ix_booking_starts", "tenant_id", "starts_at", "id"),
        Index(
            "ix_booking_open",
            "tenant_id",
            "requested_at",
            "id",
            postgresql_where=text("status in ('requested', 'approved')"),
        ),
        Index("ix_booking_mine", "tenant_id", "learner_id", "starts_at"),
        Index("ix_booking_status", "tenant_id", "status", "starts_at", "id"),
    )

    learner_id: Mapped[int] = tenant_ref("membership", ondelete="RESTRICT", index=False)
    status: Mapped[str] = mapped_column(String(20))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    activity: Mapped[str] = mapped_column(String(40), server_default="dual_flight")
    source: Mapped[str] = mapped_column(String(20), server_default="web")
    note: Mapped[str] = mapped_column(String(500), server_default="")
    wished_instructor_id: Mapped[int | None] = tenant_ref("resource", ondelete="RESTRICT", nullable=True)
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    approved_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = tenant_ref("membership", ondelete="RESTRICT", nullable=True, index=False)
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    escalations: Mapped[int] = mapped_column(Integer, server_default="0")
    escalated_at: Mapped[datetime | None]

    claims: Mapped[list[Claim]] = relationship(
        foreign_keys="Claim.booking_id", order_by="Claim.id", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_open(self) -> bool:
        """Whether it may still take place."""
        return self.status in {"requested", "approved", "assigned"}

    @property
    def waits_for_admin(self) -> bool:
        return self.status in {"requested", "approved"}


class Claim(TenantRow, Base):
    """What a booking takes of one resource, and how firmly. Two firm claims on a resource never overlap: the database refuses."""

    __tablename__ = "claim"
    constraints = (
        CheckConstraint("state in ('" + "','".join(CLAIM_STATES) + "')", name="known_state"),
        CheckConstraint("role in ('learner', 'instructor', 'aircraft', 'room', 'simulator')", name="known_role"),
        CheckConstraint("not isempty(during)", name="takes_some_time"),
        UniqueConstraint("tenant_id", "booking_id", "role"),
        ExcludeConstraint(
            (text("int8range(resource_id, resource_id, '[]')"), "&&"),
            ("during", "&&"),
            name="ex_claim_one_at_a_time",
            using="gist",
            where=text(FIRM),
        ),
        Index("ix_claim_resource", "tenant_id", "resource_id"),
    )

    booking_id: Mapped[int] = tenant_ref("booking", index=False)
    resource_id: Mapped[int] = tenant_ref("resource", ondelete="RESTRICT", index=False)
    role: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)

    resource: Mapped[Resource] = relationship(foreign_keys=[resource_id])
