"""What tests measure, for the log: pytest hides what a passing test prints, and xdist what any test does.

    measured(f"seed: {took:.1f} s")

The lines stand under "measured" at the end of the run, each after the test that wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

NAME = "measured"
_running: list[pytest.Item] = []


def measured(words: str) -> None:
    """Note a number, with what it is of, for the end of the log."""
    _running[-1].user_properties.append((NAME, words))


def begin(item: pytest.Item) -> None:
    """From now on this is the test that measures."""
    _running[:] = [item]


def lines_of(reports: Iterable[object]) -> Iterator[str]:
    """What the tests of these reports measured, by test. A report travels from xdist's workers with its properties."""
    called = [report for report in reports if isinstance(report, pytest.TestReport) and report.when == "call"]
    for report in sorted(called, key=lambda report: report.nodeid):
        yield from (f"{report.nodeid}: {words}" for name, words in report.user_properties if name == NAME)
