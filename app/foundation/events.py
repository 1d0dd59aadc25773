"""Events: what happened, announced in the past tense in the transaction in which it happened.

`announce(BookingApproved(booking_id=7))` writes an outbox row. A reaction of a higher floor says
`@reacts_to(BookingApproved)`; the relay turns the row into one job for each reaction, and a worker runs those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from app.foundation import queue, tenancy
from app.foundation.db import session
from app.foundation.logs import correlation_id
from app.foundation.models import OutboxEvent

E = TypeVar("E", bound="Event")


@dataclass(frozen=True)
class Event:
    """The base of all events. Fields are ids and short codes (int, str or None), never content."""


_reactions: dict[str, dict[str, tuple[type[Event], Callable[[Any], object]]]] = {}


def announce(event: Event) -> None:
    """Write the event to the outbox of the school in force and wake the relay after the commit."""
    tenant = tenancy.required()
    session.add(
        OutboxEvent(
            tenant_id=tenant.id, name=type(event).__name__, payload=asdict(event), correlation_id=correlation_id()
        )
    )
    queue.nudge(tenant.id)


def reacts_to(kind: type[E]) -> Callable[[Callable[[E], object]], Callable[[E], object]]:
    """Mark a reaction: it runs in a job of its own, at least once, inside the school of the event."""

    def mark(reaction: Callable[[E], object]) -> Callable[[E], object]:
        name = f"{reaction.__module__.removeprefix('app.')}.{reaction.__name__}"
        _reactions.setdefault(kind.__name__, {})[name] = (kind, reaction)
        return reaction

    return mark


def reactions_to(event_name: str) -> list[str]:
    """The names of the reactions to an event."""
    return list(_reactions.get(event_name, ()))


def react(event_name: str, reaction_name: str, payload: dict[str, Any]) -> None:
    """Run one reaction. A field that an older outbox row lacks takes the event's default."""
    kind, reaction = _reactions[event_name][reaction_name]
    known = {field.name for field in fields(kind)}
    reaction(kind(**{key: value for key, value in payload.items() if key in known}))
