"""Pure computation of the demo: the text of a mail as safe HTML, and the bookings of a week."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from markupsafe import Markup, escape

from app.demo.cast import BOTH, FLEET, SCHOOLS, TEACHING
from app.foundation.permissions import Role

ADDRESS = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")


def with_links(text: str) -> Markup:
    """Plain text, escaped, in which each http or https address can be clicked."""
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        parts += [escape(text[end : found.start()]), _link(found.group())]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _link(address: str) -> Markup:
    return Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>').format(address)


# -- the bookings of a week ----------------------------------------------------------------------------------------

LENGTHS = (60, 60, 90, 90, 120)
BREAKS = (0, 15, 15, 30)
FULLNESS = 0.62
LEAST_LESSONS = 2
KEPT, ASKED_FOR, NOT_SET = 0.6, 0.78, 0.88
"""Dice by which a lesson takes place, is asked for, and lacks its aircraft (or, when past, was cancelled); see fate_of."""
LENT = frozenset({*(f"learner@{slug}.example" for slug in SCHOOLS), BOTH})
NOTES = (
    "",
    "",
    "",
    "Steep turns and stalls",
    "Crosswind landings",
    "First radio calls",
    "Check ride is in three weeks",
)
REASONS = {
    "cancelled": ("Ill today", "Low cloud all day", "Cannot get away from work"),
    "declined": ("No aircraft is free then", "The instructor is away that day"),
}


@dataclass(frozen=True)
class Planned:
    """A booking to be seeded: a local start, people by e-mail, a craft by name (or none), and a die for its fate, 0 to 1."""

    starts: datetime
    minutes: int
    learner: str
    instructor: str
    craft: str | None
    activity: str
    note: str
    die: float


def plan_week(slug: str, monday: date) -> list[Planned]:
    """The bookings of a school's week: always the same for a school and a week, and none collides with another.

    Instructors teach within their weekly hours, a learner has one booking a day at most, and nothing flies twice at once.
    On each of their days an instructor has a lesson that is kept, in each week somebody asks for them, and the learners
    whom the README lends to everybody fly once a week.
    """
    dice = Random(f"{slug}/{monday.isoformat()}")  # noqa: S311 — a demo's dice
    learners = [person.email for person in SCHOOLS[slug].people if person.roles == (Role.LEARNER,)]
    flying: list[tuple[str, datetime, datetime]] = []
    planned: list[Planned] = []
    for day in (monday + timedelta(days=n) for n in range(7)):
        waiting = dice.sample(learners, len(learners))
        for instructor, start, minutes in _lessons(slug, day, dice):
            activity, craft = _what_flies(slug, start, minutes, flying, dice)
            planned.append(
                Planned(start, minutes, waiting.pop(), instructor, craft, activity, dice.choice(NOTES), dice.random())
            )
    return _for_everybody(slug, planned)


def _for_everybody(slug: str, planned: list[Planned]) -> list[Planned]:
    """The same week with something in it for each of the people whose password is printed."""
    firsts: dict[tuple[str, date], int] = {}
    asked_for: dict[str, int] = {}
    for place, one in enumerate(planned):
        if firsts.setdefault((one.instructor, one.starts.date()), place) != place:
            asked_for[one.instructor] = place
    for place in asked_for.values():
        planned[place] = replace(planned[place], die=ASKED_FOR)
    others = set(range(len(planned))) - set(firsts.values()) - set(asked_for.values())
    for place in sorted(others)[:1]:
        planned[place] = replace(planned[place], die=NOT_SET)
    for place in firsts.values():
        planned[place] = replace(planned[place], die=planned[place].die * KEPT)
    latest_first = sorted(firsts.values(), reverse=True)
    for person in SCHOOLS[slug].people:
        if person.email in LENT and Role.LEARNER in person.roles:
            _give_a_lesson(person.email, planned, latest_first)
    return planned


def _give_a_lesson(learner: str, planned: list[Planned], places: list[int]) -> None:
    """Have a learner fly at the first of these places on whose day they do not fly already. The place is used up."""
    flies = {one.starts.date() for one in planned if one.learner == learner}
    for place in places:
        if planned[place].starts.date() not in flies:
            planned[place] = replace(planned[place], learner=learner)
            places.remove(place)
            return


def fate_of(die: float, *, is_past: bool, is_fresh: bool) -> str:
    """What became of a planned booking. A fresh one ended within a day: some of those still wait to be completed."""
    if is_past:
        ended = "assigned" if is_fresh and die < 0.4 else "completed"
        return ended if die < 0.84 else "cancelled" if die < 0.94 else "declined"
    for status, up_to in (("assigned", 0.74), ("requested", 0.84), ("approved", 0.92), ("cancelled", 0.96)):
        if die < up_to:
            return status
    return "declined"


def _lessons(slug: str, day: date, dice: Random) -> Iterator[tuple[str, datetime, int]]:
    """Instructor, local start and minutes of the lessons of one day: where there is room, two at least."""
    for instructor, week in TEACHING[slug].items():
        room: list[tuple[int, int]] = []
        taught: list[tuple[int, int]] = []
        for first, last in (hours for days, spans in week.items() if day.weekday() in days for hours in spans):
            minute = first * 60
            while minute + (length := dice.choice(LENGTHS)) <= last * 60:
                (taught if dice.random() < FULLNESS else room).append((minute, length))
                minute += length + dice.choice(BREAKS)
        taught += room[: max(0, LEAST_LESSONS - len(taught))]
        for minute, length in sorted(taught):
            yield instructor, datetime.combine(day, time(minute // 60, minute % 60)), length


def _what_flies(
    slug: str, start: datetime, minutes: int, flying: list[tuple[str, datetime, datetime]], dice: Random
) -> tuple[str, str | None]:
    """The activity and its aircraft or simulator: one that is free then; where none is, it is a lesson on the ground."""
    end = start + timedelta(minutes=minutes)
    kind = dice.choices(("aircraft", "simulator", ""), (7, 1, 2))[0]
    taken = {name for name, first, last in flying if first < end and start < last}
    free = [name for one, name, _detail in FLEET[slug] if one == kind and name not in taken]
    if not free:
        return dice.choice(("ground", "briefing")), None
    craft = dice.choice(free)
    flying.append((craft, start, end))
    return ("dual_flight" if kind == "aircraft" else "simulator"), craft
