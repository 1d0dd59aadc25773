"""Reads the catalog of a database and names every breach of the wall between schools."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from app.foundation.tenancy import GLOBAL_TABLES, OWN_ROWS_OF_A_USER
from app.foundation.walls import WEB_ROLE

OWNER_ROLE = "groundschool_owner"
SAME_SCHOOL = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::bigint)"
OWN_ROWS = "(user_id = (NULLIF(current_setting('app.user_id'::text, true), ''::text))::bigint)"
IMMUTABLE = {
    "audit_entry": {"SELECT", "INSERT"},
    "publication": {"SELECT", "INSERT"},
    "published_lesson": {"SELECT", "INSERT"},
    "audit_link": {"SELECT"},
    "audit_head": {"SELECT"},
    "platform_entry": {"SELECT", "INSERT"},
}
"""Tables whose rows never change, and the grants that keep them so."""
RUNS_AS_OWNER = {
    "is_let_in_elsewhere": "says whether another school lets a person in: yes or no, not which",
    "make_month_partition": "makes a month's partition, of a fixed list of tables",
    "schools_with_spent_keys": "names schools with one-use keys to forget, by id only",
    "school_usage": "counts how much a school is used, for the operators: numbers, never content",
    "seal_audit_entry": "chains an audit entry at commit, in tables that the web role may only read",
    "tables_with_strays": "names partitioned tables whose rows lie in no month",
}
"""SECURITY DEFINER functions, each with its reason."""
EVERYDAY = {"SELECT", "INSERT", "UPDATE", "DELETE"}
POINTS_ANYWHERE = {"tenant", "user_account"}
"""Global tables that a school's row may point to by one column."""


def breaches(connection: Connection) -> list[str]:
    """A sentence for each breach, sorted."""
    found: list[str] = []
    for check in (_tables, _policies, _keys, _foreign_keys, _grants, _views, _functions, _web_role):
        found += check(connection)
    return sorted(found)


def _rows(connection: Connection, sql: str) -> list[tuple]:  # type: ignore[type-arg]
    return [tuple(row) for row in connection.execute(text(sql))]


TABLES = """
select c.relname, c.relispartition, c.relkind, c.relrowsecurity, c.relforcerowsecurity,
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f', 'm')
"""


def walled_tables(connection: Connection) -> list[str]:
    """The tables of schools, without their partitions."""
    return sorted(row[0] for row in _rows(connection, TABLES) if row[0] not in GLOBAL_TABLES and not row[1])


def partitions(connection: Connection) -> list[str]:
    return sorted(row[0] for row in _rows(connection, TABLES) if row[1])


def _tables(connection: Connection) -> Iterator[str]:
    tables = _rows(connection, TABLES)
    for name, is_partition, kind, has_wall, is_forced, has_tenant in tables:
        if kind in ("f", "m"):
            yield f"{name} is a foreign table or materialized view: no wall can stand round it"
        if name in GLOBAL_TABLES:
            continue
        what = "partition" if is_partition else "table"
        if not has_tenant:
            yield f"the {what} {name} has no tenant_id (not null) and is not in GLOBAL_TABLES"
        if not has_wall:
            yield f"the {what} {name} has no row-level security"
        if not is_forced:
            yield f"the {what} {name} does not force row-level security on its owner"
    for missing in GLOBAL_TABLES.keys() - {row[0] for row in tables}:
        yield f"GLOBAL_TABLES names {missing}, which does not exist"


def _policies(connection: Connection) -> Iterator[str]:
    policies: dict[str, dict[str, tuple]] = {name: {} for name in walled_tables(connection)}  # type: ignore[type-arg]
    for table, name, *rest in _rows(
        connection,
        "select tablename, policyname, permissive, cmd, qual, with_check, roles::text from pg_policies where schemaname = 'public'",
    ):
        policies.setdefault(table, {})[name] = tuple(rest)
    expected = {"same_school": ("PERMISSIVE", "ALL", SAME_SCHOOL, SAME_SCHOOL, "{public}")}
    own_rows = {"own_rows": ("PERMISSIVE", "SELECT", OWN_ROWS, None, "{public}")}
    inside = set(partitions(connection))
    for table, found in policies.items():
        if table in inside or table in GLOBAL_TABLES:
            yield from (f"{table} has a policy {name} that nobody expects there" for name in found)
        elif found != expected | (own_rows if table in OWN_ROWS_OF_A_USER else {}):
            yield f"the policies of {table} are not the one of the house: {found or 'none'}"


