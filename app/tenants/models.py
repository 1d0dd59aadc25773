"""Tables of the schools themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, Identity, Integer, String, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow, tenant_ref


class Tenant(Base):
    """A school. `slug` is the first segment of its addresses, `zone` its home's IANA zone."""

    __tablename__ = "tenant"
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'", name="slug_is_a_path_segment"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    slug: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str | None] = mapped_column(String(300))
    """Why nobody can work in the school at present, in the words of the operator who suspended it, for operators."""


class SchoolSettings(TenantRow, Base):
    """What a school decided about how it works: one row a school."""

    __tablename__ = "school_settings"
    constraints = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("escalate_after_hours between 1 and 168", name="escalation_within_a_week"),
        CheckConstraint("latitude between -90 and 90 and longitude between -180 and 180", name="on_the_globe"),
        CheckConstraint("(latitude is null) = (longitude is null)", name="whole_location"),
        CheckConstraint("brand_color ~ '^#[0-9a-f]{6}$'", name="color_in_hex"),
    )

    escalate_after_hours: Mapped[int] = mapped_column(Integer, server_default="4")
    escalate_to_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    """Memberships that are told; empty = every admin."""
    opening_hours: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """`{"0": [540, 1020], …}`: minutes from midnight by weekday (0 = Monday); a missing weekday is closed, {} = not said."""
    closed_days: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default="{}")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    locale: Mapped[str] = mapped_column(String(16), server_default="en")
    brand_color: Mapped[str | None] = mapped_column(String(7))
    registration_open: Mapped[bool] = mapped_column(server_default="true")
    admins_need_second_factor: Mapped[bool] = mapped_column(server_default="false")
    levels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    """Counts changes, so that two admins who edit at once do not overwrite each other unseen."""


class Department(TenantRow, Base):
    """A part of a school. Departments form a tree; each includes those below it."""

    __tablename__ = "department"
    called_by = "name"
    constraints = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = tenant_ref("department", ondelete="RESTRICT", nullable=True)
