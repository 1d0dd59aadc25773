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
class MemberAdded(Event):
    """A person is in without having been asked; they get a link to choose a password."""

    membership_id: int


@dataclass(frozen=True)
class MemberJoined(Event):
    """An invited person came in."""

    membership_id: int


@dataclass(frozen=True)
class MemberApproved(Event):
    """An admin let in a person who asked to join."""

    membership_id: int


@dataclass(frozen=True)
class MemberDeclined(Event):
    """An admin did not let in a person who asked to join."""

    membership_id: int


@dataclass(frozen=True)
class MemberSuspended(Event):
    """A person's access is suspended until somebody reinstates them."""

    membership_id: int


@dataclass(frozen=True)
class MemberReinstated(Event):
    membership_id: int


@dataclass(frozen=True)
class RolesChanged(Event):
    """A person may do more or less than before."""

    membership_id: int


@dataclass(frozen=True)
class ProfileChanged(Event):
    """A name or another fact about a person is not what it was. `fields` names which, by commas."""

    membership_id: int
    fields: str = ""


@dataclass(frozen=True)
class MemberErased(Event):
    membership_id: int


@dataclass(frozen=True)
class ErasureRequested(Event):
    """A person asks their school's admins to erase them. `day` is the ordinal of the day: once a day it is news."""

    membership_id: int
    day: int


@dataclass(frozen=True)
class ActedAs(Event):
    """Somebody else acts as a person for a while; the person is told. `by_id` is None where it is an operator of the platform."""

    membership_id: int
    by_id: int | None
    session_id: int
    until: str
