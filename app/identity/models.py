"""Tables of people, their memberships and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow, tenant_ref

ROLES = "array['learner','instructor','author','manager','admin']"


class User(Base):
    """One person on the platform: e-mail and password, whatever schools they belong to."""

    __tablename__ = "user_account"
    __table_args__ = (Index("uq_user_account_lower_email", func.lower(text("email")), unique=True),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str | None]
    is_operator: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UserSession(Base):
    """That a person is signed in somewhere. The browser holds the token; here is its SHA-256, and that of its CSRF secret."""

    __tablename__ = "user_session"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_user_session_user_id", "user_id"))

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64))
    csrf_hash: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Membership(TenantRow, Base):
    """A person in a school. `name_key` sorts the name as people do; `zone` overrides the school's for showing times."""

    __tablename__ = "membership"
    constraints = (
        UniqueConstraint("tenant_id", "user_id"),
        CheckConstraint(f"roles <@ {ROLES} and cardinality(roles) > 0", name="known_roles"),
        CheckConstraint("status in ('pending', 'active', 'suspended')", name="known_status"),
        Index("ix_membership_name_key", "tenant_id", "name_key", "id"),
        Index("ix_membership_user_id", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(String(240))
    phone: Mapped[str | None] = mapped_column(String(40))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    department_id: Mapped[int | None] = tenant_ref("department", ondelete="SET NULL", nullable=True)
    zone: Mapped[str | None] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(16), server_default="en")
    level: Mapped[str | None] = mapped_column(String(40))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def is_active(self) -> bool:
        return self.status == "active"
