"""What speaks for and against a booking, as an admin reads it before deciding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext


@dataclass(frozen=True)
class Check:
    """One thing to know: `state` is ok, wait or stop, beside its sentence."""

    state: str
    sentence: str


def checks_of(card: Any, assignables: Sequence[Any]) -> list[Check]:
    """The checks of one booking: its learner, its instructor, its aircraft, and who else asks for the time."""
    by_id = {one.id: one for one in assignables}
    learner = next((one for one in assignables if one.membership_id == card.learner_id), None)
    found = [_free(learner, card)] if learner else []
    instructor = by_id.get(card.instructor_id)
    if instructor is None:
        found.append(Check("wait", _("No instructor wished")))
    else:
        found.append(_free(instructor, card))
        if not instructor.is_open(card):
            found.append(Check("wait", _("Outside the hours of %(name)s", name=instructor.name)))
    if craft := by_id.get(card.craft_id):
        found.append(_free(craft, card))
    if card.rivals:
        found.append(Check("wait", others_asked(card.rivals)))
    return found


def others_asked(count: int) -> str:
    """How many others want the same time."""
    return ngettext("%(num)d other has asked for this hour", "%(num)d others have asked for this hour", count)


def _free(one: Any, card: Any) -> Check:
    if one.is_taken(card):
        return Check("stop", _("%(name)s is booked then", name=one.name))
    return Check("ok", _("%(name)s is free", name=one.name))
