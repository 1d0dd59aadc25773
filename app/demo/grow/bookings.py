"""The bookings of a grown school: which hours are taken by whom, so that no two firm claims ever overlap. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKS_BACK, WEEKS_AHEAD = 20, 3
SLOTS = (9 * 60, 10 * 60 + 45, 13 * 60, 14 * 60 + 45)
"""Minutes after midnight, school time, at which bookings begin."""
LENGTHS = (60, 90)
PAST = ("completed",) * 17 + ("cancelled", "declined", "cancelled")
COMING = ("assigned",) * 9 + ("requested",) * 6 + ("approved",) * 3 + ("cancelled", "declined")
CLAIM_STATES = {
    "requested": "soft", "approved": "firm", "assigned": "firm", "completed": "firm", "declined": "released",
    "cancelled": "released",
}  # fmt: skip
ESCALATES_AFTER = timedelta(hours=4)


@dataclass(frozen=True)
class School:
    """A grown school. People are (membership, resource), aircraft (resource, name)."""

    tenant: int
    zone: str
    admins: list[int]
    learners: list[tuple[int, int]]
    instructors: list[tuple[int, int]]
    aircraft: list[tuple[int, str]]


@dataclass(frozen=True)
class Booked:
    """One booking as its columns, its claims and its notifications need it."""

    now: datetime
    learner: int
    instructor: int
    craft: str
    takes: tuple[tuple[str, int], ...]
    status: str
    starts_at: datetime
    ends_at: datetime
    requested_at: datetime
    decided_by: int

    @property
    def claim_state(self) -> str:
        return CLAIM_STATES[self.status]

    @property
    def during(self) -> str:
        return f"[{self.starts_at.isoformat()},{self.ends_at.isoformat()})"

    @property
    def columns(self) -> tuple[Any, ...]:
        """learner_id to escalated_at, in the order in which the booking is copied."""
        was_approved = self.status in {"approved", "assigned", "completed"}
        was_assigned = self.status in {"assigned", "completed"}
        return (
            self.learner, self.status, self.starts_at, self.ends_at, "", dict(self.takes)["instructor"], self.requested_at,
            self._after(2) if was_approved else None, self._after(3) if was_assigned else None, self._ended_at,
            None if self.status == "requested" else self.decided_by, self._reason, int(self.escalated_at is not None),
            self.escalated_at,
        )  # fmt: skip

    @property
    def told_as(self) -> str:
        """What the learner was told of last, "" if nothing has been decided."""
        return {"requested": "", "completed": "assigned"}.get(self.status, self.status)

    @property
    def told_at(self) -> datetime:
        return self._after(3)

    @property
    def escalated_at(self) -> datetime | None:
        due = self.requested_at + ESCALATES_AFTER
        return due if self.status == "requested" and due <= self.now else None

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "learner_id": self.learner, "instructor_id": self.instructor, "aircraft": self.craft,
            "starts_at": self.starts_at.isoformat(), "ends_at": self.ends_at.isoformat(), "reason": self._reason,
            "waits_for": "approval",
        }  # fmt: skip

    @property
    def _reason(self) -> str:
        return {"declined": "The hangar is closed that day.", "cancelled": "Cannot make it."}.get(self.status, "")

    @property
    def _ended_at(self) -> datetime | None:
        if self.status == "completed":
            return self.ends_at
        return self._after(3) if self.status in {"declined", "cancelled"} else None

    def _after(self, hours: int) -> datetime:
        """Some hours after the request, though never in what is still to come."""
        return min(self.requested_at + timedelta(hours=hours), self.now)


def bookings_of(school: School, count: int, now: datetime) -> Iterator[Booked]:
    """`count` bookings spread evenly over the weekdays around today, oldest first.

    On one day each learner is booked once at most, and in one slot each instructor and each aircraft.
    """
    zone = ZoneInfo(school.zone)
    days = weekdays_around(now.astimezone(zone).date())
    for number in range(count):
        day = number * len(days) // count
        nth = number - -(-day * count // len(days))  # How many came before it on its day.
        yield _booking(school, number, nth, day, days[day], now)


def weekdays_around(today: date) -> list[date]:
    """Monday to Friday of the weeks around today."""
    monday = today - timedelta(days=today.weekday())
    weeks = range(-WEEKS_BACK, WEEKS_AHEAD + 1)
    return [monday + timedelta(weeks=week, days=weekday) for week in weeks for weekday in range(5)]


def _booking(school: School, number: int, nth: int, day_number: int, day: date, now: datetime) -> Booked:
    slot, rank = nth % len(SLOTS), nth // len(SLOTS)
    if rank >= min(len(school.instructors), len(school.aircraft)) or nth >= len(school.learners):
        raise ValueError("more bookings a day than people and aircraft have hours")
    learner, learner_resource = school.learners[(day_number * 31 + nth) % len(school.learners)]
    instructor, instructor_resource = school.instructors[(day_number + rank) % len(school.instructors)]
    craft_resource, craft = school.aircraft[(2 * day_number + rank) % len(school.aircraft)]
    minute = SLOTS[slot]
    starts_at = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(school.zone)).astimezone(UTC)
    ends_at = starts_at + timedelta(minutes=LENGTHS[number % len(LENGTHS)])
    status = (PAST[number * 7 % len(PAST)]) if ends_at < now else COMING[number * 7 % len(COMING)]
    takes = [("learner", learner_resource), ("instructor", instructor_resource)]
    if status in {"assigned", "completed"}:
        takes.append(("aircraft", craft_resource))
    asked = starts_at - timedelta(days=5)
    if asked > now or status == "requested":
        asked = min(asked, now - timedelta(hours=1 + number % 12))
    return Booked(
        now=now,
        learner=learner,
        instructor=instructor,
        craft=craft if status in {"assigned", "completed"} else "",
        takes=tuple(takes),
        status=status,
        starts_at=starts_at,
        ends_at=ends_at,
        requested_at=asked,
        decided_by=school.admins[number % len(school.admins)],
    )
