"""Grading: the stated policy, held for whatever quiz and whatever answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.quizzes.rules import Graded, grade_attempt, grade_question, most_points, shuffled_order

# Two cores are shared by many: a slow example is no fault.

Case = tuple[dict[str, Any], dict[str, Any], set[str]]


@st.composite
def cases(draw: st.DrawFn, kinds: tuple[str, ...] = ("single", "multiple")) -> Case:
    """A published question, its part of the key, and what somebody chose."""
    options = [f"o{n}" for n in range(draw(st.integers(2, 9)))]
    kind = draw(st.sampled_from(kinds))
    correct = draw(st.sets(st.sampled_from(options), min_size=1, max_size=1 if kind == "single" else None))
    question = {
        "key": "q",
        "kind": kind,
        "points": draw(st.integers(1, 100)),
        "options": [{"key": key, "text": key} for key in options],
    }
    chosen = draw(st.sets(st.sampled_from(options), max_size=1 if kind == "single" else None))
    return question, {"correct": sorted(correct)}, chosen


@given(cases())
def test_full_marks_are_for_exactly_the_key(case: Case) -> None:
    question, key, chosen = case
    graded = grade_question(question, key, chosen)
    assert (graded.points == question["points"]) == (chosen == set(key["correct"])) == graded.is_correct


@given(cases())
def test_points_lie_between_nothing_and_the_most_in_whole_hundredths(case: Case) -> None:
    question, key, chosen = case
    points = grade_question(question, key, chosen).points
    assert 0 <= points <= question["points"]
    assert points == round(points, 2)


@given(cases(("multiple",)), st.data())
def test_one_more_right_choice_never_costs_and_one_more_wrong_never_earns(case: Case, data: st.DataObject) -> None:
    question, key, chosen = case
    left = [option["key"] for option in question["options"] if option["key"] not in chosen]
    if not left:
        return
    more = data.draw(st.sampled_from(left))
    before, after = (grade_question(question, key, choice).points for choice in (chosen, chosen | {more}))
    assert after >= before if more in key["correct"] else after <= before


@given(cases(("multiple",)))
def test_choosing_everything_earns_nothing_unless_everything_is_right(case: Case) -> None:
    question, key, _chosen = case
    everything = {option["key"] for option in question["options"]}
    assert grade_question(question, key, everything).points == (
        question["points"] if everything == set(key["correct"]) else 0
    )


@given(cases(), st.randoms())
def test_the_order_and_repetition_of_choices_do_not_matter(case: Case, dice: Any) -> None:
    question, key, chosen = case
    listed = [*chosen, *chosen]
    dice.shuffle(listed)
    assert grade_question(question, key, listed) == grade_question(question, key, chosen)


def a_question(kind: str, points: int = 1, options: str = "abcd") -> dict[str, Any]:
    return {"key": "q", "kind": kind, "points": points, "options": [{"key": key, "text": key} for key in options]}


@pytest.mark.parametrize(
    ("kind", "correct", "chosen", "points"),
    [
        ("single", "a", "a", 1),
        ("single", "a", "b", 0),
        ("single", "a", "", 0),
        ("multiple", "ab", "ab", 1),
        ("multiple", "ab", "a", 0.5),
        ("multiple", "ab", "ac", 0),
        ("multiple", "ab", "abc", 0.5),
        ("multiple", "ab", "cd", 0),
        ("multiple", "ab", "", 0),
        ("multiple", "abc", "a", 0.33),
        ("multiple", "abc", "ab", 0.66),
        ("multiple", "abcd", "abc", 0.75),
        ("multiple", "a", "ab", 0.66),
    ],
)
def test_the_policy_in_numbers(kind: str, correct: str, chosen: str, points: float) -> None:
    assert grade_question(a_question(kind), {"correct": list(correct)}, list(chosen)) == Graded(
        points, set(correct) == set(chosen)
    )


def a_quiz(pass_percent: int, *points: int) -> tuple[dict[str, Any], dict[str, Any]]:
    questions = [{**a_question("multiple", worth, "abc"), "key": f"q{n}"} for n, worth in enumerate(points)]
    key = {"questions": {question["key"]: {"correct": ["a", "b", "c"]} for question in questions}}
    return {"pass_percent": pass_percent, "questions": questions}, key


def test_an_attempt_adds_its_questions_up_and_leaves_none_out() -> None:
    quiz, key = a_quiz(60, 1, 2)
    graded = grade_attempt(quiz, key, {"q0": ["a", "b", "c"], "of another quiz": ["a"]})
    assert (graded.points, graded.most_points, graded.passed) == (1, 3, False)
    assert graded.questions == {"q0": Graded(1, True), "q1": Graded(0, False)}
    assert most_points(quiz) == 3


@pytest.mark.parametrize(("pass_percent", "passed"), [(66, True), (67, False)])
def test_passing_counts_what_was_earned_without_rounding_up(pass_percent: int, passed: bool) -> None:
    """0.66 of one point is 66 percent, and not 67."""
    quiz, key = a_quiz(pass_percent, 1)
    assert grade_attempt(quiz, key, {"q0": ["a", "b"]}).passed is passed


def test_hundredths_add_up_exactly() -> None:
    """As binary fractions, three times 0.33 and 0.01 do not."""
    quiz, key = a_quiz(33, *[1] * 100)
    graded = grade_attempt(quiz, key, {f"q{n}": ["a"] for n in range(100)})
    assert (graded.points, graded.passed) == (33.0, True)


@given(st.text(max_size=20))
def test_a_shuffle_keeps_everything_and_repeats_itself(seed: str) -> None:
    quiz, _key = a_quiz(50, 1, 1, 1)
    order = shuffled_order(quiz, seed)
    assert [question for question, _options in order] == ["q0", "q1", "q2"]
    assert all(sorted(options) == ["a", "b", "c"] for _question, options in order)
    assert shuffled_order(quiz, seed) == order


def test_different_seeds_give_different_orders() -> None:
    quiz, _key = a_quiz(50, 1)
    assert len({tuple(shuffled_order(quiz, str(seed))[0][1]) for seed in range(60)}) == 6
