"""Puts a row of each school into every walled table and every partition that has none, whatever the table is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from tests.guards.wall import partitions, walled_tables

FITTING: dict[tuple[str, str], str] = {
    ("attempt", "points"): "null",
    ("booking", "status"): "'requested'",
    ("booking", "ends_at"): "now() + interval '1 hour'",
    ("claim", "state"): "'soft'",
    ("claim", "role"): "'learner'",
    ("claim", "during"): "tstzrange(now(), now() + interval '1 hour')",
    ("resource", "kind"): "'aircraft'",
    ("availability_rule", "weekday"): "0",
    ("availability_rule", "start_minute"): "540",
    ("availability_rule", "end_minute"): "600",
    ("membership", "roles"): "'{learner}'",
}
"""SQL for the columns that a check constraint narrows. A new table with such a column needs a line here."""

BY_TYPE = {
    "bigint": "1", "integer": "1", "numeric": "1", "smallint": "1", "text": "'x'", "character varying": "'x'",
    "timestamp with time zone": "now()", "date": "current_date", "boolean": "false", "jsonb": "'{}'", "ARRAY": "'{}'",
    "bytea": "'x'", "tstzrange": "tstzrange(now(), now() + interval '1 hour')", "uuid": "uuidv7()",
}  # fmt: skip

NEEDED = """
select column_name, data_type, udt_name from information_schema.columns
where table_schema = 'public' and table_name = :table and is_nullable = 'NO' and column_default is null
  and is_identity = 'NO' and is_generated = 'NEVER' and column_name <> 'tenant_id'
"""


def fill_both_schools(superuser_url: str) -> None:
    """Fill what is empty, as the superuser and without the keys' triggers; fails on a table it cannot fill."""
    engine = create_engine(superuser_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("set session_replication_role = replica"))
        schools = [row[0] for row in connection.execute(text("select id from tenant order by id"))]
        assert len(schools) == 2
        for table in walled_tables(connection):
            for school in schools:
                _fill(connection, table, school)
        for partition in partitions(connection):
            for school in schools:
                _fill(connection, partition, school, at=_an_instant_in(connection, partition))


def _fill(connection: Connection, table: str, school: int, *, at: str = "now()") -> None:
    there = text(f"select exists (select from {table} where tenant_id = :school)")
    if connection.execute(there, {"school": school}).scalar():
        return
    values: dict[str, Any] = {"tenant_id": str(school)}
    for column, kind, special in connection.execute(text(NEEDED), {"table": table}):
        values[column] = FITTING.get((table, column)) or BY_TYPE.get(kind) or BY_TYPE[special]
    if at != "now()":
        values["at"] = at
    names = ", ".join(f'"{name}"' for name in values)
    identity = connection.execute(text(f"select coalesce(max(id), 0) + 1 from {table}")).scalar()
    connection.exec_driver_sql(
        f"insert into {table} (id, {names}) overriding system value values ({identity}, {', '.join(values.values())})"
    )


def _an_instant_in(connection: Connection, partition: str) -> str:
    """SQL for an instant that the partition takes: its first, or for the default one a day far away."""
    bound = text("select pg_get_expr(relpartbound, oid) from pg_class where relname = :name")
    words = connection.execute(bound, {"name": partition}).scalar_one()
    return "timestamptz '2999-01-01'" if words == "DEFAULT" else f"timestamptz '{words.split(chr(39))[1]}'"
