"""The audit trail is chained and cannot be bent: links, heads, triggers, and the platform's own trail."""

from __future__ import annotations

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
SPELL = """
create function audit_spelled(e audit_entry) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select row_to_json(sealed)::text from (
    select e.action, e.actor_id, e.after::text as after,
      to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, e.before::text as before, e.correlation_id, e.id,
      encode(e.ip_hash, 'hex') as ip_hash, e.on_behalf_of_id, e.origin, e.tenant_id as school, e.subject_id, e.subject_type,
      e.user_agent
  ) as sealed
$$
"""
SEAL = """
create function seal_audit_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  entry audit_entry := new;
  spelled bytea := convert_to(audit_spelled(entry), 'UTF8');
  head audit_head;
begin
  update audit_head set seq = seq + 1, hash = sha256(hash || spelled) where tenant_id = new.tenant_id returning * into head;
  if not found then
    insert into audit_head as h (tenant_id, seq, hash)
      values (new.tenant_id, 1, sha256(decode(repeat('00', 32), 'hex') || spelled))
      on conflict (tenant_id) do update set seq = h.seq + 1, hash = sha256(h.hash || spelled) returning * into head;
  end if;
  insert into audit_link (tenant_id, seq, entry_id, entry_at, hash)
    values (new.tenant_id, head.seq, new.id, new.at, head.hash);
  return null;
end $$
"""
AT_COMMIT = """
create constraint trigger seal_at_commit after insert on audit_entry deferrable initially deferred
for each row execute function seal_audit_entry()
"""
SEAL_WHAT_WAS_WRITTEN_BEFORE = """
do $$
declare
  entry audit_entry;
  school bigint;
  place bigint;
  chained bytea;
begin
  for entry in select * from audit_entry order by tenant_id, at, id loop
    if school is distinct from entry.tenant_id then
      school := entry.tenant_id;
      place := 0;
      chained := decode(repeat('00', 32), 'hex');
    end if;
    place := place + 1;
    chained := sha256(chained || convert_to(audit_spelled(entry), 'UTF8'));
    insert into audit_link (tenant_id, seq, entry_id, entry_at, hash) values (school, place, entry.id, entry.at, chained);
  end loop;
end $$
"""
HEADS_OF_THOSE = """
insert into audit_head (tenant_id, seq, hash)
select distinct on (tenant_id) tenant_id, seq, hash from audit_link order by tenant_id, seq desc
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


def upgrade() -> None:
    _make_tables()
    for function in (APPEND_ONLY, HEAD_MOVES_ON, SPELL, SEAL):
        op.execute(function)
    op.execute("revoke all on function seal_audit_entry() from public")
    op.execute(SEAL_WHAT_WAS_WRITTEN_BEFORE)
    op.execute(HEADS_OF_THOSE)
    op.execute(AT_COMMIT)
    _guard_tables()


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
    op.tenant_wall("audit_link", "select")
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
    op.tenant_wall("audit_head", "select")
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
        op.execute(
            f"create trigger rows_stay before {deeds} on {table} for each row execute function audit_is_append_only()"
        )
    op.execute(
        "create trigger head_moves_on before update on audit_head for each row execute function audit_head_moves_on()"
    )
    partitions = op.get_bind().execute(sa.text(PARTITIONS)).scalars().all()
    for table in (*KEPT_FROM_CHANGE, *partitions):
        op.execute(
            f"create trigger table_stays before truncate on {table} for each statement execute function audit_is_append_only()"
        )
    op.month_partitions(besides=("audit_entry",))


def downgrade() -> None:
    raise NotImplementedError("a chain is not taken back: restore a backup instead")
