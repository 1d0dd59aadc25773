"""The words of a notification, made when it is shown or mailed: from its kind and its facts, for one reader.

Facts hold instants, ids of people and short texts; names are looked up when the words are made, so that a person who
changed their name is called by the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app.foundation.formats import day, span, when


@dataclass(frozen=True)
class Words:
    """What a person reads: a title without a full stop, and one or two sentences."""

    title: str
    sentence: str


@dataclass(frozen=True)
class Told:
    """What a notification says, for the person `reader_id` (a membership) in the IANA zone `zone`."""

    facts: Mapping[str, Any]
    names: Mapping[int, str]
    reader_id: int
    zone: str

    @property
    def by(self) -> str:
        """Who did it; empty for somebody who is not of the school."""
        return self._name("by_id")

    @property
    def person(self) -> str:
        """Whom it is about."""
        return self._name("person_id") or _("Somebody")

    @property
    def until(self) -> str:
        return when(datetime.fromisoformat(self.facts["until"]), self.zone)

    @property
    def course(self) -> str:
        return str(self.facts["course"])

    @property
    def due_on(self) -> str:
        """The last day of an assignment, which is the school's, in words; empty where none was set."""
        return day(date.fromisoformat(self.facts["due_on"])) if self.facts["due_on"] else ""

    @property
    def note(self) -> str:
        """What whoever assigned it wrote, with their name."""
        note = " ".join(str(self.facts.get("note") or "").split())
        return f"{self.by}: {note}" if note and self.by else note

    @property
    def is_mine(self) -> bool:
        """Whether the reader is the learner of the booking."""
        return bool(self.facts["learner_id"] == self.reader_id)

    @property
    def learner(self) -> str:
        return self._name("learner_id") or _("A learner")

    @property
    def instructor(self) -> str:
        return self._name("instructor_id")

    @property
    def aircraft(self) -> str:
        return str(self.facts.get("aircraft") or "")

    @property
    def reason(self) -> str:
        return " ".join(str(self.facts.get("reason") or "").split())

    @property
    def time(self) -> str:
        start, end = (datetime.fromisoformat(self.facts[name]) for name in ("starts_at", "ends_at"))
        return span(start, end, self.zone)

    def _name(self, fact: str) -> str:
        return self.names.get(self.facts.get(fact) or 0, "")


@dataclass(frozen=True)
class Kind:
    """A kind of notification: its icon and state color, where it leads, and its words."""

    icon: str
    state: str
    words: Callable[[Told], Words]
    endpoint: str = "scheduling.booking_show"
    argument: str = "booking_id"


PEOPLE = ("learner_id", "instructor_id", "by_id", "person_id")
"""The facts that are memberships, whose names the words need."""


def kind_of(name: str) -> Kind:
    """The kind of a notification; one that this release does not know reads plainly and leads to the list."""
    return KINDS.get(name, UNKNOWN)


def address_of(kind: str, subject_id: int | None) -> tuple[str, dict[str, Any]]:
    """Where a notification leads: the endpoint of its subject's page, and the values for its address."""
    known = kind_of(kind)
    return known.endpoint, {known.argument: subject_id} if known.argument else {}


def people_in(facts: Mapping[str, Any]) -> set[int]:
    """The memberships that facts speak of."""
    return {facts[name] for name in PEOPLE if facts.get(name)}


def words_of(kind: str, facts: Mapping[str, Any], *, names: Mapping[int, str], reader_id: int, zone: str) -> Words:
    """The words of a notification for its reader, in the locale in force."""
    return kind_of(kind).words(Told(facts, names, reader_id, zone))


def mail_text(words: Words, *, name: str, link: str, school: str) -> str:
    """The body of a mail: greeting, what happened, where to look. Plain text."""
    return "\n".join(
        (
            _("Hello %(name)s,", name=name), "", f"{words.title}.", words.sentence, "", _("See it here:"), link, "",
            school, "",
        )
    )  # fmt: skip


def _approved(booking: Told) -> Words:
    if booking.is_mine:
        return Words(
            _("Your booking is approved"),
            _("%(time)s. You will hear from us once instructor and aircraft are assigned.", time=booking.time),
        )
    return Words(
        _("A booking with you is approved"), _("%(learner)s, %(time)s.", learner=booking.learner, time=booking.time)
    )


def _assigned(booking: Told) -> Words:
    if not booking.is_mine:
        return Words(_("You are assigned to a booking"), _sentence(booking.learner, booking.time, _in(booking)))
    with_whom = _("with %(instructor)s", instructor=booking.instructor) if booking.instructor else ""
    return Words(_("Your booking is set"), _sentence(booking.time, with_whom, _in(booking)))


