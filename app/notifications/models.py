"""The table of notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow, tenant_ref


class Notification(TenantRow, Base):
    """Something one person should know. `cause` names what happened: the same cause never makes a second row for a person.

    The words are made when it is shown, from `kind` and `facts`, in the reader's language and zone.
    """

    __tablename__ = "notification"
    constraints = (
        UniqueConstraint("tenant_id", "membership_id", "cause"),
        Index("ix_notification_unread", "tenant_id", "membership_id", postgresql_where=text("read_at is null")),
        Index("ix_notification_newest", "tenant_id", "membership_id", "created_at", "id"),
    )

    membership_id: Mapped[int] = tenant_ref("membership", index=False)
    kind: Mapped[str] = mapped_column(String(60))
    cause: Mapped[str] = mapped_column(String(120))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
