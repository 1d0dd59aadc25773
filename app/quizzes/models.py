"""Tables of attempts and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, Numeric, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.models import Base, TenantRow, tenant_ref


class Attempt(TenantRow, Base):
    """One try of a person at a published quiz. At most one is open; the order of its questions is stored with it.

    `question_order` is a list of `[question key, [option key, …]]`. Points are in the quiz's own units.
    """

    __tablename__ = "attempt"
    constraints = (
        UniqueConstraint("tenant_id", "membership_id", "publication_id", "step_key", "number"),
        Index(
            "uq_attempt_open", "tenant_id", "membership_id", "publication_id", "step_key", unique=True,
            postgresql_where=text("submitted_at is null"),
        ),
        CheckConstraint("(submitted_at is null) = (points is null)", name="graded_when_submitted"),
    )  # fmt: skip

    membership_id: Mapped[int] = tenant_ref("membership")
    publication_id: Mapped[int] = tenant_ref("publication", ondelete="RESTRICT")
    lesson_key: Mapped[str] = mapped_column(String(80))
    step_key: Mapped[str] = mapped_column(String(80))
    number: Mapped[int] = mapped_column(Integer)
    question_order: Mapped[list[Any]]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    submitted_at: Mapped[datetime | None]
    points: Mapped[float | None] = mapped_column(Numeric(8, 2, asdecimal=False))
    most_points: Mapped[float] = mapped_column(Numeric(8, 2, asdecimal=False))
    passed: Mapped[bool | None]

    answers: Mapped[list[Answer]] = relationship(
        foreign_keys="Answer.attempt_id", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_open(self) -> bool:
        return self.submitted_at is None

    @property
    def percent(self) -> int:
        """The score in whole percent, rounded down so that 99.9 is not a full score."""
        return int(100 * (self.points or 0) / self.most_points) if self.most_points else 0


class Answer(TenantRow, Base):
    """What a person chose for one question; saved as they choose, graded when the attempt is submitted."""

    __tablename__ = "answer"
    constraints = (UniqueConstraint("tenant_id", "attempt_id", "question_key"),)

    attempt_id: Mapped[int] = tenant_ref("attempt")
    question_key: Mapped[str] = mapped_column(String(80))
    chosen: Mapped[list[Any]]
    saved_at: Mapped[datetime]
    points: Mapped[float | None] = mapped_column(Numeric(8, 2, asdecimal=False))
    is_correct: Mapped[bool | None]
