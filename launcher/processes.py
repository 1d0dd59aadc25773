"""Child processes that never outlive the process that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
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
    if child.poll() is None:
        child.send_signal(by)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            kill_group(child)
            child.wait()
    if _tether:
        _tether.release(child.pid)


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
