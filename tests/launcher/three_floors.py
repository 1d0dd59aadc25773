"""A stand with four programs on three floors under the real supervisor: `python -m tests.launcher.three_floors FOLDER`.

Each program writes its pid to FOLDER/<name>.pid when it starts and its name to FOLDER/stopped when it is asked to end.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from launcher import processes
from launcher.supervisor import Program, StopRequested, Supervisor

PROGRAM = """
import os, pathlib, signal, subprocess, sys
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def end(*_):
    with (folder / "stopped").open("a") as stopped: stopped.write(name + "\\n")
    if name != "stubborn": sys.exit(0)
signal.signal(signal.SIGTERM, end)
if name == "queue":
    helper = subprocess.Popen(["sleep", "300"])
    (folder / "helper.pid").write_text(str(helper.pid))
(folder / f"{name}.new").write_text(str(os.getpid()))
(folder / f"{name}.new").rename(folder / f"{name}.pid")
print(name, "is up", flush=True)
while True: signal.pause()
"""


def starter(folder: Path, name: str) -> Callable[[int], subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PROGRAM, str(folder), name]
    return lambda output: processes.spawn(command, output=output)


def main() -> None:
    folder = Path(sys.argv[1])
    try:
        with Supervisor(folder / "log") as supervisor:
            for floor, name in ((0, "base"), (1, "queue"), (2, "web"), (2, "stubborn")):
                program = supervisor.add(Program(name, starter(folder, name), floor, patience=0.3))
                supervisor.wait(program, (folder / f"{name}.pid").exists, seconds=10)
            print("all up", flush=True)
            supervisor.run()
    except StopRequested:
        print("all stopped", flush=True)


if __name__ == "__main__":
    main()
