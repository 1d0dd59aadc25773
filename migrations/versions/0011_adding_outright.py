"""People are added outright, one or a list, and the sign-in lookup says whether another school lets a person in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LET_IN_ELSEWHERE = """
create function is_let_in_elsewhere(person bigint, school bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select exists (select from membership m join tenant t on t.id = m.tenant_id
    where m.user_id = person and m.tenant_id <> school and m.status = 'active' and not m.link_awaited
    and t.suspended_at is null)
$$
"""
"""Runs as the owner, past the wall, for whoever asks: so it says yes or no, and not where."""
SIGNATURE = "is_let_in_elsewhere(bigint, bigint)"


def upgrade() -> None:
    op.add_column("membership", sa.Column("link_awaited", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("people_import", sa.Column("at_once", sa.Boolean(), server_default="false", nullable=False))
    op.execute(LET_IN_ELSEWHERE)
    op.execute(f"revoke all on function {SIGNATURE} from public")
    op.execute(f"grant execute on function {SIGNATURE} to groundschool_web")


def downgrade() -> None:
    raise NotImplementedError("who was added outright is not forgotten: restore a backup instead")
