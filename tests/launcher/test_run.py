"""bin/run as a person meets it: the sentences when it cannot start, and the whole of it started, hurt, stopped and killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from launcher import lock
from launcher.embedded import create_roles, start_postgres, start_redis
from launcher.errors import LauncherError
from launcher.run import _seed_beside
from tests.launcher.processes import ROOT, lives, speaking_of, wait_until
from tests.launcher.starts import environment, start
from tests.measured import measured
from tests.pace import check_seconds, slowdown

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="these look at processes through /proc")


def refusal(data_dir: Path, program: Path = ROOT / "bin" / "run", **over: str) -> str:
    """The one line that a start says before it gives up."""
    done = subprocess.run(
        [program], env=environment(data_dir, **over), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stderr.splitlines()
    said = [line for line in said if not line.startswith("chmod o+x")]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("bin/run: ")
    return said[0]


def test_a_taken_port(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refusal(data_dir, PORT=str(taken.getsockname()[1]))
    assert re.search(r"Port \d+ on 127.0.0.1 cannot be had .*PORT=\d+ bin/run", said)


def test_another_start_on_the_same_data_folder(data_dir: Path) -> None:
    held = lock.hold(data_dir, "http://127.0.0.1:4711")
    said = refusal(data_dir)
    held.release()
    assert f"is in use by process {os.getpid()} at http://127.0.0.1:4711: stop that one first" in said
    assert (data_dir / "lock").read_text() == ""


def test_a_database_that_does_not_answer(data_dir: Path) -> None:
    said = refusal(data_dir, DATABASE_URL="postgresql://a:b@127.0.0.1:1/c", SECRET_KEY="k9" * 20 + "abcdefgh")
    assert "DATABASE_URL does not answer" in said


def test_an_argument_is_not_silently_ignored(data_dir: Path) -> None:
    done = subprocess.run(
        [ROOT / "bin" / "run", "--port", "9"], env=environment(data_dir), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "It takes no arguments" in done.stderr


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"PORT": "many"}, "PORT must be a number from 1 to 65535, not 'many'"),
        ({"DEMO": "perhaps"}, "DEMO must be 1 or 0"),
        ({"HOST": "no.such.host.invalid"}, "is no address of this machine"),
        ({"DATABASE_URL": "postgresql://a@/b"}, "SECRET_KEY must be at least 32 random characters"),
        ({"OWNER_DATABASE_URL": "postgresql://a@/b"}, "OWNER_DATABASE_URL is given without DATABASE_URL"),
        ({"DATA_DIR": "/proc/groundschool"}, "cannot be made"),
    ],
)
def test_a_wrong_setting(data_dir: Path, over: dict[str, str], sentence: str) -> None:
    assert sentence in refusal(data_dir, **over)


def test_a_python_that_is_too_old(data_dir: Path) -> None:
    """In a checkout without .venv, on a machine whose only Python is old."""
    checkout, programs = data_dir / "check out", data_dir / "programs"
    for folder in ("bin", "launcher"):
        (checkout / folder).mkdir(parents=True)
    shutil.copy(ROOT / "bin" / "run", checkout / "bin")
    shutil.copy(ROOT / "launcher" / "with-python.sh", checkout / "launcher")
    programs.mkdir()
    for name in ("sh", "dirname", "readlink"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    old = programs / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    said = refusal(data_dir, checkout / "bin" / "run", PATH=str(programs))
    assert said.startswith("bin/run: Groundschool needs Python 3.11 or newer and found Python 3.9.2: install one")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for the starts that follow one another below; what a failed test left running goes at the end."""
    made = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    yield made
    for pid in speaking_of(made):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not speaking_of(made))
    shutil.rmtree(made, ignore_errors=True)


def asked(folder: Path, sql: str) -> str:
    """What the embedded database answers its superuser."""
    connection = psycopg2.connect(host=str(folder / "sock"), user="postgres", dbname="groundschool")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
        answer = str(cursor.fetchone()[0]) if cursor.description else ""  # type: ignore[index]
    connection.close()
    return answer


MONTH = "to_char(now() + interval '3 months', '\"audit_entry_\"YYYY_MM')"


def drop_last_month(folder: Path) -> None:
    """As if the last start lay a month back: its worker has made no partition for the third month from now."""
    asked(folder, f"drop table {asked(folder, f'select {MONTH}')}")
    assert last_month(folder) == "missing"


def last_month(folder: Path) -> str:
    return asked(folder, f"select case when to_regclass({MONTH}) is null then 'missing' else 'there' end")


