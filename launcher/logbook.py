"""Where the output of a program goes: to the terminal behind its name, and to DATA/log/<name>.log."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

LARGEST_LOG = 10_000_000  # bytes; then the file becomes <name>.log.1, whose place it takes
NAME_WIDTH = 8
LONGEST_LINE = 65_536  # bytes; what is longer is written in parts


class Logbook:
    """The log of one program; the log of the run before is kept beside it as <name>.log.1."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.path = folder / f"{name}.log"
        folder.mkdir(parents=True, exist_ok=True)
        self._partial = b""
        self._open()

    def copy_from(self, descriptor: int) -> bool:
        """Write the whole lines that wait in a pipe; False when its other end is closed."""
        try:
            chunk = os.read(descriptor, LONGEST_LINE)
        except BlockingIOError:
            return True
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for line in lines:
            self.write(line)
        if self._partial and (not chunk or len(self._partial) > LONGEST_LINE):
            self.write(self._partial)
            self._partial = b""
        return bool(chunk)

    def write(self, line: bytes) -> None:
        """Write one line to both places. A full disk or a closed terminal must not stop the program that speaks."""
        with contextlib.suppress(OSError):
            self._file.write(line + b"\n")
        with contextlib.suppress(OSError):
            sys.stdout.buffer.write(f"{self.name:<{NAME_WIDTH}} | ".encode() + line + b"\n")
            sys.stdout.buffer.flush()
        with contextlib.suppress(OSError):
            if self._file.tell() > LARGEST_LOG:
                self._file.close()
                self._open()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path.replace(self.path.with_suffix(".log.1"))
        self._file = self.path.open("wb", buffering=0)
