"""Addresses in small letters; links that were handed over; by which address a school knows who has not come in, and who asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ADDRESSES = (("user_account", "email"), ("one_use_token", "new_email"))
KNOWN_AS = """
update membership m set known_as = u.email from user_account u
where u.id = m.user_id and m.status in ('pending', 'invited', 'declined')
"""


def upgrade() -> None:
    for table, column in ADDRESSES:
        op.execute(f"update {table} set {column} = lower({column}) where {column} <> lower({column})")
        op.create_check_constraint(op.f(f"ck_{table}_{column}_in_small_letters"), table, f"{column} = lower({column})")
    op.add_column(
        "one_use_token", sa.Column("is_handed_over", sa.Boolean(), server_default=sa.false(), nullable=False)
    )  # fmt: skip
    op.add_column("membership", sa.Column("known_as", sa.String(length=254), nullable=True))
    op.add_column("membership", sa.Column("awaits_own_yes", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(KNOWN_AS)


def downgrade() -> None:
    raise NotImplementedError("people are not taken back: restore a backup instead")
