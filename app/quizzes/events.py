"""What happens to attempts."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class AttemptSubmitted(Event):
    """An attempt was handed in and graded. `passed` is 1 or 0."""

    attempt_id: int
    membership_id: int
    publication_id: int
    lesson_key: str
    step_key: str
    passed: int
