"""The table of daily counts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow


class Rollup(TenantRow, Base):
    """One number of one day at a school. `day` is a calendar day in the school's zone; `measure` e.g. "bookings.requested"."""

    __tablename__ = "rollup"
    constraints = (UniqueConstraint("tenant_id", "day", "measure"),)

    day: Mapped[date]
    measure: Mapped[str] = mapped_column(String(60))
    value: Mapped[int]
    counted_at: Mapped[datetime]
