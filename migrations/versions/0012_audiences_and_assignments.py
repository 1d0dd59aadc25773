"""Who a course is for, and whom it is assigned to: departments with those below them, or one person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def of_the_school(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=f"fk_{table}_tenant_id_{column}",
        ondelete=ondelete,
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "course_audience",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        of_the_school("course_audience", "course_id", "course", "CASCADE"),
        of_the_school("course_audience", "department_id", "department", "RESTRICT"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_course_audience_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_course_audience")),
        sa.UniqueConstraint(
            "tenant_id", "course_id", "department_id", name=op.f("uq_course_audience_tenant_id_course_id_department_id")
        ),
    )
    op.tenant_wall("course_audience", "select, insert, delete")
    op.create_index("ix_course_audience_department_id", "course_audience", ["tenant_id", "department_id"])
    op.create_table(
        "assignment",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("membership_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=300), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("assigned_by_id", sa.BigInteger(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.CheckConstraint("department_id is null or membership_id is null", name=op.f("ck_assignment_one_audience")),
        of_the_school("assignment", "course_id", "course", "RESTRICT"),
        of_the_school("assignment", "department_id", "department", "RESTRICT"),
        of_the_school("assignment", "membership_id", "membership", "CASCADE"),
        of_the_school("assignment", "assigned_by_id", "membership", "SET NULL (assigned_by_id)"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_assignment_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignment")),
        sa.UniqueConstraint(
            "tenant_id", "course_id", "department_id", "membership_id",
            name=op.f("uq_assignment_tenant_id_course_id_department_id_membership_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.tenant_wall("assignment", "select, insert, update, delete")
    op.create_index("ix_assignment_department_id", "assignment", ["tenant_id", "department_id"])
    op.create_index("ix_assignment_membership_id", "assignment", ["tenant_id", "membership_id"])
    op.create_index("ix_assignment_newest", "assignment", ["tenant_id", "assigned_at", "id"])


def downgrade() -> None:
    raise NotImplementedError("whom a course is for is not forgotten: restore a backup instead")