PRIMARY_KEYS = """
select c.relname, c.relkind = 'p' or c.relispartition,
  (select array_agg(a.attname order by k.n) from pg_constraint p, unnest(p.conkey) with ordinality k(attnum, n)
   join pg_attribute a on a.attnum = k.attnum and a.attrelid = c.oid
   where p.conrelid = c.oid and p.contype = 'p')
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""


def _keys(connection: Connection) -> Iterator[str]:
    for table, is_divided, key in _rows(connection, PRIMARY_KEYS):
        if table not in GLOBAL_TABLES and (list(key or [])[:2] != ["tenant_id", "id"] or len(key) != 2 + is_divided):
            yield f"the primary key of {table} is {key}, not (tenant_id, id)"


FOREIGN_KEYS = """
select f.conname, here.relname, there.relname, f.confdeltype,
  (select array_agg(a.attname order by k.n) from unnest(f.conkey) with ordinality k(attnum, n)
   join pg_attribute a on a.attnum = k.attnum and a.attrelid = f.conrelid),
  (select array_agg(a.attname order by k.n) from unnest(f.confkey) with ordinality k(attnum, n)
   join pg_attribute a on a.attnum = k.attnum and a.attrelid = f.confrelid),
  (select array_agg(a.attname) from unnest(f.confdelsetcols) as k(attnum)
   join pg_attribute a on a.attnum = k.attnum and a.attrelid = f.conrelid),
  f.convalidated
from pg_constraint f join pg_class here on here.oid = f.conrelid join pg_class there on there.oid = f.confrelid
where f.contype = 'f' and f.connamespace = 'public'::regnamespace
"""


def _foreign_keys(connection: Connection) -> Iterator[str]:
    for name, here, there, on_delete, columns, targets, blanked, is_valid in _rows(connection, FOREIGN_KEYS):
        if not is_valid:
            yield f"{name} was never validated"
        if there in GLOBAL_TABLES:
            if here not in GLOBAL_TABLES and there not in POINTS_ANYWHERE:
                yield f"{name} points from a school's {here} to {there}"
            continue
        if ("tenant_id", "tenant_id") not in zip(columns, targets, strict=True) or len(columns) < 2:
            yield f"{name} from {here} to {there} is not composite: {columns} → {targets}"
        if on_delete in ("n", "d", b"n", b"d") and (not blanked or "tenant_id" in blanked):
            yield f"{name} would blank tenant_id when its {there} goes: name the column"


GRANTS = f"""
select c.relname, c.relispartition, array_agg(distinct acl.privilege_type)
from pg_class c, aclexplode(c.relacl) acl
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
  and (acl.grantee = 0 or acl.grantee = '{WEB_ROLE}'::regrole) group by 1, 2
"""

COLUMN_GRANTS = """
select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
where a.attacl is not null and c.relnamespace = 'public'::regnamespace
"""


def _grants(connection: Connection) -> Iterator[str]:
    held = {table: (is_partition, set(rights)) for table, is_partition, rights in _rows(connection, GRANTS)}
    for table, (is_partition, rights) in held.items():
        if is_partition:
            yield f"the partition {table} carries grants: {sorted(rights)}"
        elif more := rights - IMMUTABLE.get(table, EVERYDAY):
            yield f"the web role holds {sorted(more)} on {table}"
    for table in IMMUTABLE.keys() - held.keys():
        yield f"the web role cannot read {table}"
    for table, column in _rows(connection, COLUMN_GRANTS):
        yield f"{table}.{column} carries grants of its own"


VIEWS = """
select relname, coalesce(reloptions::text, '') from pg_class
where relkind = 'v' and relnamespace = 'public'::regnamespace
"""


def _views(connection: Connection) -> Iterator[str]:
    for name, options in _rows(connection, VIEWS):
        if "security_invoker=true" not in options and "security_invoker=on" not in options:
            yield f"the view {name} is not security_invoker: it would show every school"


FUNCTIONS = """
select p.proname, coalesce(array_to_string(p.proconfig, ';'), ''),
  exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl where acl.grantee = 0)
from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef
"""


def _functions(connection: Connection) -> Iterator[str]:
    for name, configuration, is_everybodys in _rows(connection, FUNCTIONS):
        if name not in RUNS_AS_OWNER:
            yield f"{name} is SECURITY DEFINER and is not on the list"
        path = next((c for c in configuration.split(";") if c.startswith("search_path=")), "")
        if not path.endswith("pg_temp"):
            yield f"{name} is SECURITY DEFINER without a fixed search_path that ends in pg_temp"
        if is_everybodys:
            yield f"{name} is SECURITY DEFINER and may be called by everybody"


def _web_role(connection: Connection) -> Iterator[str]:
    powers = "rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole", "rolreplication"
    for row in _rows(connection, f"select {', '.join(powers)} from pg_roles where rolname = '{WEB_ROLE}'"):
        yield from (f"the web role has {power}" for power, held in zip(powers, row, strict=True) if held)
    owned = f"""
      select relname from pg_class where relowner = '{WEB_ROLE}'::regrole
      union select proname from pg_proc where proowner = '{WEB_ROLE}'::regrole
      union select datname from pg_database where datdba = '{WEB_ROLE}'::regrole
    """
    yield from (f"the web role owns {name}" for (name,) in _rows(connection, owned))
    member = f"select roleid::regrole::text from pg_auth_members where member = '{WEB_ROLE}'::regrole"
    yield from (f"the web role is a member of {role}" for (role,) in _rows(connection, member))
    if _rows(connection, f"select has_schema_privilege('{WEB_ROLE}', 'public', 'create')") == [(True,)]:
        yield "the web role may make tables"
