"""Since when a person asks to be erased, and the way to their entries on the platform's own trail, for their export."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


MAILS_NOT_SENT = "kind = 'identity.send_erasure_request' and done_at is null"
"""Requests were mails of their own kind of work before: those that were not sent yet become what they ask for."""


def upgrade() -> None:
    op.add_column("membership", sa.Column("erasure_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "update membership m set erasure_asked_at = j.created_at from job j "
        f"where j.tenant_id = m.tenant_id and j.args ->> 'member_id' = m.id::text and j.{MAILS_NOT_SENT} "
        "and m.status <> 'erased'"
    )
    op.execute(f"delete from job where {MAILS_NOT_SENT}")
    op.create_index(
        "ix_membership_asks_erasure",
        "membership",
        ["tenant_id"],
        postgresql_where=sa.text("erasure_asked_at is not null"),
    )
    op.create_index(
        "ix_platform_entry_user",
        "platform_entry",
        ["user_id", "id"],
        postgresql_where=sa.text("user_id is not null"),
    )


def downgrade() -> None:
    raise NotImplementedError("what was asked for is not forgotten: restore a backup instead")
