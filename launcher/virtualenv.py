"""The virtual environment: made if absent, filled again when a requirements file changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher.errors import LauncherError


def enter(root: Path, fallback: Path, requirements: Sequence[str], module: str) -> None:
    """Continue as `module` inside the virtual environment, with all that the files of `requirements` name.

    Returns at once where this process runs in it already; else it does not return. The environment is `root`/.venv,
    or `fallback` where `root` cannot be written to and has none that fits.
    """
    folder = root / ".venv"
    digest = _digest(root, requirements)
    if not (_fits(folder, requirements, digest) or os.access(root, os.W_OK)):
        folder = fallback
    if not _fits(folder, requirements, digest):
        with _one_at_a_time(folder.parent):
            if not _fits(folder, requirements, digest):
                _fill(folder, root, requirements, digest)
    if Path(sys.prefix).resolve() != folder.resolve():
        python = str(folder / "bin" / "python")
        os.execv(python, [python, "-m", module, *sys.argv[1:]])


def _digest(root: Path, requirements: Sequence[str]) -> str:
    content = b"\0".join((root / name).read_bytes() for name in requirements)
    return hashlib.sha256(content).hexdigest()


def _marker(folder: Path, requirements: Sequence[str]) -> Path:
    return folder / f"{requirements[-1]}.sha256"


def _fits(folder: Path, requirements: Sequence[str], digest: str) -> bool:
    try:
        return _marker(folder, requirements).read_text() == digest and os.access(folder / "bin" / "python", os.X_OK)
    except OSError:
        return False


def _fill(folder: Path, root: Path, requirements: Sequence[str], digest: str) -> None:
    if os.geteuid() == 0:
        os.umask(0o022)  # The user that PostgreSQL runs as must be able to read its programs.
    if not _works(folder):
        print(f"Making {folder}", flush=True)
        _run(
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            f"A virtual environment could not be made in {folder}: install Python's venv module "
            "(on Debian and Ubuntu: apt install python3-venv), then start again.",
        )
    print(f"Installing what {requirements[-1]} names", flush=True)
    _run(
        [
            str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input",
            "--disable-pip-version-check", "-r", str(root / requirements[-1]),
        ],
        f"What {requirements[-1]} names could not be installed: see pip's words above; "
        "with the network back, start again.",
    )  # fmt: skip
    _marker(folder, requirements).write_text(digest)


def _works(folder: Path) -> bool:
    """Whether the environment has a Python that is new enough, and its pip: a start that was cut off leaves neither."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return (
            subprocess.run([folder / "bin" / "python", "-c", probe], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False


def _run(command: Sequence[str], sentence: str) -> None:
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
        raise LauncherError(sentence)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep two first starts in one checkout from filling one environment at once."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
