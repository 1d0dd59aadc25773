"""bin/run started for a test, on a data folder and a port of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.launcher.processes import ROOT, speaking_of, wait_until

NOBODY = 65534


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **over: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("GROUNDSCHOOL_", "COV_"))}
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "DEMO", "SECRET_KEY", "HOST"):
        plain.pop(name, None)
    return plain | {"DATA_DIR": str(data_dir), "PORT": str(free_port()), **over}


@dataclass
class Started:
    """A bin/run that has printed its address."""

    data_dir: Path
    port: int
    process: subprocess.Popen[str]
    said: str

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def pid(self, *words: str) -> int | None:
        """The child of bin/run whose command line holds all `words`."""
        for pid in speaking_of(self.data_dir):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and all(word in line for word in words):
                return pid
        return None

    def end(self, number: signal.Signals) -> float:
        """Send a signal; return the seconds until everything that belongs to it has gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        wait_until(lambda: not speaking_of(self.data_dir))
        return time.monotonic() - began


def start(
    data_dir: Path,
    *,
    until: str = "both@skyline.example",
    as_nobody: bool = False,
    checkout: Path = ROOT,
    **over: str,
) -> Started:
    """Start it and wait until it has said `until`; as root also in the name of an ordinary user, whose folder it then is."""
    env = environment(data_dir, **over)
    command: list[Path | str] = [checkout / "bin" / "run"]
    if as_nobody and os.geteuid() == 0:
        data_dir.mkdir(exist_ok=True)
        os.chown(data_dir, NOBODY, NOBODY)
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        env["HOME"] = str(data_dir)
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if until in line:
            return Started(data_dir, int(env["PORT"]), process, "".join(lines))
    raise AssertionError("".join(lines))
