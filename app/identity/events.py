"""What happens to people, for the floors above."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class JoinRequested(Event):
    """A person with a confirmed e-mail waits for an admin to let them in."""

    membership_id: int


@dataclass(frozen=True)
class MemberInvited(Event):
    membership_id: int


@dataclass(frozen=True)
class MemberJoined(Event):
    """An invited person came in."""

    membership_id: int


@dataclass(frozen=True)
class ProfileChanged(Event):
    """A name or another fact about a person is not what it was."""

    membership_id: int


@dataclass(frozen=True)
class MemberErased(Event):
    membership_id: int
