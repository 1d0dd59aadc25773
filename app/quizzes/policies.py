"""Who may know of an attempt."""

from __future__ import annotations

from typing import Any

from app.foundation.actor import Actor
from app.foundation.permissions import sees
from app.quizzes.models import Attempt


@sees(Attempt)
def attempt_is_seen(actor: Actor, attempt: Any) -> bool:
    """Nobody but the person whose attempt it is."""
    return actor.membership_id == attempt.membership_id
