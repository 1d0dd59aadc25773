"""What happens in scheduling."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class AvailabilityChanged(Event):
    """The hours of a person changed: their week, or one day of it."""

    resource_id: int
