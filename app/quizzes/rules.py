"""Grading and shuffling: pure computation.

The policy, which pages state: a single choice is right or wrong. Of a multiple choice each right option chosen earns its share
of the question's points, and each wrong one costs its share, so that choosing everything earns nothing; never below zero,
rounded down to 0.01 points.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

CENTS = 100
"""Points are computed in whole hundredths, so that no sum is off by a rounding error."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What one question earned."""

    points: float
    is_correct: bool


@dataclass(frozen=True, slots=True)
class AttemptGraded:
    """What an attempt earned. `questions` has every question of the quiz by its key."""

    points: float
    most_points: float
    passed: bool
    questions: dict[str, Graded]


def grade_attempt(
    quiz: Mapping[str, Any], key: Mapping[str, Any], answers: Mapping[str, Collection[str]]
) -> AttemptGraded:
    """Grade the answers (question key → chosen option keys) to a published quiz; one left out earns nothing.

    `quiz` is the public content, `key` its answer key. Passed is to have at least `pass_percent` of all points, unrounded.
    """
    graded = {
        question["key"]: grade_question(question, key["questions"][question["key"]], answers.get(question["key"], ()))
        for question in quiz["questions"]
    }
    earned = sum(round(one.points * CENTS) for one in graded.values())
    most = sum(question["points"] for question in quiz["questions"]) * CENTS
    return AttemptGraded(earned / CENTS, most / CENTS, earned * 100 >= quiz["pass_percent"] * most, graded)


def grade_question(question: Mapping[str, Any], key: Mapping[str, Any], chosen: Collection[str]) -> Graded:
    """Grade what was chosen (option keys) for one published question by its part of the answer key."""
    picked, correct = set(chosen), set(key["correct"])
    is_correct = picked == correct
    most = question["points"] * CENTS
    if question["kind"] == "single":
        return Graded((most if is_correct else 0) / CENTS, is_correct)
    wrong = {option["key"] for option in question["options"]} - correct
    return Graded(_share(most, picked, correct, wrong) / CENTS, is_correct)


def _share(most: int, picked: set[str], correct: set[str], wrong: set[str]) -> int:
    """Hundredths of points: most × (right chosen / right − wrong chosen / wrong), rounded down, never below zero."""
    all_wrong = len(wrong) or 1
    earned = len(picked & correct) * all_wrong - len(picked & wrong) * len(correct)
    return max(0, most * earned // (len(correct) * all_wrong))


def most_points(quiz: Mapping[str, Any]) -> int:
    """The points of a whole quiz."""
    return sum(question["points"] for question in quiz["questions"])


def shuffled_order(quiz: Mapping[str, Any], seed: str) -> list[list[Any]]:
    """`[[question key, [option key, …]], …]`: the author's order of questions, the options of each shuffled.

    The same seed gives the same order on every machine. The order is stored with the attempt and never computed again.
    """
    dice = random.Random(seed)  # noqa: S311 — nobody gains by guessing an order
    return [
        [question["key"], dice.sample(options, len(options))]
        for question in quiz["questions"]
        for options in [[option["key"] for option in question["options"]]]
    ]
