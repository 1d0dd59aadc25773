"""The tests' own measure of seconds: a busy machine excuses some delay, never any."""

from __future__ import annotations

import pytest

from tests.pace import MOST_SHARED, check_seconds, slowdown


@pytest.mark.parametrize(("took", "shared"), [(0.9, 1.0), (1.9, 2.0), (0.9, 50.0)])
def test_what_is_quick_enough_for_the_machine_passes(took: float, shared: float) -> None:
    check_seconds(took, limit=1.0, shared=shared)


@pytest.mark.parametrize(("took", "shared"), [(1.1, 1.0), (2.1, 2.0), (3.1, MOST_SHARED)])
def test_what_is_too_slow_fails(took: float, shared: float) -> None:
    with pytest.raises(AssertionError, match="on a machine shared"):
        check_seconds(took, limit=1.0, shared=shared)


def test_on_a_machine_that_is_shared_too_much_it_is_reported_and_does_not_pass() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"4\.0 s instead of 1\.0 s, on a machine shared 9\.0 ways"):
        check_seconds(4.0, limit=1.0, shared=9.0)


def test_a_machine_is_never_faster_than_alone() -> None:
    assert slowdown() >= 1.0
