"""What a booking may be and become: lengths, activities, transitions. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

SHORTEST_MINUTES = 30
LONGEST_MINUTES = 180
STEP_MINUTES = 15
FURTHEST_AHEAD = timedelta(days=180)
LENGTHS = range(SHORTEST_MINUTES, LONGEST_MINUTES + 1, STEP_MINUTES)


class Activity(StrEnum):
    """What is done in the booked time."""

    DUAL_FLIGHT = "dual_flight"
    SIMULATOR = "simulator"
    GROUND = "ground"
    BRIEFING = "briefing"


CRAFT_NEEDED: dict[str, str] = {Activity.DUAL_FLIGHT: "aircraft", Activity.SIMULATOR: "simulator"}
"""The kind of resource without which an activity cannot be assigned; the others may have one or none."""

CRAFT_KINDS = ("aircraft", "simulator")

BECOMES: dict[str, frozenset[str]] = {
    "approved": frozenset({"requested"}),
    "assigned": frozenset({"requested", "approved"}),
    "completed": frozenset({"assigned"}),
    "declined": frozenset({"requested", "approved"}),
    "cancelled": frozenset({"requested", "approved", "assigned"}),
}
"""From which states each state is reached. What is not here is refused."""


def may_become(status: str, wanted: str) -> bool:
    """Whether a booking of this status may take on the wanted one."""
    return status in BECOMES[wanted]


def is_on_the_step(instant: datetime) -> bool:
    """Whether an instant is a quarter hour, at which bookings begin. Every zone's offset is a multiple of that."""
    return instant.minute % STEP_MINUTES == 0 and instant.second == 0 and instant.microsecond == 0


def instant_of(local: datetime, zone: str) -> datetime | None:
    """The UTC instant of a wall time in an IANA zone; None for one that the clocks skip. Of two, the earlier."""
    aware = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    instant = aware.astimezone(UTC)
    skipped = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local
    return None if skipped else instant


def escalation_due(since: datetime, starts_at: datetime, *, hours: int) -> datetime:
    """When a booking that has waited since an instant is told of: after the school's `hours`, and where it starts sooner than
    that helps, when half of the time until its start has passed.

    Half leaves as much time to decide as was let go by, however near the start is; an escalation at the start helps nobody.
    """
    return min(since + timedelta(hours=hours), since + max(starts_at - since, timedelta()) / 2)
