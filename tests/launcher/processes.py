"""Looking at real processes: who lives, and waiting for what is to become true."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def wait_until(true: Callable[[], object], *, seconds: float = 15.0) -> None:
    """Return when `true()` is; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self/stat").exists():
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """These processes stand still meanwhile. One that has ended since it was found has nothing to stand still."""
    _send(signal.SIGSTOP, pids)
    try:
        yield
    finally:
        _send(signal.SIGCONT, pids)


def _send(what: signal.Signals, pids: tuple[int, ...]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def speaking_of(folder: Path) -> list[int]:
    """The processes whose command line, environment or current folder names `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid() or not lives(int(process.name)):
            continue
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if os.fsencode(folder) in words or os.readlink(process / "cwd").startswith(str(folder)):
                found.append(int(process.name))
        except OSError:
            continue
    return found
