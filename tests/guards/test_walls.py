"""The wall between schools, read from the catalog; each kind of breach is made on purpose and is found."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg2
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from app.foundation.tenancy import GLOBAL_TABLES, OWN_ROWS_OF_A_USER
from tests.guards import fill
from tests.guards.wall import IMMUTABLE, breaches, partitions, walled_tables
from tests.servers import clone_database, drop_database, settings_for, url_of

POLICY = "using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::bigint)"
MAKE = """
create table sortie (tenant_id bigint not null references tenant on delete cascade,
  id bigint generated always as identity, course_id bigint, primary key (tenant_id, id))
"""
WALL = "alter table sortie enable row level security; alter table sortie force row level security;"


@pytest.fixture
def owner(worker_database: str) -> Iterator[Connection]:
    """The owner's connection, whose changes to the schema are rolled back."""
    engine = create_engine(url_of("groundschool_owner", worker_database), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def test_the_wall_has_no_breach(owner: Connection) -> None:
    assert breaches(owner) == []


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (MAKE, "the table sortie has no row-level security"),
        (MAKE + ";" + WALL, "the policies of sortie are not the one of the house: none"),
        (f"{MAKE}; {WALL} create policy same_school on sortie using (true)", "the policies of sortie are not"),
        (f"{MAKE}; {WALL} create policy same_school on sortie {POLICY}", "the policies of sortie are not"),
        ("create policy more on course for select using (true)", "the policies of course are not the one"),
        ("create table loose (id bigint primary key)", "the table loose has no tenant_id"),
        ("alter table course no force row level security", "course does not force row-level security"),
        ("alter table audit_entry_default disable row level security", "audit_entry_default has no row-level"),
        (
            "create table audit_entry_1999_01 partition of audit_entry for values from ('1999-01-01') to ('1999-02-01')",
            "the partition audit_entry_1999_01 has no row-level security",
        ),
        ("grant select on audit_entry_default to groundschool_web", "audit_entry_default carries grants: ['SELECT']"),
        (
            "create unique index one on course (id); alter table enrollment add foreign key (course_id) references course (id)",
            "enrollment_course_id_fkey from enrollment to course is not composite",
        ),
        (
            "alter table enrollment add constraint blank foreign key (tenant_id, course_id) references course on delete set null",
            "blank would blank tenant_id",
        ),
        (
            "alter table course add constraint late check (true) not valid;"
            "alter table enrollment add constraint late foreign key (tenant_id, course_id) references course not valid",
            "late was never validated",
        ),
        ("create table t (id bigint primary key, tenant_id bigint not null)", "the primary key of t is"),
        ("create view everything as select * from course", "the view everything is not security_invoker"),
        ("create materialized view hoard as select * from course", "hoard is a foreign table or materialized view"),
        (
            "create function peek() returns bigint language sql security definer as 'select count(*) from course'",
            "peek is SECURITY DEFINER and is not on the list",
        ),
        (
            "alter function make_month_partition reset all",
            "make_month_partition is SECURITY DEFINER without a fixed search_path",
        ),
        ("grant execute on function make_month_partition to public", "may be called by everybody"),
        ("grant update on audit_entry to groundschool_web", "the web role holds ['UPDATE'] on audit_entry"),
        ("grant delete on publication to public", "the web role holds ['DELETE'] on publication"),
        ("grant truncate on course to groundschool_web", "the web role holds ['TRUNCATE'] on course"),
        ("grant update (after) on audit_entry to groundschool_web", "audit_entry.after carries grants"),
        ("grant create on schema public to groundschool_web", "the web role may make tables"),
        ("drop table seed_step", "GLOBAL_TABLES names seed_step"),
    ],
)
def test_a_breach_is_found(owner: Connection, sql: str, sentence: str) -> None:
    owner.exec_driver_sql(sql)
    assert any(sentence in breach for breach in breaches(owner)), breaches(owner)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("alter role groundschool_web bypassrls", "the web role has rolbypassrls"),
        ("alter role groundschool_web superuser", "the web role has rolsuper"),
        ("grant groundschool_owner to groundschool_web", "the web role is a member of groundschool_owner"),
        ("alter table course owner to groundschool_web", "the web role owns course"),
    ],
)
def test_a_web_role_with_too_much_power_is_found(worker_database: str, sql: str, sentence: str) -> None:
    with create_engine(url_of("postgres", worker_database), poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql(sql)
        assert any(sentence in breach for breach in breaches(connection)), breaches(connection)
        connection.rollback()


def test_the_web_role_is_what_the_application_and_the_tests_use(worker_database: str) -> None:
    settings = settings_for(worker_database)
    with create_engine(settings.database_url, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("select current_user")).scalar() == "groundschool_web"


# -- what raw SQL sees ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    """A database in which each table of the schools, and each partition, holds rows of both schools."""
    name = clone_database(f"guard_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}")
    fill.fill_both_schools(url_of("postgres", name))
    yield name
    drop_database(name)


class RawSql:
    """The web role's own connection, stamped as wished."""

    def __init__(self, database: str) -> None:
        self.engine = create_engine(url_of("groundschool_web", database), poolclass=NullPool)

    def ask(self, sql: str, *, tenant: str = "", user: str = "") -> list[tuple]:  # type: ignore[type-arg]
        with self.engine.begin() as connection:
            if tenant or user:
                connection.execute(
                    text("select set_config('app.tenant_id', :t, true), set_config('app.user_id', :u, true)"),
                    {"t": tenant, "u": user},
                )
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


@pytest.fixture(scope="module")
def raw(filled: str) -> RawSql:
    return RawSql(filled)


@pytest.fixture(scope="module")
def schools(raw: RawSql) -> dict[str, int]:
    return dict(raw.ask("select slug, id from tenant"))


def tables_of(database: str, which) -> list[str]:  # type: ignore[no-untyped-def]
    with create_engine(url_of("groundschool_owner", database), poolclass=NullPool).connect() as connection:
        return list(which(connection))


def test_a_stamp_shows_one_school_and_no_other(filled: str, raw: RawSql, schools: dict[str, int]) -> None:
    tables = tables_of(filled, walled_tables)
    assert len(tables) > 15
    for table in tables:
        for mine in schools.values():
            seen = {row[0] for row in raw.ask(f"select distinct tenant_id from {table}", tenant=str(mine))}
            assert seen == {mine}, f"{table} shows {seen} to the school {mine}"


@pytest.mark.parametrize("stamp", ["", "0", "-1", "999999"])
def test_no_stamp_or_a_stranger_s_shows_nothing(filled: str, raw: RawSql, stamp: str) -> None:
    for table in tables_of(filled, walled_tables):
        assert raw.ask(f"select count(*) from {table}", tenant=stamp) == [(0,)], table


def test_a_partition_cannot_be_read_directly(filled: str, raw: RawSql, schools: dict[str, int]) -> None:
    found = tables_of(filled, partitions)
    assert len(found) >= 5
    for partition in found:
        with pytest.raises(Exception, match="permission denied") as refused:
            raw.ask(f"select count(*) from {partition}", tenant=str(schools["skyline"]))
        assert isinstance(refused.value.__cause__, psycopg2.errors.InsufficientPrivilege)


def test_rows_cannot_be_moved_to_another_school(filled: str, raw: RawSql, schools: dict[str, int]) -> None:
    mine, theirs = str(schools["skyline"]), schools["harbour"]
    for table in tables_of(filled, walled_tables):
        with pytest.raises(Exception, match=r"row-level security|permission denied"):
            raw.ask(f"update {table} set tenant_id = {theirs} where tenant_id = {mine} returning 1", tenant=mine)


def test_what_never_changes_cannot_be_changed(filled: str, raw: RawSql, schools: dict[str, int]) -> None:
    for table in IMMUTABLE:
        column = "action" if table == "platform_entry" else "tenant_id"
        for sql in (f"update {table} set {column} = {column}", f"delete from {table}", f"truncate {table}"):
            with pytest.raises(Exception, match="permission denied"):
                raw.ask(f"{sql} returning 1" if "truncate" not in sql else sql, tenant=str(schools["skyline"]))


def test_a_signed_in_person_sees_only_their_own_memberships(raw: RawSql, schools: dict[str, int]) -> None:
    assert {"membership"} == OWN_ROWS_OF_A_USER
    both = raw.ask("select id from user_account where email = 'both@skyline.example'")[0][0]
    rows = raw.ask("select tenant_id, user_id from membership", user=str(both))
    assert sorted(rows) == sorted((school, both) for school in schools.values())


def test_what_stands_outside_the_wall_says_why() -> None:
    assert all(len(reason) > 20 for reason in GLOBAL_TABLES.values())
