"""The supervisor starts again what dies, stops in order, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher.supervisor import Program
from tests.launcher.processes import ROOT, lives, speaking_of, wait_until

NAMES = ("base", "queue", "web", "stubborn")


@dataclass
class Stand:
    """A running supervisor of four programs."""

    folder: Path
    process: subprocess.Popen[str]

    def pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def log(self, name: str) -> str:
        return (self.folder / "log" / f"{name}.log").read_text()


@pytest.fixture
def stand(data_dir: Path) -> Iterator[Stand]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.launcher.three_floors", str(data_dir)],
        cwd=ROOT,
        env=os.environ | {"STAND": str(data_dir)},  # So that all that descends from it can be found.
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if line == "all up\n":
                break
        yield Stand(data_dir, process)
        process.terminate()
        process.wait(10)
        for pid in speaking_of(data_dir):
            os.kill(pid, signal.SIGKILL)


def test_a_killed_program_and_what_it_left_go_and_a_new_one_comes(stand: Stand) -> None:
    first, helper = stand.pid("queue"), int((stand.folder / "helper.pid").read_text())
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: stand.pid("queue") != first)
    assert not lives(helper)
    assert "queue ended (signal SIGKILL); starting it again" in stand.log("queue")
    assert [lives(stand.pid(name)) for name in NAMES] == [True] * 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_goes_from_the_top_down_and_waits_for_no_stubborn_program(stand: Stand, number: signal.Signals) -> None:
    pids = [stand.pid(name) for name in NAMES]
    began = time.monotonic()
    stand.process.send_signal(number)
    assert stand.process.wait(10) == 0
    assert time.monotonic() - began < 4
    assert not any(lives(pid) for pid in pids)
    asked = (stand.folder / "stopped").read_text().split()
    assert sorted(set(asked[:-2])) == ["stubborn", "web"]
    assert asked[-2:] == ["queue", "base"]
    assert asked.count("stubborn") == 2


def test_a_killed_launcher_leaves_nothing(stand: Stand) -> None:
    pids = [stand.pid(name) for name in NAMES if name != "stubborn"]
    stand.process.kill()
    wait_until(lambda: not any(lives(pid) for pid in pids))


def test_output_goes_to_a_log_of_its_own_and_the_last_run_is_kept(stand: Stand) -> None:
    wait_until(lambda: stand.log("web") == "web is up\n")
    stand.process.terminate()
    stand.process.wait(10)
    again = subprocess.Popen([sys.executable, "-m", "tests.launcher.three_floors", str(stand.folder)], cwd=ROOT)
    kept = stand.folder / "log" / "web.log.1"
    wait_until(kept.exists)
    again.terminate()
    again.wait(10)
    assert kept.read_text() == "web is up\n"


def test_the_pause_grows_and_ends_after_steady_work() -> None:
    program = Program("web", lambda _: pytest.fail("not started here"), floor=0)
    now, pauses = 1000.0, []
    for _ in range(9):
        program.started = now
        now += 0.5
        pauses.append(program.die(now))
        now = program.due
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    program.started = now
    assert program.die(now + 3600) == 0.0


def test_where_the_kernel_does_not_help_a_watcher_ends_what_is_tied(data_dir: Path) -> None:
    script = (
        "import os, signal, subprocess\n"
        "from launcher.tether import Tether\n"
        "tether = Tether()\n"
        "sleep = dict(args=['sleep', '60'], process_group=0, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "children = [subprocess.Popen(**sleep) for _ in range(2)]\n"
        "for child in children: tether.tie(child.pid, signal.SIGTERM)\n"
        "tether.release(children[1].pid)\n"
        "print(*(child.pid for child in children), tether.watcher.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    tied, released, watcher = map(int, told.stdout.split())
    wait_until(lambda: not lives(tied) and not lives(watcher))
    assert lives(released)
    os.kill(released, signal.SIGKILL)
