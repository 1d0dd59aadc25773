"""Tables of drafts and publications."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    column,
    func,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR, aggregate_order_by
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from app.foundation.models import Base, TenantRow, tenant_ref

KEY = String(80)


class Course(TenantRow, Base):
    """A course as its authors see it. `publication_id` is the newest publication, which new learners get; None = never published.

    Title, summary, level and language are the draft's: pages for learners show those of `publication`. `title_key` sorts the
    published title once there is one. `words` is the search document of that publication, weighted by title, summary and text.
    `updated_at` is when the draft last changed. `audience` are the names of the departments it is for, None for everybody.
    """

    __tablename__ = "course"
    called_by = "title"
    constraints = (
        UniqueConstraint("tenant_id", "slug"),
        Index("ix_course_title_key", "tenant_id", "title_key", "id"),
        Index("ix_course_words", "words", postgresql_using="gin"),
    )

    slug: Mapped[str] = mapped_column(KEY)
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(String(400))
    summary: Mapped[str] = mapped_column(server_default="")
    level: Mapped[str] = mapped_column(KEY, server_default="")
    language: Mapped[str] = mapped_column(String(16), server_default="en")
    publication_id: Mapped[int | None] = tenant_ref("publication", ondelete="RESTRICT", nullable=True, cycle=True)
    words: Mapped[Any | None] = mapped_column(TSVECTOR, deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    archived_at: Mapped[datetime | None]
    if TYPE_CHECKING:
        audience: Mapped[list[str] | None]

    publication: Mapped[Publication | None] = relationship(foreign_keys=[publication_id], viewonly=True)
    modules: Mapped[list[Module]] = relationship(
        foreign_keys="Module.course_id", order_by="Module.position", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_published(self) -> bool:
        return self.publication_id is not None

    @property
    def is_in_catalog(self) -> bool:
        return self.is_published and self.archived_at is None

    @property
    def is_changed_since_published(self) -> bool:
        """Whether the draft was saved after the newest publication was made."""
        return self.publication is not None and self.updated_at > self.publication.published_at


class CourseAudience(TenantRow, Base):
    """That a course is for a department, and so for all those below it. A course without a row is for everybody.

    It says who is offered the course, from the moment it is chosen. It is no part of a draft or a publication: whoever has
    begun keeps what they have.
    """

    __tablename__ = "course_audience"
    constraints = (UniqueConstraint("tenant_id", "course_id", "department_id"),)

    course_id: Mapped[int] = tenant_ref("course", index=False)
    department_id: Mapped[int] = tenant_ref("department", ondelete="RESTRICT")


_DEPARTMENT = table("department", column("id"), column("name"))
_NAMES = func.array_agg(aggregate_order_by(_DEPARTMENT.c.name, _DEPARTMENT.c.name))
Course.audience = column_property(
    select(_NAMES)
    .select_from(_DEPARTMENT)
    .join(CourseAudience, CourseAudience.department_id == _DEPARTMENT.c.id)
    .where(CourseAudience.course_id == Course.id)
    .correlate(Course)
    .scalar_subquery(),
    deferred=True,
)


class Module(TenantRow, Base):
    """A part of a course."""

    __tablename__ = "module"
    constraints = (UniqueConstraint("tenant_id", "course_id", "key"),)

    course_id: Mapped[int] = tenant_ref("course")
    key: Mapped[str] = mapped_column(KEY)
    title: Mapped[str] = mapped_column(String(200))
    position: Mapped[int] = mapped_column(Integer)

    lessons: Mapped[list[Lesson]] = relationship(
        foreign_keys="Lesson.module_id", order_by="Lesson.position", cascade="all, delete-orphan", passive_deletes=True
    )


class Lesson(TenantRow, Base):
    """A sitting's worth of steps. `minutes` is the author's estimate."""

    __tablename__ = "lesson"
    constraints = (UniqueConstraint("tenant_id", "course_id", "key"),)

    course_id: Mapped[int] = tenant_ref("course")
    module_id: Mapped[int] = tenant_ref("module")
    key: Mapped[str] = mapped_column(KEY)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(server_default="")
    minutes: Mapped[int] = mapped_column(Integer, server_default="0")
    position: Mapped[int] = mapped_column(Integer)

    steps: Mapped[list[Step]] = relationship(
        foreign_keys="Step.lesson_id", order_by="Step.position", cascade="all, delete-orphan", passive_deletes=True
    )


class Step(TenantRow, Base):
    """One screen of a lesson, of a registered kind."""

    __tablename__ = "step"
    constraints = (UniqueConstraint("tenant_id", "course_id", "key"),)

    course_id: Mapped[int] = tenant_ref("course")
    lesson_id: Mapped[int] = tenant_ref("lesson")
    key: Mapped[str] = mapped_column(KEY)
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    position: Mapped[int] = mapped_column(Integer)

    variants: Mapped[list[Variant]] = relationship(
        foreign_keys="Variant.step_id", order_by="Variant.position", cascade="all, delete-orphan", passive_deletes=True
    )


class Variant(TenantRow, Base):
    """What a step says to an audience. The base variant has the empty audience and is for everybody; each step has one.

    `content` is what the step's kind validates: for text `{"markdown": …}`, for a quiz its questions with their keys.
    """

    __tablename__ = "variant"
    constraints = (
        Index("uq_variant_base", "tenant_id", "step_id", unique=True, postgresql_where=text("audience = '{}'::jsonb")),
    )

    step_id: Mapped[int] = tenant_ref("step")
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    audience: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    content: Mapped[dict[str, Any]]


class Publication(TenantRow, Base):
    """A version of a course that never changes: the web role may insert and read it, no more.

    `outline` is `{"modules": [{key, title, lessons: [{key, title, summary, minutes, steps: [{key, kind, title}]}]}]}`;
    `checksum` is the SHA-256 of the canonical JSON of everything frozen: title, summary, level, language, outline and lessons.
    """

    __tablename__ = "publication"
    constraints = (
        UniqueConstraint("tenant_id", "course_id", "version"),
        CheckConstraint("version > 0", name="version_counts_from_one"),
    )

    course_id: Mapped[int] = tenant_ref("course", ondelete="RESTRICT")
    version: Mapped[int] = mapped_column(Integer)
    format: Mapped[int] = mapped_column(Integer, server_default="1")
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(server_default="")
    level: Mapped[str] = mapped_column(KEY, server_default="")
    language: Mapped[str] = mapped_column(String(16), server_default="en")
    outline: Mapped[dict[str, Any]]
    step_count: Mapped[int] = mapped_column(Integer)
    lesson_count: Mapped[int] = mapped_column(Integer)
    checksum: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = tenant_ref("membership", ondelete="RESTRICT", nullable=True, index=False)


class PublishedLesson(TenantRow, Base):
    """One lesson of a publication, rendered and sanitized, so that a page loads one row.

    `content` is `{"format": 1, "steps": [{key, kind, title, variants: [{audience, content}]}]}` and holds nothing secret.
    `answer_keys` is `{step key: [{audience, key}]}`: what the grader reads and no page is given before the answer is in.
    """

    __tablename__ = "published_lesson"
    constraints = (UniqueConstraint("tenant_id", "publication_id", "key"),)

    publication_id: Mapped[int] = tenant_ref("publication", ondelete="RESTRICT")
    key: Mapped[str] = mapped_column(KEY)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[dict[str, Any]]
    answer_keys: Mapped[dict[str, Any]] = mapped_column(deferred=True)
