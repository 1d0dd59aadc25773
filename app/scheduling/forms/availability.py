"""Forms of the hours: a week of from–to rows, and one day away or with extra hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import DateField, RadioField, StringField, TimeField, ValidationError
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import html_params

from app.foundation.forms import CreatingForm, Form, stripped

WEEKDAYS = (
    _l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"),
)  # fmt: skip
ROWS = 3
DAY_MINUTES = 24 * 60
LINKS_OF_OLD = ("Etc/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/", "SystemV/", "posix/", "right/")
"""Zones that are other names of zones in the list."""


class ClockField(TimeField):
    """A time of day, written 09:00; browsers may send seconds."""

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label, format=["%H:%M", "%H:%M:%S"], validators=[Optional()], **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Write a time like 09:00.")) from error

    @property
    def minute(self) -> int | None:
        """Minutes after midnight."""
        return None if self.data is None else self.data.hour * 60 + self.data.minute


class Row(NamedTuple):
    """One from–to of a day. An end at 00:00 is the midnight at which the day ends."""

    begins: ClockField
    ends: ClockField

    @property
    def is_filled(self) -> bool:
        return any(field.data is not None or any(field.raw_data or ()) for field in self)

    @property
    def minutes(self) -> tuple[int, int] | None:
        """From and to in minutes after midnight, None unless both are there."""
        start, end = self.begins.minute, self.ends.minute
        return None if start is None or end is None else (start, end or DAY_MINUTES)

    @property
    def errors(self) -> list[str]:
        return [*self.begins.errors, *self.ends.errors]

    def check(self) -> bool:
        """Whether both times are there, or neither, and in order; says so at the field if not."""
        if self.errors:
            return False
        if self.is_filled and self.minutes is None:
            return _complain(self.ends if self.ends.data is None else self.begins, _("Give both times, or neither."))
        if self.minutes and self.minutes[0] >= self.minutes[1]:
            return _complain(self.ends, _("This ends before it begins."))
        return True


class ZoneSelect:
    """Draws the zones of the world. The few hundred options are drawn once for each that is chosen, not for each page."""

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        named = html_params(**{"id": field.id, "name": field.name, **attributes})
        return Markup("<select {}>{}</select>").format(Markup(named), _zone_options(field.data or ""))  # noqa: S704 — escaped


class ZoneField(StringField):
    """The IANA name of a zone, chosen from the list; an older name that is kept already stays valid."""

    widget = ZoneSelect()

    def pre_validate(self, form: Any) -> None:
        if self.data not in _known_zones():
            raise ValidationError(_("Choose a time zone from the list."))


class WeekForm(Form):
    """A person's week: seven days of three rows, in wall time of one zone. Saved as a whole."""

    zone = ZoneField(_l("Time zone"))

    def __init__(self, hours: Iterable[tuple[int, int, int]] = (), zone: str = "UTC", **options: Any) -> None:
        super().__init__(data={"zone": zone, **_times(hours)}, **options)

    @property
    def days(self) -> list[tuple[str, list[Row]]]:
        """Each day's name with the rows to show: those that are filled, and one more to add hours by."""
        return [(str(name), self._shown(weekday)) for weekday, name in enumerate(WEEKDAYS)]

    @property
    def hours(self) -> list[tuple[int, int, int]]:
        """The filled rows: weekday, from, to."""
        return [(day, *row.minutes) for day in range(7) for row in self._rows(day) if row.minutes]

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        for weekday in range(7):
            rows = self._rows(weekday)
            broken = [row for row in rows if not row.check()]
            if broken or not _apart(rows):
                valid = False
        return valid

    def _rows(self, weekday: int) -> list[Row]:
        return [Row(self[f"from_{weekday}_{row}"], self[f"to_{weekday}_{row}"]) for row in range(ROWS)]

    def _shown(self, weekday: int) -> list[Row]:
        rows = self._rows(weekday)
        filled = [number for number, row in enumerate(rows) if row.is_filled]
        return rows[: (filled[-1] + 2 if filled else 1)]


for _weekday, _name in enumerate(WEEKDAYS):
    for _row in range(ROWS):
        setattr(WeekForm, f"from_{_weekday}_{_row}", ClockField(_l("%(day)s, from", day=_name)))
        setattr(WeekForm, f"to_{_weekday}_{_row}", ClockField(_l("%(day)s, to", day=_name)))


def blank_week_form(hours: Iterable[tuple[int, int, int]], zone: str) -> WeekForm:
    """The form of a week as it is saved."""
    return WeekForm(hours, zone, formdata=None)


class ExceptionForm(CreatingForm):
    """One day on which a person is away, for all of it or for some hours, or works besides their week."""

    day = DateField(_l("Day"), validators=[InputRequired(_l("Choose a day."))])
    kind = RadioField(
        _l("What is different"),
        default="day",
        validators=[InputRequired(_l("Choose what is different."))],
    )
    begins = ClockField(_l("From"))
    ends = ClockField(_l("To"))
    note = StringField(
        _l("Note"),
        filters=[stripped],
        validators=[Optional(), Length(max=200, message=_l("Write 200 characters at most."))],
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        kinds = {"day": _("Away all day"), "away": _("Away from–to"), "open": _("Extra hours from–to")}
        self.kind.choices = list(kinds.items())

    @property
    def minutes(self) -> tuple[int, int] | None:
        return Row(self.begins, self.ends).minutes

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        row = Row(self.begins, self.ends)
        if not row.check():
            return False
        if self.kind.data == "day" and row.is_filled:
            return _complain(self.begins, _("Away all day needs no times. Clear them, or choose another kind."))
        if self.kind.data in ("away", "open") and not row.is_filled:
            return _complain(self.begins, _("Say from when to when."))
        return valid


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=32)
def _zone_options(chosen: str) -> Markup:
    known = _known_zones()
    offered = {zone for zone in known if "/" in zone and not zone.startswith(LINKS_OF_OLD)} | ({"UTC", chosen} & known)
    return Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            zone, Markup(" selected") if zone == chosen else "", zone.replace("_", " ")
        )
        for zone in sorted(offered)
    )


def _times(hours: Iterable[tuple[int, int, int]]) -> dict[str, time]:
    """The values of the fields for a week that is kept."""
    values: dict[str, time] = {}
    for weekday in range(7):
        for row, (_day, start, end) in enumerate(sorted(h for h in hours if h[0] == weekday)):
            values[f"from_{weekday}_{row}"] = _clock(start)
            values[f"to_{weekday}_{row}"] = _clock(end)
    return values


def _clock(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


def _apart(rows: list[Row]) -> bool:
    """Whether the rows of a day share no time; says so at the later one if two do."""
    filled = sorted(((row.minutes, row) for row in rows if row.minutes), key=itemgetter(0))
    for (earlier, _first), (later, row) in pairwise(filled):
        if later[0] < earlier[1]:
            return _complain(row.begins, _("This overlaps another row of the day."))
    return True


def _complain(field: Any, sentence: str) -> bool:
    field.errors = [*field.errors, sentence]
    return False
