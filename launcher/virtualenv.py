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
    or `fallback` where `root` cannot be written to and has none that fits. LauncherError where a file is not there.
    """
    folder = root / ".venv"
    files = [_present(root / name) for name in requirements]
    if not (_fits(folder, files) or os.access(root, os.W_OK)):
        folder = fallback
    if not _fits(folder, files):
        with _one_at_a_time(folder.parent):
            if not _fits(folder, files):
                _fill(folder, files)
    # Where nothing compiled is kept, each process of ours compiles all of it anew, for half a second.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if Path(sys.prefix).resolve() != folder.resolve():
        python = str(folder / "bin" / "python")
        os.execv(python, [python, "-m", module, *sys.argv[1:]])


def _present(file: Path) -> Path:
    if not file.is_file():
        raise LauncherError(f"{file} is missing: fetch the whole checkout again, or bring that file back from git.")
    return file


def _fits(folder: Path, files: Sequence[Path]) -> bool:
    """Whether the environment was filled from these files as they are now."""
    if not os.access(folder / "bin" / "python", os.X_OK):
        return False
    return all(_recorded(folder, file) == _digest(file) for file in files)


def _recorded(folder: Path, file: Path) -> str:
    try:
        return _marker(folder, file).read_text()
    except OSError:
        return ""


def _marker(folder: Path, file: Path) -> Path:
    return folder / f"{file.name}.sha256"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _fill(folder: Path, files: Sequence[Path]) -> None:
    if os.geteuid() == 0:
        os.umask(0o022)  # The user that PostgreSQL runs as must be able to read its programs.
    if not _works(folder):
        print(f"Making {folder}", flush=True)
        _run(
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            f"A virtual environment could not be made in {folder}: install Python's venv module "
            "(on Debian and Ubuntu: apt install python3-venv), then start again.",
        )
    names = " and ".join(file.name for file in files)
    print("Installing Python packages, once: about a minute", flush=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    _count_off(
        [*pip, *(part for file in files for part in ("-r", str(file)))],
        f"What {names} asks for could not be installed: see pip's words above, mend that or wait for the network, "
        "then start again.",
    )
    for file in files:
        _marker(folder, file).write_text(_digest(file))


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


def _count_off(pip: Sequence[str], sentence: str) -> None:
    """Run pip and count, on a terminal, the packages that it has found. Its complaints go where errors go."""
    with subprocess.Popen(pip, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace") as child:
        assert child.stdout is not None
        found = 0
        for line in child.stdout:
            found += line.startswith("Collecting ")
            if sys.stdout.isatty():
                step = "unpacking" if line.startswith("Installing collected") else "found"
                print(f"\r  {found} packages {step} ", end="", flush=True)
    if found and sys.stdout.isatty():
        print()
    if child.returncode:
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
