"""A PostgreSQL that the person gives: what bin/run makes of it, and what it refuses with which remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from launcher.account import server_account
from launcher.database import given_addresses, schema_is_current
from launcher.embedded import Postgres, libpq_url, postgres_binaries, start_postgres
from launcher.errors import LauncherError
from tests.launcher.processes import ROOT, wait_until


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server as a host would have it: a superuser and no role of ours."""
    folder = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    running = start_postgres(folder, fsync=False)
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture
def school(server: Postgres) -> Iterator[str]:
    """An empty database; the roles that a test made go with it."""
    run(server.url(), "create database school")
    yield "school"
    run(server.url(), "drop database school with (force)")
    for role in ("groundschool_web", "ours", "theirs"):
        run(server.url(), f"drop role if exists {role}")


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(libpq_url(url))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def make_owner(server: Postgres, school: str, attributes: str = "bypassrls createrole") -> str:
    run(server.url(), f"create role ours login {attributes}")
    run(server.url(), f"alter database {school} owner to ours")
    return server.url("ours", school).replace("+psycopg2", "")


def test_from_the_owners_address_the_web_role_is_made_once(server: Postgres, school: str, data_dir: Path) -> None:
    environ = {"DATABASE_URL": make_owner(server, school)}
    first = given_addresses(environ, data_dir)
    assert run(first.web, "select current_user") == [("groundschool_web",)]
    assert run(first.owner, "select current_user") == [("ours",)]
    walled = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = 'groundschool_web'"
    assert run(server.url(), walled) == [(False,)]
    assert (data_dir / "web_password").stat().st_mode & 0o777 == 0o600
    assert given_addresses(environ, data_dir) == first


def test_a_web_role_of_another_name_gets_what_migrations_grant(server: Postgres, school: str, data_dir: Path) -> None:
    owner = make_owner(server, school)
    run(server.url(), "create role theirs login")
    environ = {"DATABASE_URL": server.url("theirs", school), "OWNER_DATABASE_URL": owner}
    for _ in range(2):
        addresses = given_addresses(environ, data_dir)
    assert run(addresses.web, "select current_user, pg_has_role('groundschool_web', 'usage')") == [("theirs", True)]


def test_a_web_role_that_no_wall_holds_is_refused(server: Postgres, school: str, data_dir: Path) -> None:
    owner = make_owner(server, school)
    with pytest.raises(LauncherError, match="passes every row policy"):
        given_addresses({"DATABASE_URL": owner, "OWNER_DATABASE_URL": owner}, data_dir)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ("createrole", 'lacks BYPASSRLS.*ALTER ROLE "ours" BYPASSRLS'),
        ("bypassrls", "may not make the web role.*grant it CREATEROLE"),
    ],
)
def test_an_owner_that_cannot_do_its_work_is_told_what_it_lacks(
    server: Postgres, school: str, data_dir: Path, attributes: str, sentence: str
) -> None:
    with pytest.raises(LauncherError, match=sentence):
        given_addresses({"DATABASE_URL": make_owner(server, school, attributes)}, data_dir)


def test_an_owner_that_may_not_make_tables_is_told_so(server: Postgres, school: str, data_dir: Path) -> None:
    run(server.url(), "create role ours login bypassrls createrole")
    with pytest.raises(LauncherError, match='GRANT CREATE ON SCHEMA public TO "ours"'):
        given_addresses({"DATABASE_URL": server.url("ours", school)}, data_dir)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://who:hush@127.0.0.1:1/school", "does not answer .*refused.*start that PostgreSQL"),
        ("postgresql://who:hush@/school?host=/nowhere", "does not answer .*No such file"),
        ("postgresql://who:hu?sh@x/school?a=%", "must look like postgresql://"),
        ("mysql://who:hush@x/school", "must look like postgresql://"),
        ("school", "must look like postgresql://"),
    ],
)
def test_an_address_that_does_not_answer_is_one_sentence(data_dir: Path, url: str, sentence: str) -> None:
    with pytest.raises(LauncherError, match=sentence) as refusal:
        given_addresses({"DATABASE_URL": url}, data_dir)
    assert "hush" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_server_older_than_18_is_refused_by_its_version(data_dir: Path) -> None:
    """The wheel carries a PostgreSQL 16 beside the one we start."""
    programs = postgres_binaries().parents[1] / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        pytest.skip("the wheel carries no older PostgreSQL")
    account = server_account(data_dir / "pg")
    change = account.popen_arguments() if account else {}
    (data_dir / "pg").mkdir()
    if account:
        data_dir.chmod(0o711)
        account.owns(data_dir / "pg")
    at_home = {"cwd": data_dir / "pg", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **change}
    made = [programs / "initdb", "-D", data_dir / "pg", "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale"]
    subprocess.run(made, check=True, **at_home)
    start = [programs / "postgres", "-D", data_dir / "pg", "-k", data_dir / "pg", "-c", "listen_addresses=", "-F"]
    with subprocess.Popen(start, **at_home) as old:
        try:
            pid_file = data_dir / "pg" / "postmaster.pid"
            wait_until(lambda: pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"))
            with pytest.raises(LauncherError, match=r"DATABASE_URL is a PostgreSQL 16\.\d+, and Groundschool needs 18"):
                given_addresses({"DATABASE_URL": f"postgresql://postgres@/postgres?host={data_dir / 'pg'}"}, data_dir)
        finally:
            old.terminate()


def test_a_schema_is_current_only_at_the_one_head(server: Postgres, school: str, tmp_path: Path) -> None:
    url = server.url("postgres", school)
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_a.py").write_text('revision: str = "a"\ndown_revision: str | None = None\n')
    assert not schema_is_current(url, tmp_path)
    run(url, "create table alembic_version (version_num text); insert into alembic_version values ('a')")
    assert schema_is_current(url, tmp_path)
    (versions / "0002_b.py").write_text('revision = "b"\ndown_revision = "a"\n')
    assert not schema_is_current(url, tmp_path)
    run(url, "update alembic_version set version_num = 'b'")
    assert schema_is_current(url, tmp_path)
    (versions / "0003_c.py").write_text('revision = "c"\ndown_revision = "a"\n')
    assert not schema_is_current(url, tmp_path)


def test_our_own_migrations_have_one_head() -> None:
    from alembic.script import ScriptDirectory

    from launcher.database import _heads

    assert _heads(ROOT / "migrations") == set(ScriptDirectory(str(ROOT / "migrations")).get_heads())
    assert len(_heads(ROOT / "migrations")) == 1


def test_no_secret_is_left_half_written(data_dir: Path) -> None:
    from launcher.database import kept_secret

    (data_dir / "secret").touch(mode=0o600)
    secret = kept_secret(data_dir / "secret")
    assert len(secret) >= 48
    assert kept_secret(data_dir / "secret") == secret
    assert os.stat(data_dir / "secret").st_mode & 0o777 == 0o600
