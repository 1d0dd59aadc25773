"""bin/test: style, types, import rules, tests with the coverage gate, and the audit of what is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launcher import browser, virtualenv
from launcher.errors import LauncherError

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
AUDIT_TIMEOUT = 120.0  # seconds


def main() -> int:
    """Run every stage, or pytest alone with the arguments given; return the exit code."""
    arguments = sys.argv[1:]
    if "--long" in arguments:
        arguments.remove("--long")
        os.environ["GROUNDSCHOOL_LONG"] = "1"
    try:
        virtualenv.enter(ROOT, cache_folder() / "venv", REQUIREMENTS, "launcher.checks")
        found = browser.find()
    except LauncherError as error:
        print(f"bin/test: {error}", file=sys.stderr)
        return 1
    if found:
        os.environ["CHROMIUM"] = str(found)
    if arguments:
        return _call([*_python("pytest"), *arguments])
    report = Report()
    for name, stage in _stages(found is not None):
        report.run(name, stage)
    return report.close()


@dataclass(frozen=True)
class Outcome:
    """How a stage ended. `skipped` says what it could not check, and why."""

    passed: bool
    skipped: str = ""


@dataclass
class Report:
    """What the stages came to."""

    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def run(self, name: str, stage: Callable[[], Outcome]) -> None:
        """Run one stage and note its seconds."""
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        outcome = stage()
        word = "passed" if outcome.passed else "FAILED"
        if outcome.skipped:
            self.skipped.append(f"{name}: {outcome.skipped}")
            word = "passed, but for what was skipped"
        if not outcome.passed:
            self.failed.append(name)
            word = "FAILED"
        self.lines.append(f"{name:<8} {time.monotonic() - began:7.1f} s  {word}")
        print(self.lines[-1], flush=True)

    def close(self) -> int:
        """Print the summary and return the exit code."""
        print("\n== summary")
        print("\n".join(self.lines))
        print(f"{'in all':<8} {time.monotonic() - self.started:7.1f} s")
        print(f"skipped checks: {len(self.skipped)}")
        for what in self.skipped:
            print(f"  {what}")
        print(f"failed: {', '.join(self.failed)}" if self.failed else "everything that ran has passed")
        return 1 if self.failed else 0


def _stages(has_browser: bool) -> list[tuple[str, Callable[[], Outcome]]]:
    return [
        ("style", _style),
        ("types", lambda: _all([_python("mypy")])),
        ("imports", lambda: _all([[_tool("lint-imports")]])),
        ("tests", lambda: _tests(has_browser)),
        ("audit", _audit),
    ]


def _style() -> Outcome:
    return _all(
        [
            [*_python("ruff"), "format", "--check", "."],
            [*_python("ruff"), "check", "."],
            [*_python("djlint"), "templates", "--check"],
            [*_python("djlint"), "templates", "--lint", "--quiet"],
        ]
    )


def _tests(has_browser: bool) -> Outcome:
    """Run pytest on both cores; the floor of the coverage stands in pyproject.toml."""
    command = [*_python("pytest"), "-n", "2", "--dist", "worksteal", "-rs", "--cov", "--cov-report=term"]
    if not has_browser:
        command += ["-m", "not journey"]
    skipped = "" if has_browser else "browser journeys, because no Chromium is to be had here"
    return Outcome(_call(command) == 0, skipped)


def _audit() -> Outcome:
    """Ask pip-audit about each pinned version. Where its list is out of reach, say so and fail nothing."""
    command = [*_python("pip_audit"), "-r", str(ROOT / "requirements.txt"), "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=AUDIT_TIMEOUT, check=False)
        findings = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return Outcome(True, "the list of known weaknesses cannot be reached from here, so nothing was audited")
    packages = findings["dependencies"]
    weak = [package for package in packages if package.get("vulns")]
    unaudited = [package["name"] for package in packages if "skip_reason" in package]
    for package in weak:
        names = ", ".join(weakness["id"] for weakness in package["vulns"])
        print(f"{package['name']} {package['version']}: {names}")
    if unaudited:
        return Outcome(
            not weak, f"{len(unaudited)} of {len(packages)} packages are not in the list that could be reached"
        )
    return Outcome(not weak)


def _all(commands: Sequence[Sequence[str]]) -> Outcome:
    """Run every command, whatever the others say."""
    codes = [_call(command) for command in commands]
    return Outcome(not any(codes))


def _call(command: Sequence[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def cache_folder() -> Path:
    """Where the virtual environment goes if the checkout cannot be written to."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "groundschool"


if __name__ == "__main__":
    sys.exit(main())
