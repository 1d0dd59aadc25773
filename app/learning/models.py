"""Tables of enrollments and progress."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base, TenantRow, tenant_ref


class Enrollment(TenantRow, Base):
    """A person in a course, pinned to the publication they began. `last_step_key` is where "continue" leads.

    `steps_done` counts this enrollment's StepProgress rows; it is kept by the deed that writes them.
    """

    __tablename__ = "enrollment"
    constraints = (
        UniqueConstraint("tenant_id", "membership_id", "course_id"),
        Index("ix_enrollment_recent", "tenant_id", "membership_id", "last_seen_at"),
    )

    membership_id: Mapped[int] = tenant_ref("membership")
    course_id: Mapped[int] = tenant_ref("course", ondelete="RESTRICT")
    publication_id: Mapped[int] = tenant_ref("publication", ondelete="RESTRICT")
    steps_done: Mapped[int] = mapped_column(Integer, server_default="0")
    last_lesson_key: Mapped[str | None] = mapped_column(String(80))
    last_step_key: Mapped[str | None] = mapped_column(String(80))
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    enrolled_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]

    @property
    def is_completed(self) -> bool:
        return self.completed_at is not None


class StepProgress(TenantRow, Base):
    """That a person has done a step. The key outlives publications."""

    __tablename__ = "step_progress"
    constraints = (UniqueConstraint("tenant_id", "enrollment_id", "step_key"),)

    enrollment_id: Mapped[int] = tenant_ref("enrollment", index=False)
    lesson_key: Mapped[str] = mapped_column(String(80))
    step_key: Mapped[str] = mapped_column(String(80))
    done_at: Mapped[datetime]


class LessonProgress(TenantRow, Base):
    """That a person has done every step of a lesson."""

    __tablename__ = "lesson_progress"
    constraints = (
        UniqueConstraint("tenant_id", "enrollment_id", "lesson_key"),
        Index(
            "ix_lesson_progress_completed",
            "tenant_id",
            "completed_at",
            postgresql_where=text("completed_at is not null"),
        ),
    )

    enrollment_id: Mapped[int] = tenant_ref("enrollment", index=False)
    lesson_key: Mapped[str] = mapped_column(String(80))
    completed_at: Mapped[datetime]
