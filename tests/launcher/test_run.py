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
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher import lock
from tests.launcher.processes import ROOT, lives, speaking_of, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="these look at processes through /proc")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **over: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("GROUNDSCHOOL_", "COV_"))}
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "DEMO", "SECRET_KEY", "HOST"):
        plain.pop(name, None)
    return plain | {"DATA_DIR": str(data_dir), "PORT": str(free_port()), **over}


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


@dataclass
class Started:
    """A bin/run that has printed its address."""

    data_dir: Path
    port: int
    process: subprocess.Popen[str]
    said: str

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def pid(self, *words: str) -> int | None:
        """The child of bin/run whose command line holds all `words`."""
        for pid in speaking_of(self.data_dir):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and all(word in line for word in words):
                return pid
        return None

    def end(self, number: signal.Signals) -> float:
        """Send a signal; return the seconds until everything that belongs to it has gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        wait_until(lambda: not speaking_of(self.data_dir))
        return time.monotonic() - began


def start(data_dir: Path, program: Path = ROOT / "bin" / "run") -> Started:
    env = environment(data_dir)
    process = subprocess.Popen(
        [program], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "both@skyline.example" in line:
            return Started(data_dir, int(env["PORT"]), process, "".join(lines))
    raise AssertionError("".join(lines))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for the starts that follow one another below; what a failed test left running goes at the end."""
    made = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    yield made
    for pid in speaking_of(made):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not speaking_of(made))
    shutil.rmtree(made, ignore_errors=True)


def test_it_serves_mends_itself_and_stops_cleanly(folder: Path) -> None:
    started = start(folder)
    assert f"Groundschool is at http://127.0.0.1:{started.port}" in started.said
    assert "admin@harbour.example" in started.said
    assert started.healthy()
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600

    for words in (("gunicorn",), ("jobs.worker",), ("jobs.schedule",)):
        wait_until(lambda words=words: started.pid(*words))
        assert b"OWNER_DATABASE_URL" not in Path(f"/proc/{started.pid(*words)}/environ").read_bytes()

    for name, words in (("worker", ("jobs.worker",)), ("redis", ("redis-server",)), ("postgres", ("postgres", "-D"))):
        killed = started.pid(*words)
        assert killed
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda words=words, killed=killed: started.pid(*words) not in (None, killed))
        assert f"{name} ended (signal SIGKILL); starting it again" in (folder / "log" / f"{name}.log").read_text()
    assert started.healthy()

    assert started.end(signal.SIGINT) < 8
    assert started.process.returncode == 0
    assert (folder / "lock").read_text() == ""


def test_killed_it_leaves_nothing_and_the_next_start_clears_up(folder: Path) -> None:
    started = start(folder)
    assert "seeded" not in started.said
    assert "migrate " not in started.said
    started.end(signal.SIGKILL)

    again = start(folder)
    assert f"An earlier start (process {started.process.pid} at " in again.said
    assert again.healthy()
    assert again.end(signal.SIGTERM) < 8
    assert not lives(again.process.pid)
