"""How much `flask demo grow` writes at each size, and the names of what it makes."""

from __future__ import annotations

from dataclasses import dataclass

SLUG = "field-{number:03}"
ZONES = (
    "America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "Europe/London", "Europe/Oslo", "Africa/Nairobi",
    "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney",
)  # fmt: skip
PLACES = (
    "Alder", "Birch", "Cedar", "Dune", "Elm", "Fern", "Glen", "Heath", "Iris", "Juniper", "Kestrel", "Larch", "Maple", "North",
    "Oak", "Pine", "Quarry", "Ridge", "Spruce", "Thorn",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How many schools, and how much of everything each of them has. `courses_taken` is a learner's, `entries` the trail's."""

    schools: int
    people: int
    courses: int
    bookings: int
    courses_taken: int
    steps_done: int
    entries: int

    @property
    def instructors(self) -> int:
        return max(5, self.people // 20)


SIZES = {
    "S": Size(schools=2, people=300, courses=30, bookings=1_000, courses_taken=3, steps_done=3_000, entries=3_000),
    "M": Size(schools=20, people=500, courses=30, bookings=1_000, courses_taken=3, steps_done=5_000, entries=5_000),
    "L": Size(schools=200, people=100, courses=15, bookings=1_000, courses_taken=10, steps_done=5_000, entries=1_000),
    "wide": Size(schools=200, people=100, courses=1, bookings=100, courses_taken=1, steps_done=100, entries=500),
}
"""S and M are like schools of one size, two and twenty of them; L is many small ones: what it grows is the tables.

"wide" has the schools and people of L, trails as long as the demo's, and little else: it grows in a fraction of the time.
"""


def school_name(number: int) -> str:
    """The name of the school of a number, counted from 1."""
    place = PLACES[(number - 1) % len(PLACES)]
    return (
        f"{place} Field {1 + (number - 1) // len(PLACES)} Academy" if number > len(PLACES) else f"{place} Field Academy"
    )
