"""Tables of the schools themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Integer, String, UniqueConstraint, func
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


class SchoolSettings(TenantRow, Base):
    """What a school decided about how it works: one row a school."""

    __tablename__ = "school_settings"
    constraints = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("escalate_after_hours between 1 and 168", name="escalation_within_a_week"),
    )

    escalate_after_hours: Mapped[int] = mapped_column(Integer, server_default="4")


class Department(TenantRow, Base):
    """A part of a school. Departments form a tree; each includes those below it."""

    __tablename__ = "department"
    constraints = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = tenant_ref("department", ondelete="RESTRICT", nullable=True)