def test_it_serves_mends_itself_and_stops_cleanly(folder: Path) -> None:
    started = start(folder)
    assert f"Groundschool is at http://127.0.0.1:{started.port}" in started.said
    assert "admin@harbour.example" in started.said
    assert '{"at"' not in started.said
    assert "postgres |" not in started.said
    assert started.healthy()
    assert '"message": "seeded"' in (folder / "log" / "seed.log").read_text()
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600

    for words in (("gunicorn",), ("jobs.worker",), ("jobs.schedule",)):
        wait_until(lambda words=words: started.pid(*words))
        assert b"OWNER_DATABASE_URL" not in Path(f"/proc/{started.pid(*words)}/environ").read_bytes()

    drop_last_month(folder)
    for name, words in (("worker", ("jobs.worker",)), ("redis", ("redis-server",)), ("postgres", ("postgres", "-D"))):
        killed = started.pid(*words)
        assert killed
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda words=words, killed=killed: started.pid(*words) not in (None, killed))
        if name == "worker":
            wait_until(lambda: last_month(folder) == "there", seconds=30)
        assert f"{name} ended (signal SIGKILL); starting it again" in (folder / "log" / f"{name}.log").read_text()
    assert started.healthy()
    assert started.end(signal.SIGINT) < 8
    assert started.process.returncode == 0
    assert (folder / "lock").read_text() == ""


def test_two_run_side_by_side_and_the_second_start_is_quick(folder: Path, data_dir: Path) -> None:
    """With another port and data folder each, one of them an ordinary user's."""
    data_dir.chmod(0o755)
    settings = {"DEMO": "0", "SECRET_KEY": "k9" * 20 + "abcdefgh"}
    theirs = start(data_dir / "theirs", until="Groundschool is at", as_nobody=True, **settings)
    assert "/setup/" in theirs.said
    shared, began = slowdown(), time.monotonic()
    ours = start(folder)
    took = time.monotonic() - began
    shared = max(shared, slowdown())
    measured(f"the second start took {took:.1f} s, on a machine shared {shared:.1f} ways")
    assert ours.healthy()
    assert theirs.healthy()
    assert ours.end(signal.SIGINT) < 8
    assert theirs.healthy()
    assert theirs.end(signal.SIGINT) < 8
    check_seconds(took, limit=5.0, shared=shared)


def test_killed_it_leaves_nothing_and_the_next_start_clears_up(folder: Path) -> None:
    log = folder / "log" / "seed.log"
    log.unlink(missing_ok=True)
    started = start(folder, PYTHONDONTWRITEBYTECODE="1")
    assert "migrate " not in started.said
    assert "seed " not in started.said
    wait_until(lambda: log.exists() and "The demo is complete." in log.read_text())
    worker = started.pid("jobs.worker")
    assert b"PYTHONDONTWRITEBYTECODE" not in Path(f"/proc/{worker}/environ").read_bytes()
    started.end(signal.SIGKILL)

    again = start(folder)
    assert f"An earlier start (process {started.process.pid} at " in again.said
    assert again.healthy()
    assert again.end(signal.SIGTERM) < 8
    assert not lives(again.process.pid)


def test_a_later_seed_that_fails_is_told_and_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    def flask(*_words: str, quiet: bool) -> None:
        raise LauncherError("seed failed. Its log is seed.log.")

    _seed_beside(flask)
    assert "seed failed. Its log is seed.log. The demo goes on" in capsys.readouterr().err


def test_it_runs_on_servers_of_ones_own(data_dir: Path) -> None:
    """On a host's PostgreSQL and Redis, with the owner's address alone: no demo, no server of ours."""
    postgres, redis = start_postgres(data_dir / "theirs", fsync=False), start_redis(data_dir / "theirs")
    try:
        create_roles(postgres.url())
        postgres.create_database("school")
        url = postgres.url(database="school").replace("+psycopg2", "")
        ours = data_dir / "ours"
        settings = {"DATABASE_URL": url, "REDIS_URL": redis.url, "SECRET_KEY": "k9" * 20 + "abcdefgh"}
        started = start(ours, until="Groundschool is at", **settings)
        assert started.healthy()
        assert "skyline" not in started.said
        assert {"pg", "redis", "secret_key"}.isdisjoint(os.listdir(ours))
        worker = started.pid("gunicorn")
        environ = dict(line.partition("=")[::2] for line in Path(f"/proc/{worker}/environ").read_text().split("\0"))
        assert environ["DATABASE_URL"].startswith("postgresql+psycopg2://groundschool_web:")
        assert environ["DEMO"] == "0"
        started.process.terminate()
        assert started.process.wait(10) == 0
        assert postgres.is_ready()
        assert redis.is_ready()
    finally:
        redis.stop()
        postgres.stop()
