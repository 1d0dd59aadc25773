"""The web role keeps the rights that code uses, and later tables give it none by themselves."""

from __future__ import annotations

from alembic import op

from app.foundation.walls import WEB_ROLE

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TAKEN_BACK = {
    "update, delete": ("seed_step", "lesson_progress", "step_progress"),
    "update": ("availability_rule",),
    "delete": (
        *("answer", "attempt", "booking", "claim", "course", "enrollment", "membership", "resource", "rollup"),
        *("school_settings", "variant"),
    ),
}
"""What no code does. A row that goes with its parent is deleted by the database itself, which needs no right for it."""
NEVER = "truncate, references, trigger, maintain"
SCHOOLS_WITH_SPENT_KEYS = """
create function schools_with_spent_keys(before timestamptz) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select distinct tenant_id from once_key where created_at < before
$$
"""
TABLES_WITH_STRAYS = """
create function tables_with_strays() returns setof text
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  divided record;
  has_rows boolean;
begin
  for divided in
    select c.relname, p.partdefid::regclass as spare from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
    where p.partdefid <> 0 and c.relnamespace = 'public'::regnamespace
  loop
    execute format('select exists (select from %s)', divided.spare) into has_rows;
    if has_rows then
      return next divided.relname::text;
    end if;
  end loop;
end $$
"""
FUNCTIONS = ("schools_with_spent_keys(timestamptz)", "tables_with_strays()")


def upgrade() -> None:
    for rights, tables in TAKEN_BACK.items():
        op.execute(f"revoke {rights} on {', '.join(tables)} from {WEB_ROLE}")
    op.execute(f"revoke {NEVER} on all tables in schema public from {WEB_ROLE}, public")
    for things in ("tables", "sequences"):
        op.execute(f"alter default privileges in schema public revoke all on {things} from {WEB_ROLE}, public")
    op.execute("alter default privileges revoke execute on functions from public")
    for sql in (SCHOOLS_WITH_SPENT_KEYS, TABLES_WITH_STRAYS):
        op.execute(sql)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to {WEB_ROLE}")


def downgrade() -> None:
    raise NotImplementedError("rights are not given back: restore a backup instead")
