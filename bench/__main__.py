"""bin/bench: measure the main pages beside their floors, print a table, and fail where a target is missed."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path

from bench.table import as_markdown
from launcher import virtualenv
from launcher.checks import REQUIREMENTS, ROOT, cache_folder
from launcher.errors import LauncherError

FOR_LOCUST = "requirements-bench.txt"


def main() -> int:
    """Continue in the virtual environment and measure; 0 if every target was met or nothing was judged, else 1."""
    arguments = _arguments()
    if arguments.table:
        return _print_table(arguments.table)
    needed = REQUIREMENTS if shutil.which("wrk") else (*REQUIREMENTS, FOR_LOCUST)
    try:
        virtualenv.enter(ROOT, cache_folder() / "venv", needed, "bench")
        from bench.run import run

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # What was started is stopped on the way out.
        return run(arguments.size, arguments.pages, quick=arguments.quick, json_file=arguments.json)
    except LauncherError as error:
        return _refuse(str(error))


def _print_table(file: Path) -> int:
    """Print what was measured before; this needs nothing installed."""
    try:
        print(as_markdown(json.loads(file.read_text())))
    except (OSError, ValueError, KeyError) as error:
        return _refuse(f"{file} holds no numbers of bin/bench --json ({error}): measure again.")
    return 0


def _refuse(sentence: str) -> int:
    print(f"bin/bench: {sentence}", file=sys.stderr)
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure the main pages beside their floors.")
    parser.add_argument("--size", choices=("S", "M", "L"), default="S", help="how much `flask demo grow` writes first")
    parser.add_argument("--quick", action="store_true", help="few samples, a minute of work; judges nothing")
    parser.add_argument(
        "--pages", type=lambda text: text.split(","), help="only these, by their names in bench/pages.py"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    parser.add_argument("--table", type=Path, metavar="FILE", help="only print what --json wrote there, in Markdown")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
