"""Where the output of a program goes: all of it to DATA/log/<name>.log, and to the terminal what somebody should see now.

That is a warning, or words that are no log line: a traceback, an address. The rest would push the address and the accounts, the
last thing that bin/run itself says, off the screen with the first click.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

LARGEST_LOG = 10_000_000  # bytes; then the file becomes <name>.log.1, whose place it takes
NAME_WIDTH = 8
SHOWN_LEVELS = {"WARNING", "ERROR", "CRITICAL"}
LONGEST_LINE = 65_536  # bytes; what is longer is written in parts


class Logbook:
    """The log of one program; the log of the run before is kept beside it as <name>.log.1.

    Of one that is `quiet` the terminal shows only what the supervisor notes.
    """

    def __init__(self, name: str, folder: Path, *, quiet: bool = False) -> None:
        self.name, self.quiet = name, quiet
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

    def note(self, words: str) -> None:
        """Write what the supervisor has to say of the program to both places."""
        self._keep(words.encode())
        self._show(words.encode())

    def write(self, line: bytes) -> None:
        """Write one line to the file, and show it if it is worth that."""
        self._keep(line)
        if not self.quiet and (worth := worth_showing(line)):
            self._show(worth)

    def _show(self, line: bytes) -> None:
        """A closed terminal must not stop the program that speaks."""
        with contextlib.suppress(OSError):
            sys.stdout.buffer.write(f"{self.name:<{NAME_WIDTH}} | ".encode() + line + b"\n")
            sys.stdout.buffer.flush()

    def _keep(self, line: bytes) -> None:
        """Nor must a full disk."""
        with contextlib.suppress(OSError):
            self._file.write(line + b"\n")
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


def worth_showing(line: bytes) -> bytes:
    """What the terminal shows of a line: a warning in words, nothing of a log line below that, any other line as it is."""
    if not line.startswith(b'{"at": '):
        return line
    try:
        said = json.loads(line)
        level, message, reason = said["level"], said["message"], said.get("reason")
    except (ValueError, KeyError):
        return line
    if level not in SHOWN_LEVELS:
        return b""
    return f"{level.lower()}: {message}{f' ({reason})' if reason else ''}".encode()
