"""The terminal shows what somebody should see now; the file has all of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from launcher.logbook import Logbook

REQUEST = (
    b'{"at": "2026-11-20T19:50:37.847+00:00", "level": "INFO", "logger": "groundschool.request", "message": "request"}'
)
WARNING = b'{"at": "2026-11-20T19:50:37.847+00:00", "level": "WARNING", "logger": "x", "message": "no bell", "reason": "gone"}'
ERROR = b'{"at": "2026-11-20T19:50:37.847+00:00", "level": "ERROR", "logger": "x", "message": "unexpected error"}'
PLAIN = b"Traceback (most recent call last):"
BROKEN = b'{"at": nothing'


@pytest.mark.parametrize(
    ("quiet", "shown"),
    [
        (False, ["warning: no bell (gone)", "error: unexpected error", PLAIN.decode(), BROKEN.decode(), "web ended."]),
        (True, ["web ended."]),
    ],
)
def test_the_file_has_every_line_and_the_terminal_what_matters(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], quiet: bool, shown: list[str]
) -> None:
    book = Logbook("web", tmp_path, quiet=quiet)
    lines = [REQUEST, WARNING, ERROR, PLAIN, BROKEN]
    reading, writing = os.pipe()
    os.write(writing, b"\n".join(lines) + b"\n")
    os.close(writing)
    while book.copy_from(reading):
        pass
    book.note("web ended.")
    book.close()
    os.close(reading)
    assert (tmp_path / "web.log").read_bytes().splitlines() == [*lines, b"web ended."]
    assert capfdbinary.readouterr().out.decode().splitlines() == [f"web      | {line}" for line in shown]
