"""One bin/run a data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from launcher.errors import LauncherError


class DataLock:
    """The lock on one data folder, held until `release` or until this process ends, however it ends."""

    def __init__(self, file: IO[str], *, was_cut_off: bool) -> None:
        self._file = file
        self.was_cut_off = was_cut_off

    def release(self) -> None:
        """Let it go after an orderly end: it is emptied, so that the next start finds nothing to clear."""
        self._file.seek(0)
        self._file.truncate()
        self._file.close()


def hold(data_dir: Path, address: str) -> DataLock:
    """Take the lock on `data_dir`. `address` is for the sentence that a second start prints.

    The kernel frees a lock whose holder was killed; then `was_cut_off` is true. LauncherError where it is held.
    """
    file = os.fdopen(os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+")
    holder = file.read().strip()
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise LauncherError(
            f"{data_dir} is in use by {holder or 'another start'}: stop that one first, or give this one a folder and "
            "a port of its own, DATA_DIR=… PORT=… bin/run."
        ) from None
    if holder:
        print(f"An earlier start ({holder}) was cut off; clearing what it left behind.", flush=True)
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} at {address}\n")
    file.flush()
    return DataLock(file, was_cut_off=bool(holder))
