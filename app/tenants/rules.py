"""Pure computation about schools: colors that can be read, the style sheet of a brand, opening hours, words for work."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from app.tenants.models import Department

HEX_COLOR = re.compile(r"#[0-9a-f]{6}")
LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of ordinary size."""
WHITE, BLACK = "#ffffff", "#000000"
LIGHT_GROUND, DARK_GROUNDS = "#f1f4f7", ("#1b242d", "#151c23")
"""The darkest light surface that the accent stands on, and the lightest dark ones (static/css/tokens.css)."""
DARK_INK = "#07182a"
STEPS = 100
Color = str
"""Six hexadecimal digits behind a #, in lower case."""


def contrast(one: Color, other: Color) -> float:
    """The ratio of two colors' luminances, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def is_readable(color: Color) -> bool:
    """Whether links in this color can be read on light pages, and white text on buttons of it."""
    return all(contrast(color, ground) >= LEAST_CONTRAST for ground in (WHITE, LIGHT_GROUND, _wash(color)))


def nearest_readable(color: Color) -> Color:
    """The color itself if it can be read, else the least dark shade of it that can."""
    shades = (mix(color, BLACK, step / STEPS) for step in range(STEPS + 1))
    return next(shade for shade in shades if is_readable(shade))


def for_dark_pages(color: Color) -> Color:
    """The least light tint of a color that can be read on dark pages, and carries dark text."""
    tints = (mix(color, WHITE, step / STEPS) for step in range(STEPS + 1))
    return next(
        tint
        for tint in tints
        if all(contrast(tint, ground) >= LEAST_CONTRAST for ground in (*DARK_GROUNDS, _dark_wash(color), DARK_INK))
    )


def mix(color: Color, other: Color, part: float) -> Color:
    """`color` with a `part` (0 to 1) of another in it."""
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def brand_stylesheet(color: Color) -> str:
    """The accent of a school: the four values of the tokens that a brand may set, for light and for dark pages."""
    dark = for_dark_pages(color)
    values = {
        "--accent": (color, dark),
        "--accent-deep": (mix(color, BLACK, 0.2), mix(dark, WHITE, 0.25)),
        "--on-accent": (WHITE, DARK_INK),
        "--accent-wash": (_wash(color), _dark_wash(color)),
    }
    lines = "".join(f"  {name}: light-dark({light}, {night});\n" for name, (light, night) in values.items())
    return f"@layer tokens {{ :root {{\n{lines}}} }}\n"


def brand_digest(color: Color) -> str:
    """What the name of a brand's style sheet carries, so that it can be kept for a year."""
    return hashlib.sha256(brand_stylesheet(color).encode()).hexdigest()[:12]


def _wash(color: Color) -> Color:
    return mix(color, WHITE, 0.91)


def _dark_wash(color: Color) -> Color:
    return mix(color, "#151c23", 0.82)


def _channels(color: Color) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: Color) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    shares = (channel / 255 for channel in _channels(color))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# -- departments ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Branch:
    """A department with those below it, and how many people are in it and in all of those."""

    department: Department
    below: tuple[Branch, ...]
    people: int


def tree_of(departments: Sequence[Department], people: Mapping[int, int]) -> tuple[Branch, ...]:
    """The departments as a tree, in their order. `people` counts who is in each itself."""
    children: dict[int | None, list[Department]] = {}
    for department in departments:
        children.setdefault(department.parent_id, []).append(department)

    def grow(parent_id: int | None) -> tuple[Branch, ...]:
        return tuple(branch(department) for department in children.get(parent_id, ()))

    def branch(department: Department) -> Branch:
        below = grow(department.id)
        return Branch(department, below, people.get(department.id, 0) + sum(part.people for part in below))

    return grow(None)


def branches_of(tree: Sequence[Branch]) -> Iterator[Branch]:
    """Every branch, each before those below it."""
    for branch in tree:
        yield branch
        yield from branches_of(branch.below)


def depth_of(parents: Mapping[int, int | None], department_id: int) -> int:
    """How deep a department lies: 1 at the top. `parents` is each one's parent by id."""
    depth, above = 1, parents[department_id]
    while above is not None:
        depth, above = depth + 1, parents[above]
    return depth


def height_of(parents: Mapping[int, int | None], department_id: int) -> int:
    """How many departments lie one below the other from this one on, itself included."""
    own = depth_of(parents, department_id)
    return 1 + max(depth_of(parents, each) - own for each in parents if _lies_in(parents, each, department_id))


