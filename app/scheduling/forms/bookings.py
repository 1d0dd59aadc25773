"""Forms of bookings: the learner's request, and what an admin or instructor decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField, TimeField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from app.foundation import clock
from app.foundation.forms import CreatingForm, Form, stripped
from app.scheduling.models import Resource
from app.scheduling.queries.assignables import Assignable, Slot
from app.scheduling.rules.booking_words import activity_word, length_word
from app.scheduling.rules.bookings import (
    CRAFT_NEEDED,
    FURTHEST_AHEAD,
    LENGTHS,
    Activity,
    instant_of,
    is_on_the_step,
)

USUAL_MINUTES = 90
LONGEST_TEXT = 500
YEARS = range(1900, 2200)
"""Years whose days have an instant in every zone."""
QUEUE = "queue"
"""The value of `back` in forms of the queue: their answers belong there."""


def _number(value: Any) -> int | None:
    """A choice's value: an id, or none in particular."""
    return int(value) if value not in (None, "") else None


def with_plain_breaks(value: Any) -> Any:
    """A WTForms filter: browsers send a line's end as two characters; it is counted and kept as one."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class BookingForm(CreatingForm):
    """A learner's request. Day and time are wall time of `zone`; `starts_at` is their instant in UTC, once valid."""

    day = DateField(_l("Day"), [InputRequired(_l("Choose a day."))])
    time = TimeField(_l("From"), [InputRequired(_l("Choose a time."))], format=["%H:%M", "%H:%M:%S"])
    minutes = SelectField(_l("Length"), coerce=int, default=USUAL_MINUTES)
    instructor = SelectField(_l("Instructor"), coerce=_number)
    activity = SelectField(_l("What for"))
    note = TextAreaField(_l("Note for the school"), [Optional()], [stripped, with_plain_breaks])

    def __init__(self, *args: Any, zone: str, instructors: Iterable[Resource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.starts_at: datetime | None = None
        self.minutes.choices = [(minutes, length_word(minutes)) for minutes in LENGTHS]
        self.instructor.choices = [("", _("No preference")), *((one.id, one.name) for one in instructors)]
        self.activity.choices = [(activity.value, activity_word(activity)) for activity in Activity]

    def validate_day(self, field: DateField) -> None:
        """A day beyond all calendars is said here, where it was typed: it has no instant."""
        if field.data and field.data.year not in YEARS:
            raise ValidationError(_("Choose a day within the next %(days)d days.", days=FURTHEST_AHEAD.days))

    def validate_time(self, field: TimeField) -> None:
        """A time that the clocks skip that day, or that is past, is said here, where it was typed."""
        if self.day.data is None or self.day.errors or field.data is None:
            return
        self.starts_at = instant_of(datetime.combine(self.day.data, field.data), self.zone)
        if self.starts_at is None:
            raise ValidationError(_("The clocks go forward then: this time does not exist on that day."))
        if not is_on_the_step(self.starts_at):
            raise ValidationError(_("Begin on a quarter hour, such as 10:45."))

    def validate_note(self, field: TextAreaField) -> None:
        """The browser cuts nothing that is pasted, so that nobody loses the end of it unseen."""
        if (length := len(field.data or "")) > LONGEST_TEXT:
            raise ValidationError(
                _("Write at most %(max)d characters. These are %(length)d.", max=LONGEST_TEXT, length=length)
            )

    def suggest(self, at: datetime) -> None:
        """Put a time into the empty form."""
        local = at.astimezone(ZoneInfo(self.zone))
        self.day.data, self.time.data = local.date(), local.time().replace(tzinfo=None)

    @property
    def first_day(self) -> date:
        return clock.today(self.zone)


class DeedForm(Form):
    """The base of forms that decide on a booking. Several may stand on one page, so ids carry the booking's.

    Those that were not posted are made with `formdata=None`: a post fills only the form it was sent from.
    """

    back = HiddenField(validators=[Optional(), Length(max=10)])

    def __init__(self, booking: Slot | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if booking is not None:
            for field in self:
                field.id = f"{type(self).__name__.removesuffix('Form').lower()}-{field.name}-{booking.id}"
                field.label.field_id = field.id

    @property
    def is_of_the_queue(self) -> bool:
        return bool(self.back.data == QUEUE)


class ApprovalForm(DeedForm):
    """One button."""


class CompletionForm(DeedForm):
    """One button."""


class AssignmentForm(DeedForm):
    """Who teaches and what flies. Each choice says so where it is taken or closed at that time."""

    instructor = SelectField(_l("Instructor"), [InputRequired(_l("Choose an instructor."))], coerce=_number)
    craft = SelectField(_l("Aircraft"), coerce=_number)

    def offer(self, slot: Any, assignables: Sequence[Assignable]) -> None:
        """Fill the choices for one booking, and choose what is known of it or the first that is free.

        Whom a request wishes for is chosen only where they could come, so that one press assigns nobody who could not.
        """
        teachers = [one for one in assignables if one.teaches and one.membership_id != slot.learner_id]
        needed = CRAFT_NEEDED.get(slot.activity)
        crafts = [one for one in assignables if one.kind == needed or (needed is None and one.kind != "person")]
        if needed == "simulator":
            self.craft.label.text = _("Simulator")
        none = [("", _("None") if needed is None else _("Choose…"))]
        self.instructor.choices = [("", _("Choose…")), *((one.id, _named(one, slot)) for one in teachers)]
        self.craft.choices = [*none, *((one.id, _named(one, slot)) for one in crafts)]
        if self.instructor.raw_data is not None:
            return
        wished = [one for one in teachers if one.id == slot.instructor_id]
        could = wished if slot.status != "requested" else [one for one in wished if _first_free([one], slot)]
        self.instructor.data = could[0].id if could else _first_free(teachers if not wished else [], slot)
        self.craft.data = slot.craft_id or (_first_free(crafts, slot) if needed else None)


class DeclineForm(DeedForm):
    """A reason that the learner reads."""

    reason = StringField(
        _l("Reason"),
        [
            InputRequired(_l("Give a reason. The learner will read it.")),
            Length(max=LONGEST_TEXT, message=_l("Write at most %(max)d characters.")),
        ],
        [stripped],
    )


class CancellationForm(DeedForm):
    """A reason, if there is one to give."""

    reason = StringField(
        _l("Reason"),
        [Optional(), Length(max=LONGEST_TEXT, message=_l("Write at most %(max)d characters."))],
        [stripped],
    )


def decision_forms(
    slot: Any, assignables: Sequence[Assignable], posted: DeedForm | None = None, *, back: str = ""
) -> dict[str, DeedForm]:
    """The forms of an admin's decisions on a booking that waits, by name. The one that was posted keeps what was typed."""
    kinds: dict[str, type[DeedForm]] = {"assignment": AssignmentForm, "decline": DeclineForm}
    if slot.status == "requested":
        kinds = {"approval": ApprovalForm, **kinds}
    forms = {
        name: posted if posted is not None and type(posted) is kind else kind(slot, formdata=None, back=back)
        for name, kind in kinds.items()
    }
    assignment = forms["assignment"]
    if isinstance(assignment, AssignmentForm):
        assignment.offer(slot, assignables)
    return forms


def _named(one: Assignable, slot: Slot) -> str:
    if one.is_taken(slot):
        return _("%(name)s (booked then)", name=one.name)
    if not one.is_open(slot):
        return _("%(name)s (outside hours)", name=one.name)
    return one.name


def _first_free(several: Sequence[Assignable], slot: Slot) -> int | None:
    return next((one.id for one in several if not one.is_taken(slot) and one.is_open(slot)), None)
