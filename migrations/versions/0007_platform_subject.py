"""The platform's trail says what an operator's deed was done to, and as whom they acted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("platform_entry", sa.Column("on_behalf_of_id", sa.BigInteger(), nullable=True))
    op.add_column("platform_entry", sa.Column("subject_type", sa.String(length=60), nullable=True))
    op.add_column("platform_entry", sa.Column("subject_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("what was recorded is not taken back: restore a backup instead")
