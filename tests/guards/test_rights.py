"""What the web role may do with each table: what the code does, and nothing more. A new table joins the list below."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from app.foundation.walls import WEB_ROLE
from tests.servers import url_of

READ, ADD, KEEP, ALL = "select", "select insert", "select insert update", "select insert update delete"

RIGHTS = {
    **dict.fromkeys(("alembic_version", "audit_head", "audit_link"), READ),
    **dict.fromkeys(("audit_entry", "platform_entry", "publication", "published_lesson"), ADD),
    **dict.fromkeys(("lesson_progress", "seed_step", "step_progress"), ADD),
    **dict.fromkeys(("answer", "attempt", "booking", "claim", "course", "enrollment", "membership"), KEEP),
    **dict.fromkeys(("resource", "rollup", "school_settings", "tenant", "user_account", "variant"), KEEP),
    **dict.fromkeys(("availability_rule", "course_audience"), "select insert delete"),
    "assignment": ALL,
    **dict.fromkeys(("availability_exception", "department", "job", "lesson", "module", "notification"), ALL),
    **dict.fromkeys(("once_key", "one_use_token", "outbox_event", "people_import", "recovery_code", "step"), ALL),
    **dict.fromkeys(("user_session", "worker_heartbeat"), ALL),
}
"""Locking a row takes the right to update it; a row that goes with its parent takes no right."""
WHY_DELETED = {
    "assignment": "It is taken back, or goes with a person who is erased.",
    "availability_rule": "A person's week is written anew as a whole.",
    "availability_exception": "A day off is taken back.",
    "course_audience": "A course is for other departments from now on.",
    "department": "An empty department is removed.",
    "job": "Finished rows go after a month.",
    "lesson": "A draft that is imported again may have fewer lessons.",
    "module": "A draft that is imported again may have fewer modules.",
    "notification": "They go with a person who is erased.",
    "once_key": "A refused form gives its key back; used keys go after a day.",
    "one_use_token": "Links go with a person who is erased, and a month after they are over.",
    "outbox_event": "Relayed events go after a month.",
    "people_import": "A pasted list goes when it is carried out, or after a day.",
    "recovery_code": "New codes replace the old ones.",
    "step": "A draft that is imported again may have fewer steps.",
    "user_session": "Ended sessions go after three months.",
    "worker_heartbeat": "Processes that are gone leave a name behind each.",
}
HELD = """
select c.relname, coalesce(string_agg(right_name, ' ' order by n) filter (where has_table_privilege(:role, c.oid, right_name)), '')
from pg_class c cross join unnest(
  '{select,insert,update,delete,truncate,references,trigger,maintain}'::text[]) with ordinality as r(right_name, n)
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition group by 1
"""
TABLE = "create table sortie (tenant_id bigint not null, id bigint not null)"


@pytest.fixture
def owner(worker_database: str) -> Iterator[Connection]:
    """The owner's connection, whose changes are rolled back."""
    with create_engine(url_of("groundschool_owner", worker_database), poolclass=NullPool).connect() as connection:
        yield connection
        connection.rollback()


def differences(connection: Connection) -> list[str]:
    """A sentence for each table whose rights are not those of the list."""
    held = {table: rights for table, rights in connection.execute(text(HELD), {"role": WEB_ROLE})}  # noqa: C416
    return sorted(
        f"{table}: holds “{held.get(table, 'no such table')}”, needs “{RIGHTS.get(table, 'unknown')}”"
        for table in held.keys() | RIGHTS.keys()
        if held.get(table) != RIGHTS.get(table)
    )


def test_the_web_role_holds_what_the_code_needs_and_no_more(owner: Connection) -> None:
    assert differences(owner) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"grant delete on booking to {WEB_ROLE}", "booking: holds “select insert update delete”"),
        ("grant truncate on course to public", "course: holds “select insert update truncate”"),
        (f"revoke update on claim from {WEB_ROLE}", "claim: holds “select insert”, needs “select insert update”"),
        (TABLE, "sortie: holds “”, needs “unknown”"),
        ("alter table rollup rename to tally", "rollup: holds “no such table”"),
    ],
)
def test_a_difference_is_found(owner: Connection, sql: str, found: str) -> None:
    owner.exec_driver_sql(sql)
    assert any(found in difference for difference in differences(owner)), differences(owner)


def test_a_later_table_or_function_gives_the_web_role_nothing_by_itself(owner: Connection) -> None:
    """The migration that makes it names the rights."""
    owner.exec_driver_sql(f"{TABLE}; create function peek() returns int language sql as 'select 1'")
    may = f"has_table_privilege('{WEB_ROLE}', 'sortie', 'select'), has_function_privilege('{WEB_ROLE}', 'peek()', 'execute')"
    assert tuple(owner.exec_driver_sql(f"select {may}").one()) == (False, False)


def test_every_delete_has_a_reason() -> None:
    assert {table for table, rights in RIGHTS.items() if "delete" in rights} == WHY_DELETED.keys()
    assert all(reason.endswith(".") for reason in WHY_DELETED.values())