def _lies_in(parents: Mapping[int, int | None], each: int | None, department_id: int) -> bool:
    while each is not None and each != department_id:
        each = parents[each]
    return each is not None


def places_in(tree: Sequence[Branch], *, but: int | None = None, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every place below which a department may lie, as id and indented name; not the department `but` and those below it."""
    for branch in tree:
        if branch.department.id != but:
            yield str(branch.department.id), f"{'– ' * depth}{branch.department.name}"
            yield from places_in(branch.below, but=but, depth=depth + 1)


# -- lists and hours -----------------------------------------------------------------------------------------------


def lines_of(text: str | None) -> list[str]:
    """The lines of a text without spaces around them, without empty ones, each once, in their order."""
    return list(dict.fromkeys(" ".join(line.split()) for line in (text or "").splitlines() if line.strip()))


DAYS = (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"))
"""The days of the week."""


def hours_in_words(hours: dict[str, Any]) -> str:
    """ "Monday 09:00–17:00, Tuesday 09:00–17:00"."""
    spans = ((DAYS[int(day)], *hours[day]) for day in sorted(hours))
    return ", ".join(f"{day} {_clock(opens)}–{_clock(closes)}" for day, opens, closes in spans)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


# -- work ----------------------------------------------------------------------------------------------------------

WORK = {
    "housekeeping.prune_keys": _l("Clearing away used form keys"),
    "housekeeping.prune_platform": _l("Clearing away old rows"),
    "identity.forget_import": _l("Forgetting a list that was not carried out"),
    "identity.reactions.tell_of_approval": _l("Mail: let in"),
    "identity.reactions.tell_of_refusal": _l("Mail: declined"),
    "identity.reactions.tell_of_return": _l("Mail: let in again"),
    "identity.reactions.tell_of_suspension": _l("Mail: suspended"),
    "identity.send_link_mail": _l("Mail with a link"),
    "identity.send_notice_mail": _l("Mail about an account"),
    "identity.send_test_mail": _l("Test mail"),
    "learning.remind_of_assignment": _l("Reminding of an assigned course"),
    "notifications.mail_notification": _l("Mail of a notification"),
    "notifications.reactions.on_acted_as": _l("Telling who was acted as"),
    "notifications.reactions.on_assignment_due": _l("Telling whose course is due"),
    "notifications.reactions.on_assignment_moved": _l("Telling of another day for a course"),
    "notifications.reactions.on_assignment_removed": _l("Taking back what was told of an assigned course"),
    "notifications.reactions.on_booking_approved": _l("Telling of an approved booking"),
    "notifications.reactions.on_booking_assigned": _l("Telling of an assigned booking"),
    "notifications.reactions.on_booking_cancelled": _l("Telling of a cancelled booking"),
    "notifications.reactions.on_booking_declined": _l("Telling of a declined booking"),
    "notifications.reactions.on_booking_escalated": _l("Telling of an escalated request"),
    "notifications.reactions.on_course_assigned": _l("Telling of an assigned course"),
    "notifications.reactions.on_department_moved": _l("Telling people of a moved department what is assigned there"),
    "notifications.reactions.on_erasure_requested": _l("Telling who asks to be erased"),
    "notifications.reactions.on_join_requested": _l("Telling who asks to join"),
    "notifications.reactions.on_profile_changed": _l("Telling who moved what is assigned to them now"),
    "notifications.reactions.on_member_placed": _l("Telling somebody new what is assigned to them"),
    "notifications.reactions.on_member_erased": _l("Taking an erased person out of notifications"),
    "scheduling.escalate_booking": _l("Escalating a request"),
    "scheduling.reactions.on_member_added": _l("Making somebody bookable who was added"),
    "scheduling.reactions.on_member_approved": _l("Making somebody bookable who was approved"),
    "scheduling.reactions.on_member_joined": _l("Making somebody bookable who joined"),
    "scheduling.reactions.on_member_reinstated": _l("Making somebody bookable who is back"),
    "scheduling.reactions.on_profile_changed": _l("Renaming somebody in the schedule"),
    "scheduling.reactions.on_roles_changed": _l("Making somebody bookable in a new role"),
    "scheduling.reactions.on_school_changed": _l("Renewing escalations for new settings"),
}
"""What work is about, by its kind or the name of its reaction."""


def work_words(kind: str) -> str:
    """What a piece of work is about; its own name where nobody put it in words."""
    return str(WORK.get(kind, kind))
