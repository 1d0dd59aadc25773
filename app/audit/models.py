"""The audit table: append-only, partitioned by month."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow


class AuditEntry(TenantRow, Base):
    """One deed. `before` and `after` hold the changed fields only, personal data as "changed".

    Ids point to memberships and subjects without a foreign key: an entry outlives what it speaks of. The web role may insert
    and read, never change or delete. The address of the request is stored encrypted, with a keyed hash for search.
    """

    __tablename__ = "audit_entry"
    more_key_columns = ("at",)
    constraints = (
        Index("ix_audit_entry_subject", "tenant_id", "subject_type", "subject_id", "at"),
        Index("ix_audit_entry_actor", "tenant_id", "actor_id", "at"),
        Index("ix_audit_entry_action", "tenant_id", "action", "at"),
        Index("ix_audit_entry_correlation", "tenant_id", "correlation_id"),
    )
    table_options = {"postgresql_partition_by": "RANGE (at)"}

    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    on_behalf_of_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(80))
    subject_type: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    correlation_id: Mapped[str] = mapped_column(String(64), server_default="")
    origin: Mapped[str] = mapped_column(String(20), server_default="web")
    ip_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    ip_key_id: Mapped[str | None] = mapped_column(String(40))
    ip_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    user_agent: Mapped[str | None] = mapped_column(String(300))
