"""What a newcomer does first: clone, bin/run, Ctrl-C, bin/run again; bin/bench without wrk. Nothing but HEAD is in the clone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.launcher.processes import ROOT, speaking_of, wait_until
from tests.launcher.starts import Started, environment, start
from tests.long import IS_LONG
from tests.measured import measured
from tests.pace import check_seconds, slowdown

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not IS_LONG, reason="a fresh clone installs everything anew, and fetches it"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout of git, so there is nothing to clone"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="these look at processes through /proc"),
]

FIRST, SECOND, QUICK = 180.0, 5.0, 120.0  # seconds
LONGEST = 1200  # seconds that a busy machine may take for a whole bin/bench --quick with all its installing
NEEDED = ("sh", "env", "dirname", "readlink", "git", "redis-server", "valkey-server", "useradd")
"""Programs that bin/bench may find on a machine without wrk."""


@dataclass
class Clone:
    """A fresh clone, in a folder that holds everything it makes."""

    folder: Path

    @property
    def checkout(self) -> Path:
        return self.folder / "groundschool"

    @property
    def environment(self) -> Path:
        return self.checkout / ".venv"

    def start(self) -> tuple[Started, float]:
        """bin/run until it has printed the demo's accounts, with the seconds it took."""
        began = time.monotonic()
        started = start(self.folder / "data", checkout=self.checkout)
        return started, time.monotonic() - began


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    made = Clone(Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp")))
    subprocess.run(["git", "clone", "--quiet", ROOT, made.checkout], check=True)
    yield made
    for pid in speaking_of(made.folder):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not speaking_of(made.folder))
    shutil.rmtree(made.folder, ignore_errors=True)


def test_it_serves_soon_at_first_and_at_once_the_second_time(clone: Clone) -> None:
    """The limits are of a machine that does nothing else."""
    assert not clone.environment.exists()
    for limit in (FIRST, SECOND):
        before = slowdown()
        started, took = clone.start()
        shared = max(before, slowdown())
        measured(f"a start in a fresh clone took {took:.1f} s of {limit:.0f} s, on a machine shared {shared:.1f} ways")
        assert started.healthy()
        assert ("Installing Python packages" in started.said) == (limit == FIRST)
        assert started.end(signal.SIGINT) < 8
        check_seconds(took, limit=limit, shared=shared)


def test_a_start_that_was_cut_off_while_installing_is_made_good(clone: Clone) -> None:
    """Killed with -9 when pip has put half of the packages in place, as by a closed laptop."""
    shutil.rmtree(clone.environment, ignore_errors=True)
    cut_off = subprocess.Popen(
        [clone.checkout / "bin" / "run"], env=environment(clone.folder / "data"), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: len([*clone.environment.glob("lib/python3*/site-packages/*.dist-info")]) > 10, seconds=300)
    os.killpg(cut_off.pid, signal.SIGKILL)
    cut_off.wait(20)
    wait_until(lambda: not speaking_of(clone.folder))
    assert not [*clone.environment.glob("*.sha256")], "it was not cut off in the middle"

    again, _took = clone.start()
    assert "Installing Python packages" in again.said
    assert again.healthy()
    assert again.end(signal.SIGINT) < 8
    started, _took = clone.start()
    assert "Installing" not in started.said
    assert started.end(signal.SIGINT) < 8


def test_a_quick_bench_installs_what_it_lacks_and_is_quick_afterwards(clone: Clone) -> None:
    """On a machine without wrk. The first run installs; only the second is timed, as on a machine that is prepared."""
    first = bench(clone, "--pages", "step,sign-in")
    assert "req/s by locust" in first
    guard = [clone.environment / "bin" / "python", "-m", "pytest", "tests/guards/test_requirements.py"]
    said = subprocess.run(guard, cwd=clone.checkout, capture_output=True, text=True, check=False).stdout
    assert " passed" in said, said
    assert "skipped" not in said, said

    before, began = slowdown(), time.monotonic()
    numbers = clone.folder / "numbers.json"
    bench(clone, "--json", str(numbers))
    took, shared = time.monotonic() - began, max(before, slowdown())
    measured(f"bin/bench --quick took {took:.0f} s, on a machine shared {shared:.1f} ways")
    assert len(json.loads(numbers.read_text())["pages"]) > 15
    check_seconds(took, limit=QUICK, shared=shared)


def bench(clone: Clone, *words: str) -> str:
    """What `bin/bench --quick …` says where wrk is not to be found."""
    programs = clone.folder / "programs"
    if not programs.exists():
        programs.mkdir()
        for found in filter(None, map(shutil.which, NEEDED)):
            (programs / Path(found).name).symlink_to(found)
    asked = environment(clone.folder / "data", PATH=str(programs), PYTHON=sys.executable)
    done = subprocess.run(
        [clone.checkout / "bin" / "bench", "--quick", *words],
        env=asked, capture_output=True, text=True, check=False, timeout=LONGEST,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
