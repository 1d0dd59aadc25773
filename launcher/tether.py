"""Where the kernel has no parent-death signal (macOS): a watcher that holds the other end of a pipe.

When the launcher ends, however it ends, its end of the pipe closes, and the watcher signals every group still tied.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys


class Tether:
    """One watcher process for all children of this process."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.watcher = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reading)

    def tie(self, pid: int, dies_by: signal.Signals) -> None:
        """From now on the group led by `pid` gets `dies_by` when this process ends."""
        os.write(self._writing, f"{pid} {int(dies_by)}\n".encode())

    def release(self, pid: int) -> None:
        """The group led by `pid` has ended; its number may be given to a stranger."""
        os.write(self._writing, f"{pid} 0\n".encode())


def watch() -> None:
    """Read ties from standard input until it closes, then signal every group that is still tied."""
    tied: dict[int, int] = {}
    for line in sys.stdin:
        pid, number = map(int, line.split())
        tied.pop(pid, None)
        if number:
            tied[pid] = number
    for pid, number in tied.items():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


if __name__ == "__main__":
    watch()
