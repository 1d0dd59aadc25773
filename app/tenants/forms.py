"""Forms about a school."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FloatField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.foundation.forms import Checkboxes, CreatingForm, Form, ReadForm, stripped
from app.foundation.language import LANGUAGES
from app.foundation.zones import ZoneField
from app.tenants.rules import DAYS, HEX_COLOR, is_readable, lines_of, nearest_readable

MOST_WORDS, LONGEST_WORD = 50, 40
MOST_CLOSED_DAYS = 400
YEARS = range(2000, 2200)
WEEK = range(7)


def _color(value: str | None) -> str:
    plain = (value or "").strip().lower()
    return f"#{plain}" if plain and not plain.startswith("#") else plain


class SettingsForm(Form):
    """How a school works. Weekdays are `opens_0` and `closes_0` (Monday) to `opens_6` and `closes_6`."""

    version = HiddenField()
    school_name = StringField(_l("Name"), [DataRequired(_l("Give a name.")), Length(max=120)], [stripped])
    slug = StringField(_l("Address"), [DataRequired(_l("Give an address.")), Length(max=40)], [stripped])
    zone = ZoneField(_l("Home time zone"))
    locale = SelectField(_l("Language"), choices=lambda: list(LANGUAGES))
    brand_color = StringField(_l("Brand color"), [Optional(), Length(max=20)], [_color])
    latitude = FloatField(_l("Latitude"), [Optional(), NumberRange(-90, 90)])
    longitude = FloatField(_l("Longitude"), [Optional(), NumberRange(-180, 180)])
    closed_days = TextAreaField(_l("Closed days"), [Optional(), Length(max=10_000)])
    registration_open = BooleanField(_l("Anybody may ask to join"))
    admins_need_second_factor = BooleanField(_l("Admins need a second factor to come in"))
    levels = TextAreaField(_l("Levels"), [Optional(), Length(max=4000)])
    tags = TextAreaField(_l("Tags"), [Optional(), Length(max=4000)])
    escalate_after_hours = IntegerField(
        _l("Hours until a request that nobody answers is passed on"),
        [InputRequired(_l("Give a number of hours.")), NumberRange(1, 168)],
    )
    escalate_to_ids = Checkboxes(_l("Who is told then"), coerce=int)

    def offer(self, office: Mapping[int, str]) -> None:
        """Say who may be told: names by membership id. Call it before validating."""
        self.escalate_to_ids.choices = list(office.items())

    def validate_brand_color(self, field: Any) -> None:
        if not HEX_COLOR.fullmatch(field.data):
            raise ValidationError(_("Write a color as six digits, like #0b5cad."))
        if not is_readable(field.data):
            raise ValidationError(
                _("Words in this color cannot be read. The nearest that can is %(color)s.",
                  color=nearest_readable(field.data))
            )  # fmt: skip

    def validate_closed_days(self, field: Any) -> None:
        if len(_days(field.data)) > MOST_CLOSED_DAYS:
            raise ValidationError(_("Name %(most)s days at most.", most=MOST_CLOSED_DAYS))

    def validate_levels(self, field: Any) -> None:
        words = lines_of(field.data)
        if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in words):
            raise ValidationError(
                _("Write at most %(most)s lines of %(longest)s characters.", most=MOST_WORDS, longest=LONGEST_WORD)
            )

    def validate_tags(self, field: Any) -> None:
        self.validate_levels(field)

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        return all([fine, self._hours_make_sense(), self._place_makes_sense()])

    def _place_makes_sense(self) -> bool:
        if (
            (self.longitude.data is None) == (self.latitude.data is None)
            or self.latitude.errors
            or self.longitude.errors
        ):
            return True
        self.longitude.errors = [_("Give both latitude and longitude, or neither.")]
        return False

    def _hours_make_sense(self) -> bool:
        fine = True
        for day in WEEK:
            opens, closes = self[f"opens_{day}"], self[f"closes_{day}"]
            if (opens.data is None) != (closes.data is None):
                closes.errors = [*closes.errors, _("Give both times, or neither for a closed day.")]
                fine = False
            elif opens.data and closes.data is not None and _minutes(closes.data, end=True) <= _minutes(opens.data):
                closes.errors = [*closes.errors, _("The school closes before it opens.")]
                fine = False
        return fine

    @property
    def facts(self) -> dict[str, Any]:
        """What was typed, as the deed takes it and the row holds it."""
        return {
            **{name: self[name].data for name in ("school_name", "slug", "zone", "locale", "latitude", "longitude")},
            "brand_color": self.brand_color.data or None,
            "opening_hours": self._hours(),
            "closed_days": _days(self.closed_days.data),
            "registration_open": bool(self.registration_open.data),
            "admins_need_second_factor": bool(self.admins_need_second_factor.data),
            "levels": lines_of(self.levels.data),
            "tags": lines_of(self.tags.data),
            "escalate_after_hours": self.escalate_after_hours.data,
            "escalate_to_ids": sorted(self.escalate_to_ids.data or []),
        }

    def _hours(self) -> dict[str, list[int]]:
        times = {day: (self[f"opens_{day}"].data, self[f"closes_{day}"].data) for day in WEEK}
        return {
            str(day): [_minutes(opens), _minutes(closes, end=True)]
            for day, (opens, closes) in times.items()
            if opens is not None and closes is not None
        }


for _day in WEEK:
    setattr(SettingsForm, f"opens_{_day}", TimeField(_l("%(day)s from", day=DAYS[_day]), [Optional()]))
    setattr(SettingsForm, f"closes_{_day}", TimeField(_l("%(day)s to", day=DAYS[_day]), [Optional()]))


def typed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The values of SettingsForm's fields for what a school's row holds."""
    hours = facts["opening_hours"]
    times = {
        f"{name}_{day}": _time(hours[str(day)][place]) if str(day) in hours else None
        for day in WEEK
        for place, name in enumerate(("opens", "closes"))
    }
    lists = {name: "\n".join(map(str, facts[name])) for name in ("closed_days", "levels", "tags")}
    return {**facts, **times, **lists}


def _minutes(at: time, *, end: bool = False) -> int:
    """Minutes from midnight; midnight at the end of a day is 1440."""
    return at.hour * 60 + at.minute or (1440 if end else 0)


def _time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _days(text: str | None) -> list[date]:
    """The days that are named, a line each. Raises ValidationError that names the line that is none."""
    days = set()
    for line in lines_of(text):
        try:
            day = date.fromisoformat(line)
        except ValueError as error:
            raise ValidationError(_("“%(line)s” is no day. Write it like 2026-12-25.", line=line[:40])) from error
        if day.year not in YEARS:
            raise ValidationError(_("“%(line)s” is not of this century.", line=line[:40]))
        days.add(day)
    return sorted(days)


class DepartmentFields:
    """What a department is: its name and its place in the tree."""

    name = StringField(_l("Name"), [DataRequired(_l("Give a name.")), Length(max=120)], [stripped])
    parent = SelectField(_l("Below"))

    def offer_places(self, places: list[tuple[str, str]]) -> None:
        """Say below what it may lie: names by id. Call it before validating."""
        self.parent.choices = [("", _("Nothing: at the top")), *places]

    @property
    def parent_id(self) -> int | None:
        return int(self.parent.data) if self.parent.data else None


class NewDepartmentForm(DepartmentFields, CreatingForm):
    """A department that is added."""


class DepartmentForm(DepartmentFields, ReadForm):
    """A department that is renamed or moved."""

    called = {"parent_id": "parent"}


class PressOnlyForm(Form):
    """A form of one button."""
