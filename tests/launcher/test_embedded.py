"""The embedded servers start from nothing, from what a crash left, anywhere, and as anyone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis

from launcher import embedded
from launcher.embedded import Postgres, create_roles, libpq_url, postgres_binaries, redis_program, start_postgres
from tests.launcher.processes import ROOT, lives, wait_until


@contextmanager
def running_postgres(data_dir: Path) -> Iterator[Postgres]:
    server = start_postgres(data_dir, fsync=False)
    try:
        yield server
    finally:
        server.stop()


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(libpq_url(url))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def test_roles_and_databases_are_as_the_wall_needs_them(data_dir: Path) -> None:
    with running_postgres(data_dir) as server:
        with ThreadPoolExecutor(4) as pool:  # Two starts at once, and a second start, change nothing.
            list(pool.map(lambda _: create_roles(server.url()), range(4)))
        server.create_database("school")
        server.create_database("school")
        server.create_database("copy", template="school")
        assert rows(
            server.url(),
            "select rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles"
            " where rolname like 'groundschool%' order by 1",
        ) == [("groundschool_owner", False, True, True), ("groundschool_web", False, False, True)]
        assert rows(
            server.url(),
            "select datname, datlocprovider, datlocale, pg_get_userbyid(datdba) from pg_database"
            " where datname in ('school', 'copy') order by 1",
        ) == [("copy", "b", "C.UTF-8", "groundschool_owner"), ("school", "b", "C.UTF-8", "groundschool_owner")]
        creates = "select has_schema_privilege('public', 'create')"
        assert rows(server.url("groundschool_owner", "copy"), creates) == [(True,)]
        assert rows(server.url("groundschool_web", "copy"), creates) == [(False,)]


def test_a_half_finished_initdb_is_made_anew(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data_dir / "pg" / "base").mkdir(parents=True)
    (data_dir / "pg" / "PG_VERSION").write_text("18\n")
    with running_postgres(data_dir) as server:
        assert rows(server.url(), "select 1") == [(1,)]
    assert "did not finish" in capsys.readouterr().err
    assert (data_dir / "pg" / "READY").exists()


def test_a_recycled_pid_does_not_keep_postgres_from_starting(data_dir: Path) -> None:
    with running_postgres(data_dir) as server:
        socket_lock = (server.socket_dir / ".s.PGSQL.5432.lock").read_text()
        pid_file = (data_dir / "pg" / "postmaster.pid").read_text()
    for file, text in (
        (data_dir / "pg" / "postmaster.pid", pid_file),
        (data_dir / "sock/.s.PGSQL.5432.lock", socket_lock),
    ):
        file.write_text("\n".join([str(os.getppid()), *text.splitlines()[1:], ""]))
    with running_postgres(data_dir) as server:
        assert rows(server.url(), "select 1") == [(1,)]
    assert lives(os.getppid())


def test_a_server_that_a_killed_start_left_is_ended_first(data_dir: Path) -> None:
    left = start_postgres(data_dir, fsync=False)
    assert left.process is not None
    with running_postgres(data_dir) as server:
        assert rows(server.url(), "select 1") == [(1,)]
        assert left.process.wait(5) is not None


def test_postgres_killed_with_clients_on_it_starts_again(data_dir: Path) -> None:
    server = start_postgres(data_dir)
    client = psycopg2.connect(libpq_url(server.url()))
    client.cursor().execute("create table kept (n int)")
    client.commit()
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    with running_postgres(data_dir) as server:
        assert rows(server.url(), "select count(*) from kept") == [(0,)]
    client.close()


def test_a_long_path_with_spaces_gets_a_short_private_socket_folder(data_dir: Path) -> None:
    far = data_dir / ("a folder, " * 10) / "straße"
    with running_postgres(far) as server:
        assert not server.socket_dir.is_relative_to(far)
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert rows(server.url(), "select current_setting('data_directory')") == [(str(far / "pg"),)]
        answering = embedded.start_redis(far)
        try:
            with redis.from_url(answering.url) as client:
                assert client.ping()
        finally:
            answering.stop()
    shutil.rmtree(server.socket_dir)


def test_redis_keeps_what_it_was_told_when_killed(data_dir: Path) -> None:
    server = embedded.start_redis(data_dir)
    with redis.from_url(server.url) as client:
        client.set("bell", "rung")
        client.execute_command("WAITAOF", 1, 0, 0) if _knows_waitaof(client) else wait_until(_written(data_dir))
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    server = embedded.start_redis(data_dir)
    try:
        with redis.from_url(server.url) as client:
            assert client.get("bell") == b"rung"
    finally:
        server.stop()


def _knows_waitaof(client: redis.Redis) -> bool:
    return int(client.info("server")["redis_version"].split(".")[0]) > 7


def _written(data_dir: Path):  # type: ignore[no-untyped-def]
    return lambda: any(b"rung" in file.read_bytes() for file in (data_dir / "redis").rglob("*aof") if file.is_file())


def test_no_redis_to_be_had_is_one_sentence(data_dir: Path) -> None:
    said = _redis_program(data_dir)
    assert said.startswith("refused: There is no Redis on this machine: install one")
    assert "REDIS_URL" in said


def test_a_valkey_on_path_will_do(data_dir: Path) -> None:
    (data_dir / "valkey-server").symlink_to(redis_program())
    assert _redis_program(data_dir) == f"found: {redis_program().resolve()}"


def _redis_program(path: Path) -> str:
    """Ask a Python that sees no wheels, with `path` as its PATH."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from launcher.embedded import LauncherError, redis_program\n"
        "try: print('found:', redis_program())\n"
        "except LauncherError as error: print('refused:', error)\n"
    )
    asked = subprocess.run(
        [sys.executable, "-S", "-c", script], env={"PATH": str(path)}, capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as someone else")
def test_root_opens_a_way_and_nothing_more(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    with running_postgres(closed / "data") as server:
        assert server.process is not None
        assert os.stat(f"/proc/{server.process.pid}").st_uid != 0
        assert rows(server.url(), "select 1") == [(1,)]
    assert closed.stat().st_mode & 0o777 == 0o701
    assert f"chmod o+x {closed} " in capsys.readouterr().err


def test_an_ordinary_user_needs_nothing_else(data_dir: Path) -> None:
    """Under root: as the user nobody, with a Python that this user may run."""
    as_user = _as_ordinary_user()
    if as_user is None:
        pytest.skip("no ordinary user can reach this checkout and a Python 3.11")
    if os.geteuid() == 0:
        shutil.chown(data_dir, "nobody")
    packages = Path(redis.__file__).parents[1]
    script = (
        f"import os, subprocess, sys; sys.path[:0] = [{str(ROOT)!r}, {str(packages)!r}]\n"
        "from pathlib import Path\n"
        "from launcher.embedded import start_postgres, start_redis\n"
        f"data = Path({str(data_dir)!r})\n"
        "postgres, redis = start_postgres(data, fsync=False), start_redis(data)\n"
        "psql = [postgres.bin / 'psql', '-h', postgres.socket_dir, '-U', 'postgres', '-tAc', 'select 6 * 7']\n"
        "told = subprocess.run(psql, capture_output=True, text=True)\n"
        "print(told.stdout.strip(), os.stat(data / 'pg').st_uid == os.geteuid() != 0, redis.is_ready())\n"
        "redis.stop(); postgres.stop()\n"
    )
    done = subprocess.run([*as_user, "-S", "-c", script], capture_output=True, text=True, check=False, cwd=data_dir)
    assert done.stdout.strip() == "42 True True", done.stderr


def _as_ordinary_user() -> list[str] | None:
    """The start of a command that runs Python as an ordinary user; None where there is no way."""
    change = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if change and not shutil.which("setpriv"):
        return None
    probe = f"import os, sys; assert sys.version_info >= (3, 11); open({str(ROOT / 'launcher/embedded.py')!r})"
    probe += f"; assert os.access({str(postgres_binaries() / 'postgres')!r}, os.X_OK)"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        asked = [*change, python, "-S", "-c", probe]
        try:
            if subprocess.run(asked, capture_output=True, check=False, cwd="/").returncode == 0:
                return [*change, python]
        except OSError:
            continue
    return None
