"""How far a person is, and what their answers look like before and after grading. Pure computation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


def percent_of(done: int, total: int) -> int:
    """Progress in whole percent, 0–100: rounded down, so that 100 means all, and never over."""
    return min(100, 100 * done // total) if total else 0


def first_open(keys: Sequence[str], done: Collection[str]) -> str:
    """Where to go on among the step keys of a lesson: the first that is not done, else the first."""
    return next((key for key in keys if key not in done), keys[0])


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of an attempt as it is put: `options` in the stored order, `chosen` the option keys picked so far."""

    number: int
    key: str
    kind: str
    prompt_html: str
    points: int
    options: tuple[dict[str, str], ...]
    chosen: tuple[str, ...]

    @property
    def is_answered(self) -> bool:
        return bool(self.chosen)


@dataclass(frozen=True, slots=True)
class MarkedOption:
    """One option afterwards: whether it was chosen and whether it is right; `why` only where it was chosen."""

    text: str
    is_chosen: bool
    is_right: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question afterwards: what was chosen, what is right, and why. `earned` is in the question's points."""

    asked: Asked
    is_correct: bool
    earned: float
    options: tuple[MarkedOption, ...]
    explanation_html: str


def asked_questions(
    quiz: Mapping[str, Any], order: Sequence[Sequence[Any]], chosen: Mapping[str, Sequence[str]]
) -> list[Asked]:
    """The questions of a published quiz in an attempt's order: `[[question key, [option key, …]], …]`."""
    questions = {question["key"]: question for question in quiz["questions"]}
    asked = []
    for number, (key, option_keys) in enumerate(order, start=1):
        question = questions[key]
        options = {option["key"]: option for option in question["options"]}
        asked.append(
            Asked(
                number, key, question["kind"], question["prompt_html"], question["points"],
                tuple(options[option_key] for option_key in option_keys), tuple(chosen.get(key, ())),
            )
        )  # fmt: skip
    return asked


def verdict_on(asked: Asked, explained: Mapping[str, Any], *, is_correct: bool, earned: float) -> Verdict:
    """A graded question with its part of the answer key: `{correct, explanation_html, why}`."""
    options = tuple(
        MarkedOption(
            option["text"], option["key"] in asked.chosen, option["key"] in explained["correct"],
            explained["why"].get(option["key"], "") if option["key"] in asked.chosen else "",
        )
        for option in asked.options
    )  # fmt: skip
    return Verdict(asked, is_correct, earned, options, explained["explanation_html"])
