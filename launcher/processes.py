"""Child processes that never outlive the process that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from launcher.account import Account
from launcher.tether import Tether

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_tether: Tether | None = None


def spawn(
    command: Sequence[str | Path],
    *,
    dies_by: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own and return it; `dies_by` reaches it if this process ends first.

    Call it from the main thread: on Linux the kernel sends `dies_by` when the *thread* that started the child ends.
    `account` changes the user (root only); `output` takes both standard output and standard error.
    """
    child = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if output is None else subprocess.STDOUT,
        process_group=0,
        preexec_fn=_death_wish(dies_by) if _LIBC else None,
        **(account.popen_arguments() if account else {}),
    )
    if not _LIBC:
        _tie(child, dies_by)
    return child


def stop(child: subprocess.Popen[bytes], by: signal.Signals, *, patience: float) -> None:
    """Ask `child` to end by a signal, wait `patience` seconds, then kill its whole group."""
    deadline = time.monotonic() + patience
    ask(child, by)
    while reap(child) is None:
        if time.monotonic() > deadline:
            kill_group(child)
        time.sleep(0.005)


def ask(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send `child` a signal unless it has ended."""
    if child.returncode is None and not _has_ended(child):
        os.kill(child.pid, number)


def reap(child: subprocess.Popen[bytes]) -> int | None:
    """Return how `child` ended (as Popen.returncode does), or None while it lives.

    What is left of its group goes with it (a killed web server's workers): before its number is free for a stranger.
    """
    if child.returncode is None and not _has_ended(child):
        return None
    if child.returncode is None:
        kill_group(child)
        child.wait()
        if _tether:
            _tether.release(child.pid)
    return child.returncode


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Look without reaping, where the system can; elsewhere reaping a moment early does no harm."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return child.poll() is not None


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the process group that `child` leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _death_wish(dies_by: signal.Signals) -> Callable[[], None]:
    """Make the function that the child runs before exec, after its user has changed (which would clear the wish)."""
    parent = os.getpid()

    def ask() -> None:
        assert _LIBC is not None
        _LIBC.prctl(PR_SET_PDEATHSIG, int(dies_by), 0, 0, 0)
        if os.getppid() != parent:  # The parent died before the kernel knew of the wish.
            os._exit(1)

    return ask


def _tie(child: subprocess.Popen[bytes], dies_by: signal.Signals) -> None:
    global _tether
    if _tether is None:
        _tether = Tether()
    _tether.tie(child.pid, dies_by)
