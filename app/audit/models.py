"""The audit tables: append-only entries by month, the links and heads of each school's chain, the platform's own trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow

OPERATOR = "operator_id"
"""Under which name `after` holds an operator's user id."""


class _Origin:
    """Where a deed came from. The address is encrypted under the key `ip_key_id`, with a keyed hash for search."""

    correlation_id: Mapped[str] = mapped_column(String(64), server_default="")
    ip_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    ip_key_id: Mapped[str | None] = mapped_column(String(40))
    ip_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    user_agent: Mapped[str | None] = mapped_column(String(300))


class AuditEntry(_Origin, TenantRow, Base):
    """One deed. `before` and `after` hold the changed fields only, personal data as "changed".

    `actor_id` is the member who sat there, `on_behalf_of_id` the one they acted as. Both, and the subject's id, point without a
    foreign key: an entry outlives what it speaks of. An operator is no member: their user's id stands in `after`, which is
    sealed. The web role may insert and read, never change or delete.
    """

    __tablename__ = "audit_entry"
    more_key_columns = ("at",)
    constraints = (
        Index("ix_audit_entry_at", "tenant_id", "at", "id"),
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
    origin: Mapped[str] = mapped_column(String(20), server_default="web")

    @property
    def operator_id(self) -> int | None:
        """The user's id of the operator who did it; None where a member or the platform did."""
        found = (self.after or {}).get(OPERATOR)
        return found if isinstance(found, int) else None


class AuditLink(TenantRow, Base):
    """One link of a school's chain: the `seq`th entry to be committed, and the hash over it and all before it."""

    __tablename__ = "audit_link"
    constraints = (UniqueConstraint("tenant_id", "seq"), UniqueConstraint("tenant_id", "entry_id"))

    seq: Mapped[int]
    entry_id: Mapped[int]
    entry_at: Mapped[datetime]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(TenantRow, Base):
    """Where a school's chain ends. Locking this row is how writers take turns, for the length of a COMMIT."""

    __tablename__ = "audit_head"
    constraints = (UniqueConstraint("tenant_id"),)

    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class PlatformEntry(_Origin, Base):
    """What concerns no known school, or the platform itself: a failed sign-in of an unknown mail, an operator's deed."""

    __tablename__ = "platform_entry"
    __table_args__ = (
        Index("ix_platform_entry_at", "at", "id"),
        Index("ix_platform_entry_school", "school_id", "at", "id"),
        Index("ix_platform_entry_user", "user_id", "id", postgresql_where=text("user_id is not null")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    action: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[int | None]
    school_id: Mapped[int | None]
    """Without foreign keys: an entry outlives the person and the school."""
    on_behalf_of_id: Mapped[int | None] = mapped_column(BigInteger)
    subject_type: Mapped[str | None] = mapped_column(String(60))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    """As which member of the school an operator acted, and what the deed was done to."""
    email_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
