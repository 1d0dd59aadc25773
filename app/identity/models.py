"""Tables of people, their memberships and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow, tenant_ref

ROLES = "array['learner','instructor','author','manager','admin']"


class User(Base):
    """One person on the platform: e-mail and password, whatever schools they belong to."""

    __tablename__ = "user_account"
    __table_args__ = (
        Index("uq_user_account_lower_email", func.lower(text("email")), unique=True),
        CheckConstraint("email = lower(email)", name="email_in_small_letters"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str | None]
    is_operator: Mapped[bool] = mapped_column(server_default="false")
    email_confirmed_at: Mapped[datetime | None]
    totp_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The second factor's secret, encrypted with the platform's key; counts once `totp_confirmed_at` is set."""
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None]
    """The last 30-second step that was accepted: a code works once."""
    erased_at: Mapped[datetime | None]
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
    ended_reason: Mapped[str] = mapped_column(String(20), server_default="")
    is_remembered: Mapped[bool] = mapped_column(server_default="false")
    second_factor_at: Mapped[datetime | None]
    acting_tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id", ondelete="CASCADE"))
    acting_membership_id: Mapped[int | None]
    """Whom an operator or admin acts as, in which school, until when; the reason is in that school's audit trail."""
    acting_until: Mapped[datetime | None]


class RecoveryCode(Base):
    """A one-use code that stands in for the second factor, hashed."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class OneUseToken(Base):
    """A link that was mailed or printed: it does one thing once, until it expires. Here is its SHA-256 and ids, no content."""

    __tablename__ = "one_use_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(
            "purpose in ('confirm_email', 'reset_password', 'invitation', 'change_email', 'set_up')",
            name="known_purpose",
        ),
        CheckConstraint("new_email = lower(new_email)", name="new_email_in_small_letters"),
        Index("ix_one_use_token_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id", ondelete="CASCADE"))
    membership_id: Mapped[int | None]
    new_email: Mapped[str | None] = mapped_column(String(254))
    is_handed_over: Mapped[bool] = mapped_column(server_default="false", default=False)
    """It was shown or printed for somebody to pass on: whoever holds it need not read the person's mail."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Membership(TenantRow, Base):
    """A person in a school. `name_key` sorts the name as people do; `zone` overrides the school's for showing times."""

    __tablename__ = "membership"
    called_by = "name"
    constraints = (
        UniqueConstraint("tenant_id", "user_id"),
        CheckConstraint(f"roles <@ {ROLES} and cardinality(roles) > 0", name="known_roles"),
        CheckConstraint(
            "status in ('pending', 'invited', 'active', 'suspended', 'declined', 'erased')", name="known_status"
        ),
        Index("ix_membership_name_key", "tenant_id", "name_key", "id"),
        Index("ix_membership_user_id", "user_id"),
        Index("ix_membership_asks_erasure", "tenant_id", postgresql_where=text("erasure_asked_at is not null")),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(String(240))
    phone: Mapped[str | None] = mapped_column(String(40))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    department_id: Mapped[int | None] = tenant_ref("department", ondelete="SET NULL", nullable=True)
    zone: Mapped[str | None] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(16), server_default="en", default="")
    """As Babel writes it; empty = the school's."""
    level: Mapped[str | None] = mapped_column(String(40))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    emergency_contact: Mapped[str | None] = mapped_column(String(200))
    certificate_number: Mapped[str | None] = mapped_column(String(40))
    license_number: Mapped[str | None] = mapped_column(String(40))
    primary_instructor_id: Mapped[int | None] = tenant_ref("membership", ondelete="SET NULL", nullable=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    approved_at: Mapped[datetime | None]
    invited_at: Mapped[datetime | None]
    known_as: Mapped[str | None] = mapped_column(String(254))
    """The address by which they were invited or asked to join, until they are in: what becomes of the account's is no concern of
    a school where they are not."""
    awaits_own_yes: Mapped[bool] = mapped_column(server_default="false", default=False)
    """Somebody who was not signed in asked with the address of an account that was there before: it may be a stranger, so that
    the account's person knows nothing of it until they confirm it themself."""
    link_awaited: Mapped[bool] = mapped_column(server_default="false", default=False)
    """Added outright and not yet come by a deed of their own. Until then the account does not open the school, which learns nothing
    of it: it may be of a stranger who registered with that address elsewhere, or of somebody who knows nothing of the school."""
    standing_reason: Mapped[str | None] = mapped_column(String(300))
    """Why a person was declined or suspended, in the words of whoever did it, for the person to read."""
    erasure_asked_at: Mapped[datetime | None]
    """Since when a person asks to be erased; None again once an admin has done it, or answered them."""
    erased_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def is_expected(self) -> bool:
        """Whether their link still leads in: they were invited, or added outright and have not come by it yet."""
        return self.status == "invited" or (self.status == "active" and self.link_awaited)

    @property
    def was_let_in(self) -> bool:
        """Whether they were ever in themself, so that the school had them, and not only their address."""
        return not self.link_awaited and (self.approved_at is not None or self.status in ("active", "suspended"))

    def come_in(self, at: datetime) -> None:
        """They are let in, for the first time or again."""
        self.status, self.approved_at, self.standing_reason = "active", self.approved_at or at, None
        self.awaits_own_yes = False
        if not self.link_awaited:
            self.known_as = None

    def has_come(self) -> None:
        """They are in by a deed of their own: by the link, or by a press on the page that says how they stand."""
        self.link_awaited, self.known_as = False, None


class PeopleImport(TenantRow, Base):
    """A pasted list of people that waits for its review: `rows` is `[{line, name, email, roles, department, outcome, why}]`.

    It is deleted when it is carried out or after a day.
    """

    __tablename__ = "people_import"

    made_by_id: Mapped[int] = tenant_ref("membership", index=False)
    rows: Mapped[list[Any]]
    at_once: Mapped[bool] = mapped_column(server_default="false", default=False)
    """Whether those who are new are let in outright, rather than invited."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    carried_out_at: Mapped[datetime | None]
