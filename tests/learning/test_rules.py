"""Percentages, places and verdicts: pure computation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.learning.rules import asked_questions, first_open, percent_of, verdict_on

QUIZ = {
    "questions": [
        {
            "key": key,
            "kind": "single",
            "prompt_html": f"<p>{key}?</p>",
            "points": 1,
            "options": [{"key": "a", "text": "A"}, {"key": "b", "text": "B"}],
        }
        for key in ("one", "two")
    ]
}


@given(st.integers(0, 500), st.integers(0, 400))
def test_progress_stays_between_nothing_and_all(done: int, total: int) -> None:
    """Rounded up or to nearest, 199 of 200 steps would read 100 %; unbounded, 3 of 2 would read 150 %."""
    percent = percent_of(done, total)
    assert 0 <= percent <= 100
    assert (percent == 100) == (total > 0 and done >= total)


@pytest.mark.parametrize(("done", "key"), [((), "a"), (("a",), "b"), (("b",), "a"), (("a", "b"), "a")])
def test_a_lesson_is_entered_at_its_first_open_step(done: tuple[str, ...], key: str) -> None:
    assert first_open(["a", "b"], done) == key


def test_questions_are_put_in_the_order_that_was_stored() -> None:
    asked = asked_questions(QUIZ, [["two", ["b", "a"]], ["one", ["a", "b"]]], {"two": ["b"]})
    assert [(a.number, a.key) for a in asked] == [(1, "two"), (2, "one")]
    assert [option["key"] for option in asked[0].options] == ["b", "a"]
    assert [a.is_answered for a in asked] == [True, False]


def test_a_verdict_explains_an_option_to_those_who_chose_it() -> None:
    asked = asked_questions(QUIZ, [["one", ["a", "b"]]], {"one": ["b"]})[0]
    explained = {"correct": ["a"], "explanation_html": "<p>Why</p>", "why": {"a": "right", "b": "wrong"}}
    verdict = verdict_on(asked, explained, is_correct=False, earned=0)
    assert [(o.is_chosen, o.is_right, o.why) for o in verdict.options] == [(False, True, ""), (True, False, "wrong")]
