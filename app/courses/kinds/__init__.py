"""The registry of step kinds: what a step's content must be, what of it is published, and what stays with the grader.

A kind is a module here or in `quizzes/kinds`, registered by the factory. Its template is included by the player with `step`,
the published step (`queries.StepContent`), and whatever else the player has.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from app.courses.rules import BadContent

__all__ = ["BadContent", "StepKind", "kind_of", "known_kinds", "register_kind"]


class StepKind:
    """One kind of step. `ends_by` says what makes the step done: reading it, or a passed grading.

    `icon` is a name of the sprite. `file_field` is the content's field that an import fills from the Markdown file which the
    step's `file` names; None if the kind has no file.
    """

    name: ClassVar[str]
    template: ClassVar[str]
    icon: ClassVar[str]
    ends_by: ClassVar[Literal["reading", "grading"]]
    file_field: ClassVar[str | None] = None

    def validate(self, content: dict[str, Any]) -> dict[str, Any]:
        """The content of a draft, with defaults filled in; raises BadContent with every fault and its place."""
        raise NotImplementedError

    def publish(self, content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Of valid content: what pages are given, rendered and sanitized, and the answer key (None where nothing is graded)."""
        raise NotImplementedError

    def words(self, content: dict[str, Any]) -> str:
        """Of valid content: the words search finds it by. Never what only the answer key may say."""
        raise NotImplementedError

    def parts(self, public: dict[str, Any]) -> dict[str, str]:
        """Of published content: the stable keys inside of it that answers refer to, each with its kind."""
        return {}


_kinds: dict[str, StepKind] = {}


def register_kind(kind: StepKind) -> None:
    """Make a kind known, under its name."""
    _kinds[kind.name] = kind


def kind_of(name: str) -> StepKind:
    """The kind of that name; raises KeyError for one that is not registered."""
    return _kinds[name]


def known_kinds() -> list[str]:
    """The names of all kinds, in the order in which they were registered."""
    return list(_kinds)
