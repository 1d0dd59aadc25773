"""The wall in migrations: operations that make a table a school's own, and the rewriter that writes them itself.

`op.tenant_wall("course", "select, insert, update, delete")` switches row-level security on and forces it, makes the one
policy (fail closed) and grants the web role what it names. `op.global_grants(…)` grants on a listed global table.
`op.month_partitions(…)` makes a partitioned table's first months and the function that makes later ones.
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import renderers, rewriter
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations, ops

WEB_ROLE = "groundschool_web"
SAME_SCHOOL = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::bigint"
LEAST = "select, insert"
"""What a new table grants. A migration names what its code does besides: tests/guards/test_rights.py asks for the reason."""


@Operations.register_operation("tenant_wall")
class TenantWall(MigrateOperation):
    """Row-level security round one table, and the web role's grants on it."""

    def __init__(self, table: str, grants: str) -> None:
        self.table, self.grants = table, grants

    @classmethod
    def tenant_wall(cls, operations: Operations, table: str, grants: str) -> None:
        operations.invoke(cls(table, grants))

    def reverse(self) -> MigrateOperation:
        return DropTenantWall(self.table)


@Operations.register_operation("drop_tenant_wall")
class DropTenantWall(MigrateOperation):
    """The wall goes with its table; nothing is left to do."""

    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def drop_tenant_wall(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))


@Operations.implementation_for(TenantWall)
def _build_wall(operations: Operations, wall: TenantWall) -> None:
    for sql in (
        f"alter table {wall.table} enable row level security",
        f"alter table {wall.table} force row level security",
        f"create policy same_school on {wall.table} using ({SAME_SCHOOL}) with check ({SAME_SCHOOL})",
        f"grant {wall.grants} on {wall.table} to {WEB_ROLE}",
    ):
        operations.execute(sql)


@Operations.implementation_for(DropTenantWall)
def _drop_wall(_operations: Operations, _wall: DropTenantWall) -> None:
    return None


@Operations.register_operation("global_grants")
class GlobalGrants(MigrateOperation):
    """What the web role may do with a table that is no school's."""

    def __init__(self, table: str, grants: str) -> None:
        self.table, self.grants = table, grants

    @classmethod
    def global_grants(cls, operations: Operations, table: str, grants: str) -> None:
        operations.invoke(cls(table, grants))

    def reverse(self) -> MigrateOperation:
        return DropTenantWall(self.table)


@Operations.implementation_for(GlobalGrants)
def _grant(operations: Operations, grant: GlobalGrants) -> None:
    operations.execute(f"grant {grant.grants} on {grant.table} to {WEB_ROLE}")


TRUNCATE_BIT = 32
"""In pg_trigger.tgtype. PostgreSQL hands a parent's row triggers down to its partitions, its TRUNCATE triggers not."""
MONTH_FUNCTION = """
create or replace function make_month_partition(parent text, month date) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
declare
  first_day date := date_trunc('month', month)::date;
  partition text := parent || to_char(first_day, '_YYYY_MM');
  guard record;
begin
  if parent not in ({tables}) then
    raise exception 'no partitioned table of that name';
  end if;
  if to_regclass('public.' || partition) is null then
    execute format('create table public.%I partition of public.%I for values from (%L) to (%L)',
      partition, parent, first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
  end if;
  execute format('alter table public.%I enable row level security', partition);
  execute format('alter table public.%I force row level security', partition);
  for guard in
    select tgname, tgfoid::regproc::text as refuses from pg_trigger
    where tgrelid = ('public.' || quote_ident(parent))::regclass and not tgisinternal and tgtype & {truncate} = {truncate}
  loop
    execute format('create or replace trigger %I before truncate on public.%I for each statement execute function %s()',
      guard.tgname, partition, guard.refuses);
  end loop;
end $$
"""


@Operations.register_operation("month_partitions")
class MonthPartitions(MigrateOperation):
    """The function that makes a month's partition of the named tables (and of those `besides`, made by earlier migrations),
    the named tables' first four months, and their default partition, which stays empty unless the monthly job fails."""

    def __init__(self, *tables: str, besides: tuple[str, ...] = ()) -> None:
        self.tables, self.besides = tables, besides

    @classmethod
    def month_partitions(cls, operations: Operations, *tables: str, besides: tuple[str, ...] = ()) -> None:
        operations.invoke(cls(*tables, besides=besides))


@Operations.implementation_for(MonthPartitions)
def _make_months(operations: Operations, months: MonthPartitions) -> None:
    names = ", ".join(f"'{table}'" for table in (*months.besides, *months.tables))
    operations.execute(MONTH_FUNCTION.format(tables=names, truncate=TRUNCATE_BIT))
    operations.execute("revoke all on function make_month_partition(text, date) from public")
    operations.execute(f"grant execute on function make_month_partition(text, date) to {WEB_ROLE}")
    for table in months.tables:
        operations.execute(f"create table {table}_default partition of {table} default")
        operations.execute(f"alter table {table}_default enable row level security")
        operations.execute(f"alter table {table}_default force row level security")
        months_ahead = "(now() + make_interval(months => m))::date) from generate_series(0, 3) as m"
        operations.execute(f"select make_month_partition('{table}', {months_ahead}")


@renderers.dispatch_for(TenantWall)
def _render_wall(_context: AutogenContext, wall: TenantWall) -> str:
    return f"op.tenant_wall({wall.table!r}, {wall.grants!r})"


@renderers.dispatch_for(GlobalGrants)
def _render_grants(_context: AutogenContext, grant: GlobalGrants) -> str:
    return f"op.global_grants({grant.table!r}, {grant.grants!r})"


@renderers.dispatch_for(DropTenantWall)
def _render_drop(_context: AutogenContext, _wall: DropTenantWall) -> list[str]:
    return []


writer = rewriter.Rewriter()


@writer.rewrites(ops.CreateTableOp)
def _wall_every_new_table(_context: Any, _revision: Any, create: ops.CreateTableOp) -> list[MigrateOperation]:
    from app.foundation.tenancy import GLOBAL_TABLES

    walled = create.table_name not in GLOBAL_TABLES
    return [create, (TenantWall if walled else GlobalGrants)(create.table_name, LEAST)]
