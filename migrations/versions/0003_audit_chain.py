"""The audit trail is chained and cannot be bent: links, heads, triggers, and the platform's own trail."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = """
create function audit_is_append_only() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  is_owner boolean := current_setting('app.audit_owner', true) = 'yes'
    and pg_has_role(session_user, (select relowner from pg_class where oid = tg_relid), 'member');
  unsealed text[] := '{ip_cipher,ip_key_id}';
begin
  if is_owner and tg_op = 'TRUNCATE' then
    return null;
  elsif is_owner and tg_op = 'DELETE' then
    return old;
  elsif is_owner and tg_op = 'UPDATE' and to_jsonb(new) - unsealed = to_jsonb(old) - unsealed then
    return new;
  end if;
  raise exception '% of % is refused: the audit trail only grows', tg_op, tg_table_name using errcode = '42501';
end $$
"""
HEAD_MOVES_ON = """
create function audit_head_moves_on() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.seq <= old.seq or (new.tenant_id, new.id) <> (old.tenant_id, old.id) then
    raise exception 'the head of an audit chain only moves on' using errcode = '42501';
  end if;
  return new;
end $$
"""
SEAL = """
create function seal_audit(ids bigint[], ats timestamptz[], spelled text[]) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  school bigint := nullif(current_setting('app.tenant_id', true), '')::bigint;
  head audit_head%rowtype;
begin
  select * into head from audit_head where tenant_id = school for no key update;
  if not found then
    insert into audit_head (tenant_id, seq, hash) values (school, 0, decode(repeat('00', 32), 'hex'))
      on conflict (tenant_id) do nothing;
    select * into strict head from audit_head where tenant_id = school for no key update;
  end if;
  for n in 1 .. cardinality(ids) loop
    head.seq := head.seq + 1;
    head.hash := sha256(head.hash || convert_to(spelled[n], 'UTF8'));
    insert into audit_link (tenant_id, seq, entry_id, entry_at, hash) values (school, head.seq, ids[n], ats[n], head.hash);
  end loop;
  update audit_head set seq = head.seq, hash = head.hash where tenant_id = school;
end $$
"""
KEPT_FROM_CHANGE = {
    "audit_entry": "update or delete",
    "audit_link": "update or delete",
    "audit_head": "delete",
    "platform_entry": "update or delete",
}
PARTITIONS = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'audit_entry'::regclass
"""
WRITTEN_BEFORE = """
select tenant_id as school, id, at, actor_id, on_behalf_of_id, action, subject_type, subject_id, before, after,
  correlation_id, origin, ip_hash, user_agent
from audit_entry where tenant_id = :school order by at, id
"""
BATCH = 1000


def upgrade() -> None:
    _make_tables()
    for function in (APPEND_ONLY, HEAD_MOVES_ON, SEAL):
        op.execute(function)
    _guard_tables()
    _seal_what_was_written_before(op.get_bind())


def _make_tables() -> None:
    op.create_index("ix_audit_entry_at", "audit_entry", ["tenant_id", "at", "id"])
    op.create_table(
        "audit_link",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_link_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_audit_link_tenant_id_seq")),
        sa.UniqueConstraint("tenant_id", "entry_id", name=op.f("uq_audit_link_tenant_id_entry_id")),
    )
    op.tenant_wall("audit_link", "select, insert")
    op.create_table(
        "audit_head",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_head_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_head")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_audit_head_tenant_id")),
    )
    op.tenant_wall("audit_head", "select, insert, update")
    op.create_table(
        "platform_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("school_id", sa.BigInteger(), nullable=True),
        sa.Column("email_hash", sa.LargeBinary(), nullable=True),
        sa.Column("correlation_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("ip_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("ip_key_id", sa.String(length=40), nullable=True),
        sa.Column("ip_hash", sa.LargeBinary(), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_entry")),
    )
    op.global_grants("platform_entry", "select, insert")
    op.create_index("ix_platform_entry_at", "platform_entry", ["at", "id"])


def _guard_tables() -> None:
    """The rows' triggers reach partitions by themselves; those of TRUNCATE are made here and by make_month_partition."""
    for table, deeds in KEPT_FROM_CHANGE.items():
        op.execute(f"create trigger rows_stay before {deeds} on {table} for each row execute function audit_is_append_only()")
    op.execute("create trigger head_moves_on before update on audit_head for each row execute function audit_head_moves_on()")
    partitions = op.get_bind().execute(sa.text(PARTITIONS)).scalars().all()
    for table in (*KEPT_FROM_CHANGE, *partitions):
        op.execute(
            f"create trigger table_stays before truncate on {table} for each statement execute function audit_is_append_only()"
        )
    op.month_partitions(besides=("audit_entry",))


def _seal_what_was_written_before(connection: sa.Connection) -> None:
    """Chain the entries of each school that are older than the chain, in the order of their instants."""
    for school in connection.execute(sa.text("select id from tenant order by id")).scalars().all():
        connection.execute(sa.text("select set_config('app.tenant_id', :school, true)"), {"school": str(school)})
        entries = connection.execute(sa.text(WRITTEN_BEFORE), {"school": school}).mappings().all()
        for first in range(0, len(entries), BATCH):
            batch = entries[first : first + BATCH]
            connection.execute(
                sa.text("select seal_audit(:ids, :ats, :spelled)"),
                {
                    "ids": [entry["id"] for entry in batch],
                    "ats": [entry["at"] for entry in batch],
                    "spelled": [_canonical(dict(entry)) for entry in batch],
                },
            )
    connection.execute(sa.text("select set_config('app.tenant_id', '', true)"))


def _canonical(entry: dict[str, Any]) -> str:
    """The spelling of an entry that is hashed, as it was when this migration landed."""
    entry["at"] = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
    entry["ip_hash"] = bytes(entry["ip_hash"]).hex() if entry["ip_hash"] else None
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def downgrade() -> None:
    raise NotImplementedError("a chain is not taken back: restore a backup instead")
