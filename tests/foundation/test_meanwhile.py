"""Two people change one thing at once: each keeps what they changed, and the second is told where it is the same."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.meanwhile import ChangedMeanwhile, changed_by, chosen_by

READ = {"name": "Instrument", "parent_id": None}


@pytest.mark.parametrize(
    ("typed", "now", "mine"),
    [
        (READ, READ, {}),
        ({**READ, "name": "IFR"}, READ, {"name": "IFR"}),
        ({**READ, "name": "IFR"}, {**READ, "parent_id": 7}, {"name": "IFR"}),
        ({**READ, "name": "IFR"}, {**READ, "name": "IFR"}, {"name": "IFR"}),
        (READ, {"name": "IFR", "parent_id": 7}, {}),
    ],
)
def test_what_differs_from_what_was_read_is_ones_own(typed: dict, now: dict, mine: dict) -> None:
    assert changed_by(typed, READ, now) == mine


def test_the_same_field_changed_otherwise_is_refused(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(ChangedMeanwhile) as raised:
        changed_by({**READ, "parent_id": 3}, READ, {**READ, "parent_id": 7})
    assert raised.value.fields == ["parent_id"]


def test_without_what_was_read_everything_counts() -> None:
    assert changed_by(READ, {}, {"name": "IFR", "parent_id": 7}) == READ


SETS = st.sets(st.sampled_from("abcde"))


@given(read=SETS, first=SETS, second=SETS)
def test_of_two_who_tick_boxes_each_keeps_theirs(read: set[str], first: set[str], second: set[str]) -> None:
    after_first = chosen_by(first, read, read)
    both = chosen_by(second, read, after_first)
    assert after_first == first
    for box in "abcde":
        changed = [box in chosen for chosen in (first, second) if (box in chosen) != (box in read)]
        assert (box in both) is (changed[-1] if changed else box in read)
    assert chosen_by(second, None, after_first) == second
