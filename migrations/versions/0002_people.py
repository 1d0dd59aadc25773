"""People move in: links, second factors, pending and invited members, what a school decides about itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW_RULES = (
    ("membership", "known_status", "status in ('pending', 'invited', 'active', 'suspended', 'declined', 'erased')"),
    ("school_settings", "on_the_globe", "latitude between -90 and 90 and longitude between -180 and 180"),
    ("school_settings", "whole_location", "(latitude is null) = (longitude is null)"),
    ("school_settings", "color_in_hex", "brand_color ~ '^#[0-9a-f]{6}$'"),
)


def upgrade() -> None:
    op.drop_constraint(op.f("ck_membership_known_status"), "membership", type_="check")
    op.create_table(
        "one_use_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("membership_id", sa.BigInteger(), nullable=True),
        sa.Column("new_email", sa.String(length=254), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose in ('confirm_email', 'reset_password', 'invitation', 'change_email', 'set_up')",
            name=op.f("ck_one_use_token_known_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_one_use_token_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_one_use_token_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_use_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_use_token_token_hash")),
    )
    op.global_grants("one_use_token", "select, insert, update, delete")
    op.create_index("ix_one_use_token_user_id", "one_use_token", ["user_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_recovery_code_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("user_id", "code_hash", name=op.f("uq_recovery_code_user_id_code_hash")),
    )
    op.global_grants("recovery_code", "select, insert, update, delete")
    op.create_table(
        "people_import",
        sa.Column("made_by_id", sa.BigInteger(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("carried_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "made_by_id"],
            ["membership.tenant_id", "membership.id"],
            name="fk_people_import_tenant_id_made_by_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_people_import_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_people_import")),
    )
    op.tenant_wall("people_import", "select, insert, update, delete")
    op.add_column("membership", sa.Column("emergency_contact", sa.String(length=200), nullable=True))
    op.add_column("membership", sa.Column("certificate_number", sa.String(length=40), nullable=True))
    op.add_column("membership", sa.Column("license_number", sa.String(length=40), nullable=True))
    op.add_column("membership", sa.Column("primary_instructor_id", sa.BigInteger(), nullable=True))
    op.add_column("membership", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_membership_primary_instructor_id", "membership", ["tenant_id", "primary_instructor_id"], unique=False
    )
    op.create_foreign_key(
        "fk_membership_tenant_id_primary_instructor_id",
        "membership",
        "membership",
        ["tenant_id", "primary_instructor_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (primary_instructor_id)",
    )
    op.add_column(
        "school_settings",
        sa.Column("escalate_to_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
    )
    op.add_column(
        "school_settings",
        sa.Column("opening_hours", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column(
        "school_settings", sa.Column("closed_days", postgresql.ARRAY(sa.Date()), server_default="{}", nullable=False)
    )
    op.add_column("school_settings", sa.Column("latitude", sa.Double(), nullable=True))
    op.add_column("school_settings", sa.Column("longitude", sa.Double(), nullable=True))
    op.add_column("school_settings", sa.Column("locale", sa.String(length=16), server_default="en", nullable=False))
    op.add_column("school_settings", sa.Column("brand_color", sa.String(length=7), nullable=True))
    op.add_column(
        "school_settings", sa.Column("registration_open", sa.Boolean(), server_default="true", nullable=False)
    )
    op.add_column(
        "school_settings", sa.Column("admins_need_second_factor", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column(
        "school_settings", sa.Column("levels", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column(
        "school_settings", sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("school_settings", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("user_account", sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_account", sa.Column("totp_cipher", sa.LargeBinary(), nullable=True))
    op.add_column("user_account", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_account", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.add_column("user_account", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_session", sa.Column("ended_reason", sa.String(length=20), server_default="", nullable=False))
    op.add_column("user_session", sa.Column("is_remembered", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("user_session", sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_session", sa.Column("acting_tenant_id", sa.BigInteger(), nullable=True))
    op.add_column("user_session", sa.Column("acting_membership_id", sa.BigInteger(), nullable=True))
    op.add_column("user_session", sa.Column("acting_until", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_user_session_acting_tenant_id"),
        "user_session",
        "tenant",
        ["acting_tenant_id"],
        ["id"],
        ondelete="CASCADE",
    )
    for table, name, rule in NEW_RULES:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def downgrade() -> None:
    raise NotImplementedError("people are not taken back: restore a backup instead")
