"""What tests that measure seconds know of the machine: how fast it is just now, with all that wants its processors."""

from __future__ import annotations

import subprocess
import sys

import pytest

MOST_SHARED = 3.0
"""On a machine that is slower than this, or shared more, seconds say nothing of the product."""
COUNTS = 3_000_000
COUNTED_IN = 0.1
"""Seconds: what a core of some three gigahertz takes to count that far, with nothing else to do."""
SPIN = f"import time; b = time.perf_counter()\nfor _ in range({COUNTS}): pass\nprint((time.perf_counter() - b) / {COUNTED_IN})"


def slowdown() -> float:
    """How many times as long two processes take here, each with the same work, as on a core of their own: 1 or more."""
    both = [subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return max(1.0, *(float(one.communicate(timeout=60)[0]) for one in both))


def check_seconds(took: float, *, limit: float, shared: float) -> None:
    """Hold what took so long to its limit on a machine of its own; on a shared one to as many times that.

    Say it last in a test. On a machine that is shared too much, what took longer than the limit is reported as skipped.
    """
    if took >= limit and shared > MOST_SHARED:
        pytest.skip(
            f"{took:.1f} s instead of {limit:.1f} s, on a machine shared {shared:.1f} ways: it may be either's fault"
        )
    assert took < limit * min(shared, MOST_SHARED), f"{took:.1f} s, on a machine shared {shared:.1f} ways"