def _reassigned(booking: Told) -> Words:
    if booking.instructor:
        instead = _("%(instructor)s teaches it instead, and your time is free again.", instructor=booking.instructor)
    else:
        instead = _("Your time is free again.")
    return Words(_("A booking is not yours any more"), f"{_sentence(booking.learner, booking.time)} {instead}")


def _declined(booking: Told) -> Words:
    title = _("Your booking was declined") if booking.is_mine else _("A booking with you was declined")
    return Words(title, _ended(booking))


def _cancelled(booking: Told) -> Words:
    title = _("Your booking was cancelled") if booking.is_mine else _("A booking with you was cancelled")
    return Words(title, _ended(booking))


def _escalated(booking: Told) -> Words:
    facts = {"learner": booking.learner, "time": booking.time}
    if booking.facts.get("waits_for") == "assignment":
        return Words(
            _("A booking still lacks its instructor or aircraft"),
            _("%(learner)s, %(time)s: approved, but nobody has assigned it.", **facts),
        )
    return Words(
        _("A booking request still waits for an answer"),
        _("%(learner)s asks for %(time)s, and nobody has decided yet.", **facts),
    )


def _acted_as(told: Told) -> Words:
    return Words(
        _("%(name)s acted as you", name=told.by or _("Groundschool’s support")),
        _(
            "They may see and do what you can until %(time)s at the latest, but not change your password. What they do is "
            "recorded under both names. If you did not expect this, ask the school’s office.",
            time=told.until,
        ),
    )


def _waiting(told: Told) -> Words:
    return Words(
        _("%(name)s waits to be let in", name=told.person),
        _("They asked to join. Approve or decline it on their page."),
    )


def _asks_erasure(told: Told) -> Words:
    return Words(
        _("%(name)s asks to be erased", name=told.person),
        _("Erase them on their page, or tell them what has to be kept, why and for how long."),
    )


def _assigned_course(told: Told) -> Words:
    by_day = _("Complete it by %(day)s.", day=told.due_on) if told.due_on else _("Complete it when you can.")
    return Words(_("“%(course)s” is assigned to you", course=told.course), f"{by_day} {told.note}".strip())


def _moved(told: Told) -> Words:
    if not told.due_on:
        title = _("“%(course)s” has no last day any more", course=told.course)
        return Words(title, _("Complete it when you can."))
    return Words(
        _("“%(course)s” is now due on %(day)s", course=told.course, day=told.due_on),
        _("The last day was changed. The course is assigned to you and not completed yet."),
    )


def _due(told: Told) -> Words:
    return Words(
        _("“%(course)s” is due on %(day)s", course=told.course, day=told.due_on),
        _("It is assigned to you and not completed yet."),
    )


def _overdue(told: Told) -> Words:
    return Words(
        _("“%(course)s” was due on %(day)s", course=told.course, day=told.due_on),
        _("It is assigned to you and not completed yet. You can still complete it."),
    )


def _ended(booking: Told) -> str:
    whose = "" if booking.is_mine else booking.learner
    said = _sentence(whose, booking.time)
    return f"{said} {_('Reason: %(reason)s', reason=booking.reason)}" if booking.reason else said


def _in(booking: Told) -> str:
    return _("in %(aircraft)s", aircraft=booking.aircraft) if booking.aircraft else ""


def _sentence(*parts: str) -> str:
    return f"{', '.join(part for part in parts if part)}."


def _unknown(_told: Told) -> Words:
    return Words(_("Something happened"), _("Look at your bookings to see what changed."))


COURSE = {"endpoint": "learning.course_show", "argument": "course_id"}
KINDS = {
    "booking.approved": Kind("circle-check", "ok", _approved),
    "booking.assigned": Kind("calendar-check", "ok", _assigned),
    "booking.reassigned": Kind("calendar-days", "mute", _reassigned),
    "booking.declined": Kind("circle-x", "stop", _declined),
    "booking.cancelled": Kind("ban", "stop", _cancelled),
    "booking.escalated": Kind("triangle-alert", "wait", _escalated),
    "member.waiting": Kind("user-plus", "wait", _waiting, endpoint="people.show", argument="member_id"),
    "member.asks_erasure": Kind("trash-2", "wait", _asks_erasure, endpoint="people.show", argument="member_id"),
    "course.assigned": Kind("clipboard-check", "info", _assigned_course, **COURSE),
    "course.moved": Kind("calendar-days", "info", _moved, **COURSE),
    "course.due": Kind("clock", "wait", _due, **COURSE),
    "course.overdue": Kind("triangle-alert", "stop", _overdue, **COURSE),
    "acted_as": Kind("eye", "wait", _acted_as, endpoint="notifications.notification_index", argument=""),
}
UNKNOWN = Kind("info", "info", _unknown, endpoint="notifications.notification_index", argument="")
