"""What happens in scheduling."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class AvailabilityChanged(Event):
    """The hours of a person changed: their week, or one day of it."""

    resource_id: int


@dataclass(frozen=True)
class BookingRequested(Event):
    """A learner asked for an hour. In these events `actor_id` is the membership of whoever did it, None for the system."""

    booking_id: int
    actor_id: int | None = None


@dataclass(frozen=True)
class BookingApproved(Event):
    """An admin said yes; instructor or aircraft may still be missing."""

    booking_id: int
    actor_id: int | None = None


@dataclass(frozen=True)
class BookingAssigned(Event):
    """The booking has its instructor and, where it needs one, its aircraft.

    `replaced_id` is the membership of the instructor who was firmly on it until now and is not any more.
    """

    booking_id: int
    actor_id: int | None = None
    replaced_id: int | None = None


@dataclass(frozen=True)
class BookingDeclined(Event):
    """An admin said no, with a reason."""

    booking_id: int
    actor_id: int | None = None


@dataclass(frozen=True)
class BookingCancelled(Event):
    """It will not take place after all; its hour is free."""

    booking_id: int
    actor_id: int | None = None


@dataclass(frozen=True)
class BookingCompleted(Event):
    """It took place."""

    booking_id: int
    actor_id: int | None = None


@dataclass(frozen=True)
class BookingEscalated(Event):
    """Nobody acted in time. `number` is 1 where it waits for approval, 2 where it waits for an assignment."""

    booking_id: int
    number: int
