"""The house: schools, people, courses, learning, bookings, and the ground they stand on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.foundation.walls import WEB_ROLE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OWN_MEMBERSHIPS = """
create policy own_rows on membership for select
using (user_id = nullif(current_setting('app.user_id', true), '')::bigint)
"""


def upgrade() -> None:
    op.create_table(
        "seed_step",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_seed_step")),
    )
    op.global_grants("seed_step", "select, insert, update, delete")
    op.create_table(
        "tenant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'", name=op.f("ck_tenant_slug_is_a_path_segment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenant_slug")),
    )
    op.global_grants("tenant", "select, insert, update")
    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_operator", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
    )
    op.global_grants("user_account", "select, insert, update")
    op.create_index("uq_user_account_lower_email", "user_account", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "worker_heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_heartbeat")),
    )
    op.global_grants("worker_heartbeat", "select, insert, update, delete")
    op.create_table(
        "audit_entry",
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("on_behalf_of_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("correlation_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("origin", sa.String(length=20), server_default="web", nullable=False),
        sa.Column("ip_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("ip_key_id", sa.String(length=40), nullable=True),
        sa.Column("ip_hash", sa.LargeBinary(), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_audit_entry_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", "at", name=op.f("pk_audit_entry")),
        postgresql_partition_by="RANGE (at)",
    )
    op.tenant_wall("audit_entry", "select, insert")
    op.create_index("ix_audit_entry_action", "audit_entry", ["tenant_id", "action", "at"], unique=False)
    op.create_index("ix_audit_entry_actor", "audit_entry", ["tenant_id", "actor_id", "at"], unique=False)
    op.create_index("ix_audit_entry_correlation", "audit_entry", ["tenant_id", "correlation_id"], unique=False)
    op.create_index(
        "ix_audit_entry_subject", "audit_entry", ["tenant_id", "subject_type", "subject_id", "at"], unique=False
    )
    op.create_table(
        "course",
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_key", sa.String(length=400), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("level", sa.String(length=80), server_default="", nullable=False),
        sa.Column("language", sa.String(length=16), server_default="en", nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=True),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_course_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_course")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_course_tenant_id_slug")),
    )
    op.tenant_wall("course", "select, insert, update, delete")
    op.create_index("ix_course_publication_id", "course", ["tenant_id", "publication_id"], unique=False)
    op.create_index("ix_course_title_key", "course", ["tenant_id", "title_key", "id"], unique=False)
    op.create_index("ix_course_words", "course", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "department",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["department.tenant_id", "department.id"],
            name="fk_department_tenant_id_parent_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_department_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_department")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_department_tenant_id_name")),
    )
    op.tenant_wall("department", "select, insert, update, delete")
    op.create_index("ix_department_parent_id", "department", ["tenant_id", "parent_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_tries", sa.BigInteger(), server_default="8", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("not (done_at is not null and dead_at is not null)", name=op.f("ck_job_one_end")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.global_grants("job", "select, insert, update, delete")
    op.create_index(
        "ix_job_dead", "job", ["tenant_id", "id"], unique=False, postgresql_where=sa.text("dead_at is not null")
    )
    op.create_index(
        "ix_job_due", "job", ["run_at"], unique=False, postgresql_where=sa.text("done_at is null and dead_at is null")
    )
    op.create_table(
        "once_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_once_key_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_once_key_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_once_key")),
        sa.UniqueConstraint("tenant_id", "user_id", "key", name=op.f("uq_once_key_tenant_id_user_id_key")),
    )
    op.tenant_wall("once_key", "select, insert, update, delete")
    op.create_table(
        "outbox_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("correlation_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("relayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_outbox_event_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
    )
    op.global_grants("outbox_event", "select, insert, update, delete")
    op.create_index(
        "ix_outbox_event_waiting", "outbox_event", ["id"], unique=False, postgresql_where=sa.text("relayed_at is null")
    )
    op.create_table(
        "rollup",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measure", sa.String(length=60), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_rollup_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rollup")),
        sa.UniqueConstraint("tenant_id", "day", "measure", name=op.f("uq_rollup_tenant_id_day_measure")),
    )
    op.tenant_wall("rollup", "select, insert, update, delete")
    op.create_table(
        "school_settings",
        sa.Column("escalate_after_hours", sa.Integer(), server_default="4", nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "escalate_after_hours between 1 and 168", name=op.f("ck_school_settings_escalation_within_a_week")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_school_settings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_school_settings")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_school_settings_tenant_id")),
    )
    op.tenant_wall("school_settings", "select, insert, update, delete")
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("csrf_hash", sa.String(length=64), nullable=True),
        sa.Column("user_agent", sa.String(length=300), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.global_grants("user_session", "select, insert, update, delete")
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_key", sa.String(length=240), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("locale", sa.String(length=16), server_default="en", nullable=False),
        sa.Column("level", sa.String(length=40), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "roles <@ array['learner','instructor','author','manager','admin'] and cardinality(roles) > 0",
            name=op.f("ck_membership_known_roles"),
        ),
        sa.CheckConstraint("status in ('pending', 'active', 'suspended')", name=op.f("ck_membership_known_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "department_id"],
            ["department.tenant_id", "department.id"],
            name="fk_membership_tenant_id_department_id",
            ondelete="SET NULL (department_id)",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_membership_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_membership_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_membership")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_membership_tenant_id_user_id")),
    )
    op.tenant_wall("membership", "select, insert, update, delete")
    op.create_index("ix_membership_department_id", "membership", ["tenant_id", "department_id"], unique=False)
    op.create_index("ix_membership_name_key", "membership", ["tenant_id", "name_key", "id"], unique=False)
    op.create_index("ix_membership_user_id", "membership", ["user_id"], unique=False)
    op.create_table(
        "module",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["course.tenant_id", "course.id"],
            name="fk_module_tenant_id_course_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_module_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_module")),
        sa.UniqueConstraint("tenant_id", "course_id", "key", name=op.f("uq_module_tenant_id_course_id_key")),
    )
    op.tenant_wall("module", "select, insert, update, delete")
    op.create_index("ix_module_course_id", "module", ["tenant_id", "course_id"], unique=False)
    op.create_table(
        "lesson",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("module_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["course.tenant_id", "course.id"],
            name="fk_lesson_tenant_id_course_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "module_id"],
            ["module.tenant_id", "module.id"],
            name="fk_lesson_tenant_id_module_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_lesson_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lesson")),
        sa.UniqueConstraint("tenant_id", "course_id", "key", name=op.f("uq_lesson_tenant_id_course_id_key")),
    )
    op.tenant_wall("lesson", "select, insert, update, delete")
    op.create_index("ix_lesson_course_id", "lesson", ["tenant_id", "course_id"], unique=False)
    op.create_index("ix_lesson_module_id", "lesson", ["tenant_id", "module_id"], unique=False)
    op.create_table(
        "notification",
        sa.Column("membership_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_notification_tenant_id_membership_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_notification_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "tenant_id", "membership_id", "cause", name=op.f("uq_notification_tenant_id_membership_id_cause")
        ),
    )
    op.tenant_wall("notification", "select, insert, update, delete")
    op.create_index(
        "ix_notification_newest", "notification", ["tenant_id", "membership_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["tenant_id", "membership_id"],
        unique=False,
        postgresql_where=sa.text("read_at is null"),
    )
    op.create_table(
        "publication",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("format", sa.Integer(), server_default="1", nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("level", sa.String(length=80), server_default="", nullable=False),
        sa.Column("language", sa.String(length=16), server_default="en", nullable=False),
        sa.Column("outline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("step_count", sa.Integer(), nullable=False),
        sa.Column("lesson_count", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by_id", sa.BigInteger(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_publication_version_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["course.tenant_id", "course.id"],
            name="fk_publication_tenant_id_course_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "published_by_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_publication_tenant_id_published_by_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_publication_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_publication")),
        sa.UniqueConstraint(
            "tenant_id", "course_id", "version", name=op.f("uq_publication_tenant_id_course_id_version")
        ),
    )
    op.tenant_wall("publication", "select, insert")
    op.create_index("ix_publication_course_id", "publication", ["tenant_id", "course_id"], unique=False)
    op.create_table(
        "resource",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("detail", sa.String(length=120), server_default="", nullable=False),
        sa.Column("membership_id", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "(kind = 'person') = (membership_id is not null)", name=op.f("ck_resource_a_person_is_a_member")
        ),
        sa.CheckConstraint("kind in ('person', 'aircraft', 'room', 'simulator')", name=op.f("ck_resource_known_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_resource_tenant_id_membership_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_resource_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_resource")),
    )
    op.tenant_wall("resource", "select, insert, update, delete")
    op.create_index(
        "uq_resource_member",
        "resource",
        ["tenant_id", "membership_id"],
        unique=True,
        postgresql_where=sa.text("membership_id is not null"),
    )
    op.create_index(
        "uq_resource_name",
        "resource",
        ["tenant_id", "kind", "name"],
        unique=True,
        postgresql_where=sa.text("kind <> 'person'"),
    )
    op.create_table(
        "attempt",
        sa.Column("membership_id", sa.BigInteger(), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_key", sa.String(length=80), nullable=False),
        sa.Column("step_key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("question_order", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("points", sa.Numeric(precision=8, scale=2, asdecimal=False), nullable=True),
        sa.Column("most_points", sa.Numeric(precision=8, scale=2, asdecimal=False), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint("(submitted_at is null) = (points is null)", name=op.f("ck_attempt_graded_when_submitted")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_attempt_tenant_id_membership_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "publication_id"],
            ["publication.tenant_id", "publication.id"],
            name="fk_attempt_tenant_id_publication_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_attempt_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attempt")),
        sa.UniqueConstraint(
            "tenant_id",
            "membership_id",
            "publication_id",
            "step_key",
            "number",
            name=op.f("uq_attempt_tenant_id_membership_id_publication_id_step_key_number"),
        ),
    )
    op.tenant_wall("attempt", "select, insert, update, delete")
    op.create_index("ix_attempt_membership_id", "attempt", ["tenant_id", "membership_id"], unique=False)
    op.create_index("ix_attempt_publication_id", "attempt", ["tenant_id", "publication_id"], unique=False)
    op.create_index(
        "uq_attempt_open",
        "attempt",
        ["tenant_id", "membership_id", "publication_id", "step_key"],
        unique=True,
        postgresql_where=sa.text("submitted_at is null"),
    )
    op.create_table(
        "availability_exception",
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=True),
        sa.Column("end_minute", sa.Integer(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "(start_minute is null) = (end_minute is null)", name=op.f("ck_availability_exception_both_or_neither")
        ),
        sa.CheckConstraint(
            "start_minute >= 0 and start_minute < end_minute and end_minute <= 1440",
            name=op.f("ck_availability_exception_within_a_day"),
        ),
        sa.CheckConstraint(
            "start_minute is not null or not is_open", name=op.f("ck_availability_exception_open_has_hours")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resource.tenant_id", "resource.id"],
            name="fk_availability_exception_tenant_id_resource_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_availability_exception_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_availability_exception")),
    )
    op.tenant_wall("availability_exception", "select, insert, update, delete")
    op.create_index(
        "ix_availability_exception_day", "availability_exception", ["tenant_id", "resource_id", "day"], unique=False
    )
    op.create_table(
        "availability_rule",
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "start_minute >= 0 and start_minute < end_minute and end_minute <= 1440",
            name=op.f("ck_availability_rule_within_a_day"),
        ),
        sa.CheckConstraint("weekday between 0 and 6", name=op.f("ck_availability_rule_weekday_of_a_week")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resource.tenant_id", "resource.id"],
            name="fk_availability_rule_tenant_id_resource_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_availability_rule_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_availability_rule")),
    )
    op.tenant_wall("availability_rule", "select, insert, update, delete")
    op.create_index("ix_availability_rule_resource_id", "availability_rule", ["tenant_id", "resource_id"], unique=False)
    op.create_table(
        "booking",
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activity", sa.String(length=40), server_default="dual_flight", nullable=False),
        sa.Column("source", sa.String(length=20), server_default="web", nullable=False),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("wished_instructor_id", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("escalations", sa.Integer(), server_default="0", nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "status in ('requested','approved','assigned','completed','declined','cancelled')",
            name=op.f("ck_booking_known_status"),
        ),
        sa.CheckConstraint(
            "status not in ('declined', 'cancelled') or reason <> ''", name=op.f("ck_booking_an_end_has_a_reason")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_booking_starts_before_it_ends")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_booking_tenant_id_decided_by_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_booking_tenant_id_learner_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "wished_instructor_id"],
            ["resource.tenant_id", "resource.id"],
            name="fk_booking_tenant_id_wished_instructor_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_booking_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_booking")),
    )
    op.tenant_wall("booking", "select, insert, update, delete")
    op.create_index("ix_booking_mine", "booking", ["tenant_id", "learner_id", "starts_at"], unique=False)
    op.create_index(
        "ix_booking_open",
        "booking",
        ["tenant_id", "requested_at", "id"],
        unique=False,
        postgresql_where=sa.text("status in ('requested', 'approved')"),
    )
    op.create_index("ix_booking_starts", "booking", ["tenant_id", "starts_at", "id"], unique=False)
    op.create_index("ix_booking_status", "booking", ["tenant_id", "status", "starts_at", "id"], unique=False)
    op.create_index("ix_booking_wished_instructor_id", "booking", ["tenant_id", "wished_instructor_id"], unique=False)
    op.create_table(
        "enrollment",
        sa.Column("membership_id", sa.BigInteger(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("steps_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_lesson_key", sa.String(length=80), nullable=True),
        sa.Column("last_step_key", sa.String(length=80), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["course.tenant_id", "course.id"],
            name="fk_enrollment_tenant_id_course_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_enrollment_tenant_id_membership_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "publication_id"],
            ["publication.tenant_id", "publication.id"],
            name="fk_enrollment_tenant_id_publication_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_enrollment_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_enrollment")),
        sa.UniqueConstraint(
            "tenant_id", "membership_id", "course_id", name=op.f("uq_enrollment_tenant_id_membership_id_course_id")
        ),
    )
    op.tenant_wall("enrollment", "select, insert, update, delete")
    op.create_index("ix_enrollment_course_id", "enrollment", ["tenant_id", "course_id"], unique=False)
    op.create_index("ix_enrollment_membership_id", "enrollment", ["tenant_id", "membership_id"], unique=False)
    op.create_index("ix_enrollment_publication_id", "enrollment", ["tenant_id", "publication_id"], unique=False)
    op.create_index("ix_enrollment_recent", "enrollment", ["tenant_id", "membership_id", "last_seen_at"], unique=False)
    op.create_table(
        "published_lesson",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answer_keys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "publication_id"],
            ["publication.tenant_id", "publication.id"],
            name="fk_published_lesson_tenant_id_publication_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_published_lesson_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_published_lesson")),
        sa.UniqueConstraint(
            "tenant_id", "publication_id", "key", name=op.f("uq_published_lesson_tenant_id_publication_id_key")
        ),
    )
    op.tenant_wall("published_lesson", "select, insert")
    op.create_index(
        "ix_published_lesson_publication_id", "published_lesson", ["tenant_id", "publication_id"], unique=False
    )
    op.create_table(
        "step",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["course.tenant_id", "course.id"],
            name="fk_step_tenant_id_course_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lesson_id"],
            ["lesson.tenant_id", "lesson.id"],
            name="fk_step_tenant_id_lesson_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_step_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_step")),
        sa.UniqueConstraint("tenant_id", "course_id", "key", name=op.f("uq_step_tenant_id_course_id_key")),
    )
    op.tenant_wall("step", "select, insert, update, delete")
    op.create_index("ix_step_course_id", "step", ["tenant_id", "course_id"], unique=False)
    op.create_index("ix_step_lesson_id", "step", ["tenant_id", "lesson_id"], unique=False)
    op.create_table(
        "answer",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("question_key", sa.String(length=80), nullable=False),
        sa.Column("chosen", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("points", sa.Numeric(precision=8, scale=2, asdecimal=False), nullable=True),
        sa.Column("is_correct", sa.Boolean(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attempt_id"],
            ["attempt.tenant_id", "attempt.id"],
            name="fk_answer_tenant_id_attempt_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_answer_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_answer")),
        sa.UniqueConstraint(
            "tenant_id", "attempt_id", "question_key", name=op.f("uq_answer_tenant_id_attempt_id_question_key")
        ),
    )
    op.tenant_wall("answer", "select, insert, update, delete")
    op.create_index("ix_answer_attempt_id", "answer", ["tenant_id", "attempt_id"], unique=False)
    op.create_table(
        "claim",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(resource_id, resource_id, '[]')"), "&&"),
            (sa.column("during"), "&&"),
            where=sa.text("state in ('firm', 'hold')"),
            using="gist",
            name="ex_claim_one_at_a_time",
        ),
        sa.CheckConstraint(
            "role in ('learner', 'instructor', 'aircraft', 'room', 'simulator')", name=op.f("ck_claim_known_role")
        ),
        sa.CheckConstraint("state in ('soft','firm','hold','override','released')", name=op.f("ck_claim_known_state")),
        sa.CheckConstraint("not isempty(during)", name=op.f("ck_claim_takes_some_time")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["booking.tenant_id", "booking.id"],
            name="fk_claim_tenant_id_booking_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resource.tenant_id", "resource.id"],
            name="fk_claim_tenant_id_resource_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_claim_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_claim")),
        sa.UniqueConstraint("tenant_id", "booking_id", "role", name=op.f("uq_claim_tenant_id_booking_id_role")),
    )
    op.tenant_wall("claim", "select, insert, update, delete")
    op.create_index("ix_claim_resource", "claim", ["tenant_id", "resource_id"], unique=False)
    op.create_table(
        "lesson_progress",
        sa.Column("enrollment_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_key", sa.String(length=80), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "enrollment_id"],
            ["enrollment.tenant_id", "enrollment.id"],
            name="fk_lesson_progress_tenant_id_enrollment_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_lesson_progress_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lesson_progress")),
        sa.UniqueConstraint(
            "tenant_id",
            "enrollment_id",
            "lesson_key",
            name=op.f("uq_lesson_progress_tenant_id_enrollment_id_lesson_key"),
        ),
    )
    op.tenant_wall("lesson_progress", "select, insert, update, delete")
    op.create_index(
        "ix_lesson_progress_completed",
        "lesson_progress",
        ["tenant_id", "completed_at"],
        unique=False,
        postgresql_where=sa.text("completed_at is not null"),
    )
    op.create_table(
        "step_progress",
        sa.Column("enrollment_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_key", sa.String(length=80), nullable=False),
        sa.Column("step_key", sa.String(length=80), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "enrollment_id"],
            ["enrollment.tenant_id", "enrollment.id"],
            name="fk_step_progress_tenant_id_enrollment_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_step_progress_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_step_progress")),
        sa.UniqueConstraint(
            "tenant_id", "enrollment_id", "step_key", name=op.f("uq_step_progress_tenant_id_enrollment_id_step_key")
        ),
    )
    op.tenant_wall("step_progress", "select, insert, update, delete")
    op.create_table(
        "variant",
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("audience", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["step.tenant_id", "step.id"],
            name="fk_variant_tenant_id_step_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_variant_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_variant")),
    )
    op.tenant_wall("variant", "select, insert, update, delete")
    op.create_index("ix_variant_step_id", "variant", ["tenant_id", "step_id"], unique=False)
    op.create_index(
        "uq_variant_base",
        "variant",
        ["tenant_id", "step_id"],
        unique=True,
        postgresql_where=sa.text("audience = '{}'::jsonb"),
    )
    op.create_foreign_key(
        "fk_course_tenant_id_publication_id", "course", "publication",
        ["tenant_id", "publication_id"], ["tenant_id", "id"], ondelete="RESTRICT",
    )  # fmt: skip
    op.month_partitions("audit_entry")
    op.execute(OWN_MEMBERSHIPS)
    op.execute(f"grant select on alembic_version to {WEB_ROLE}")


def downgrade() -> None:
    raise NotImplementedError("the first migration is not taken back: drop the database instead")
