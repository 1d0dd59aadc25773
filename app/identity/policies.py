"""Who may know of whom."""

from __future__ import annotations

from typing import Any

from app.foundation.actor import Actor
from app.foundation.permissions import sees
from app.identity.models import Membership


@sees(Membership)
def member_is_seen(actor: Actor, member: Any) -> bool:
    """Staff see everybody of their school, a learner themself."""
    return actor.membership_id == member.id or actor.roles != {"learner"}
