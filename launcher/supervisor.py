"""A small supervisor: it runs programs side by side, starts again what dies, and stops all of them in order.

One thread and one loop, which wakes for a line of output, for the end of a child, for a signal, and when a pause ends.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launcher import processes
from launcher.errors import LauncherError
from launcher.logbook import Logbook

STEADY = 60.0  # seconds; who has run this long starts again at once when it dies
LONGEST_PAUSE = 30.0  # seconds between two starts of a program that keeps dying
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """Ctrl-C, SIGTERM, or the terminal has closed."""


@dataclass(eq=False)
class Program:
    """One program to keep running. `start` gets the writing end of a pipe for its output and returns the process.

    `patience` is the seconds between the first stop signal and the second; a second later the group is killed.
    `floor` orders the stop: all programs of a higher floor are gone before a lower one is asked. Until it is `proven`
    its end is a failed start, after that it is started again; `once` marks a task, whose end is its purpose. Of a `quiet`
    one the terminal shows nothing, its log all.
    """

    name: str
    start: Callable[[int], subprocess.Popen[bytes]]
    floor: int
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 4.0
    proven: bool = False
    once: bool = False
    quiet: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = field(default=float("inf"))
    pause: float = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None

    def die(self, now: float) -> float:
        """Note the end of the process, choose when to start again, and return the pause in seconds until then."""
        self.process = None
        if now - self.started >= STEADY:
            self.pause = 0.0
        self.due = max(now + self.pause, self.started + 1.0)
        self.pause = min(max(2 * self.pause, 1.0), LONGEST_PAUSE)
        return self.due - now


class Supervisor:
    """Use as a context: leaving it stops everything, whatever the reason."""

    def __init__(self, log_folder: Path) -> None:
        self.log_folder = log_folder
        self.programs: list[Program] = []
        self.logs: dict[str, Logbook] = {}
        self.requests = 0
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._wake = os.pipe()

    def __enter__(self) -> Supervisor:
        for end in (self._wakeup, self._wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop_signal)
        self._selector.register(self._wakeup, selectors.EVENT_READ, None)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()
        for book in self.logs.values():
            book.close()

    def add(self, program: Program) -> Program:
        """Start a program and keep it running from now on."""
        self.programs.append(program)
        self._start(program)
        return program

    def wait(self, program: Program, ready: Callable[[], bool], *, seconds: float) -> None:
        """Tend everything until `ready()`. Raises LauncherError if the program ends first or the time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not program.running:
                raise LauncherError(f"{program.name} ended while it was starting.{self._last_words(program)}")
            if time.monotonic() > deadline:
                raise LauncherError(f"{program.name} did not answer within {seconds:.0f} s.{self._last_words(program)}")
            self._turn(0.03)
        program.proven = True

    def run_once(self, task: Program, *, seconds: float) -> None:
        """Run a program to its end while tending the others. Raises LauncherError if it fails."""
        child = self.add(task).process
        assert child is not None
        deadline = time.monotonic() + seconds
        while task.running:
            if time.monotonic() > deadline:
                raise LauncherError(f"{task.name} took longer than {seconds:.0f} s.{self._last_words(task)}")
            self._turn(0.5)
        self.programs.remove(task)
        if child.returncode:
            raise LauncherError(f"{task.name} failed.{self._last_words(task)}")

    def run(self) -> None:
        """Tend the programs until StopRequested."""
        for program in self.programs:
            program.proven = True
        while True:
            due = min(program.due for program in self.programs)
            self._turn(max(0.0, min(due - time.monotonic(), 3600.0)))

    def _turn(self, seconds: float) -> None:
        """One turn of the loop: wait at most `seconds` for something, then see to it."""
        self._wait_for_events(seconds)
        self._bury_the_dead()
        if self.requests:
            raise StopRequested
        self._start_what_is_due()

    def _start(self, program: Program) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        program.started, program.due = time.monotonic(), float("inf")
        try:
            program.process = program.start(writing)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        book = self.logs.get(program.name)
        if book is None:
            book = self.logs[program.name] = Logbook(program.name, self.log_folder, quiet=program.quiet)
        self._selector.register(reading, selectors.EVENT_READ, book)

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for program in self.programs:
            if not program.running and program.due <= now:
                try:
                    self._start(program)
                except (LauncherError, OSError) as error:
                    self._note(program, f"cannot be started: {error}")
                    program.die(time.monotonic())

    def _wait_for_events(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 4096)
            elif not key.data.copy_from(key.fd):
                self._selector.unregister(key.fd)
                os.close(key.fd)

    def _bury_the_dead(self) -> None:
        for program in self.programs:
            if program.process is None or (code := processes.reap(program.process)) is None:
                continue
            pause = program.die(time.monotonic())
            if program.once:
                program.due = float("inf")
            elif not program.proven:
                program.due = float("inf")
                self._note(program, f"ended ({_ending(code)}) before it was ready")
            elif not self.requests:
                self._note(program, f"ended ({_ending(code)}); starting it again {_in_words(pause)}")

    def _stop_all(self) -> None:
        self.requests = max(self.requests, 1)
        for floor in sorted({program.floor for program in self.programs}, reverse=True):
            self._stop_floor([program for program in self.programs if program.floor == floor and program.running])
        self._wait_for_events(0)

    def _stop_floor(self, programs: Sequence[Program]) -> None:
        """Ask, ask again when patience ends (or a second Ctrl-C comes), then kill what is left."""
        hurried = self.requests
        for program in programs:
            self._ask(program)
        asked = time.monotonic()
        again: set[Program] = set()
        while waiting := [program for program in programs if program.running]:
            self._wait_for_events(0.02)
            self._bury_the_dead()
            passed = time.monotonic() - asked
            for program in waiting:
                patience = program.patience if self.requests == hurried else 0.0
                if program not in again and passed > patience:
                    again.add(program)
                    self._ask(program)
                elif program.process and passed > patience + 1.0:
                    processes.kill_group(program.process)

    def _ask(self, program: Program) -> None:
        if program.process:
            processes.ask(program.process, program.stop_signal)

    def _on_stop_signal(self, number: int, _frame: object) -> None:
        self.requests += 1

    def _note(self, program: Program, words: str) -> None:
        self.logs[program.name].note(f"{program.name} {words}.")

    def _last_words(self, program: Program) -> str:
        self._wait_for_events(0.05)
        book = self.logs[program.name]
        return f" Its log is {book.path}."


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _in_words(seconds: float) -> str:
    return "at once" if seconds <= 0.05 else f"in {seconds:.0f} s" if seconds >= 1 else "in a moment"
