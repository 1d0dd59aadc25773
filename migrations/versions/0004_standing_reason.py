"""Why a person was declined or suspended, for the person to read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("membership", sa.Column("standing_reason", sa.String(length=300), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("people are not taken back: restore a backup instead")
