"""Tables of enrollments and progress."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    Date,
    Index,
    Integer,
    String,
    UniqueConstraint,
    cast,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

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


class Assignment(TenantRow, Base):
    """That a course is to be completed: by everybody in a department and in those below it, by one person, or, with neither
    named, by everybody at the school. Who joins the department later has it, too, and who leaves it has it no more; but a day that
    was over before somebody came to the school is none of theirs.

    `due_on` is the last day in the school's zone on which it is in time; None = no day was set. Taking it back deletes the row;
    what people did in the course stays.
    """

    __tablename__ = "assignment"
    called_by = "title"
    constraints = (
        UniqueConstraint(
            "tenant_id", "course_id", "department_id", "membership_id", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("department_id is null or membership_id is null", name="one_audience"),
        Index("ix_assignment_newest", "tenant_id", "assigned_at", "id"),
    )

    course_id: Mapped[int] = tenant_ref("course", ondelete="RESTRICT", index=False)
    department_id: Mapped[int | None] = tenant_ref("department", ondelete="RESTRICT", nullable=True)
    membership_id: Mapped[int | None] = tenant_ref("membership", nullable=True)
    due_on: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(300), server_default="")
    version: Mapped[int] = mapped_column(server_default="1", default=1)
    """Counts changes, so that two managers who edit at once do not overwrite each other unseen."""
    assigned_by_id: Mapped[int | None] = tenant_ref("membership", ondelete="SET NULL", nullable=True, index=False)
    assigned_at: Mapped[datetime] = mapped_column(server_default=func.now())
    if TYPE_CHECKING:
        due_key: Mapped[date]
        title: Mapped[str]


Assignment.due_key = column_property(func.coalesce(Assignment.due_on, cast(literal("9999-12-31"), Date)), deferred=True)
"""What sorts by the day: those without one come last."""

_COURSE, _PUBLICATION = (
    table("course", column("id"), column("publication_id")),
    table("publication", column("id"), column("title")),
)
Assignment.title = column_property(
    select(_PUBLICATION.c.title)
    .join(_COURSE, _COURSE.c.publication_id == _PUBLICATION.c.id)
    .where(_COURSE.c.id == Assignment.course_id)
    .correlate(Assignment)
    .scalar_subquery(),
    deferred=True,
)
"""What its course is called."""
