"""What speaks for and against a booking, as an admin reads it before deciding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import span


@dataclass(frozen=True)
class Check:
    """One thing to know: `state` is ok, wait or stop, beside its sentence."""

    state: str
    sentence: str


def checks_of(card: Any, assignables: Sequence[Any], *, is_open: bool) -> list[Check]:
    """The checks of one booking: the school, its learner, its instructor, its aircraft, and who else asks for the time.

    `is_open` says whether the school is open then.
    """
    by_id = {one.id: one for one in assignables}
    learner = next((one for one in assignables if one.membership_id == card.learner_id), None)
    found = [] if is_open else [Check("wait", _("Outside the school's opening hours"))]
    if learner:
        found.append(_comes(learner, card))
    instructor = by_id.get(card.instructor_id)
    if instructor:
        found.append(_teaches(instructor, card))
    else:
        found.append(Check("wait", _("No instructor requested")))
        if nobody_teaches(card, assignables):
            found.append(Check("wait", _("Outside the hours of every instructor")))
    if craft := by_id.get(card.craft_id):
        found.append(_free(craft, card))
    if card.rivals:
        found.append(Check("wait", others_asked(card.rivals)))
    return found


def notices_of(card: Any, assignables: Sequence[Any], alongside: Any, *, is_open: bool) -> list[str]:
    """What the learner of a waiting request should know of it, in sentences. `is_open` says whether the school is open then."""
    notices = [others_asked(alongside.others) + "."] if alongside.others else []
    notices += [_also_asked(own) for own in alongside.own]
    instructor = next((one for one in assignables if one.id == card.instructor_id), None)
    if not is_open:
        notices.append(_("It is outside the school's opening hours, so the answer may be no."))
    elif instructor and not instructor.is_open(card):
        notices.append(_("It is outside the instructor's hours, so the answer may be no."))
    elif instructor is None and nobody_teaches(card, assignables):
        notices.append(_("No instructor teaches at that time, so the answer may be no."))
    return notices


def nobody_teaches(card: Any, assignables: Sequence[Any]) -> bool:
    """Whether the time lies outside the hours of everybody who could be the instructor."""
    teachers = [one for one in assignables if one.teaches and one.membership_id != card.learner_id]
    return bool(teachers) and not any(one.is_open(card) for one in teachers)


def others_asked(count: int) -> str:
    """How many others want the same time."""
    return ngettext("%(num)d other has asked for this hour", "%(num)d others have asked for this hour", count)


def _teaches(instructor: Any, card: Any) -> Check:
    """One thing of an instructor: outside of their hours they are not free, whatever is booked."""
    if instructor.is_open(card) or instructor.is_taken(card):
        return _free(instructor, card)
    return Check("wait", _("Outside the hours of %(name)s", name=instructor.name))


def _comes(learner: Any, card: Any) -> Check:
    """Whoever is not let in does not come, however free they are."""
    if learner.is_let_in:
        return _free(learner, card)
    return Check("stop", _("%(name)s is not let in at the school now", name=learner.name))


def _free(one: Any, card: Any) -> Check:
    if one.is_taken(card):
        return Check("stop", _("%(name)s is booked then", name=one.name))
    return Check("ok", _("%(name)s is free", name=one.name))


def _also_asked(own: Any) -> str:
    time = span(own.starts_at, own.ends_at)
    if own.instructor:
        return _("You have also asked for %(time)s with %(instructor)s.", time=time, instructor=own.instructor)
    return _("You have also asked for %(time)s.", time=time)
