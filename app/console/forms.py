"""Forms of the console."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from app.foundation.forms import CreatingForm, Form, stripped
from app.foundation.zones import ZoneField
from app.identity.rules import address_problem

SHORTEST_REASON = 8


def in_one_line(_form: Any, field: Any) -> None:
    if any(ord(c) < 32 or ord(c) == 127 for c in field.data or ""):
        raise ValidationError(_("Write this in one line."))


def is_address(_form: Any, field: Any) -> None:
    if problem := address_problem(field.data or ""):
        raise ValidationError(problem)


def says_something(_form: Any, field: Any) -> None:
    if len(field.data or "") < SHORTEST_REASON:
        raise ValidationError(_("Say it in a few words: %(least)s characters at least.", least=SHORTEST_REASON))


class SchoolForm(CreatingForm):
    """A new school and its first admin."""

    name = StringField(
        _l("Name of the school"), [DataRequired(_l("Give a name.")), Length(max=120), in_one_line], [stripped]
    )
    slug = StringField(_l("Address"), [DataRequired(_l("Give an address.")), Length(min=3, max=40)], [stripped])
    zone = ZoneField(
        _l("Home time zone"),
        none=_l("Choose a zone"),
        validators=[DataRequired(_l("Choose the zone of the school's home."))],
    )
    admin_name = StringField(
        _l("Name of its first admin"), [DataRequired(_l("Give a name.")), Length(max=120), in_one_line], [stripped]
    )
    admin_email = EmailField(
        _l("E-mail of its first admin"),
        [DataRequired(_l("Give an e-mail address.")), Length(max=254), is_address],
        [stripped],
    )


class SuspensionForm(Form):
    """Why nobody is to work in a school for now."""

    reason = StringField(
        _l("Reason"),
        [DataRequired(_l("Give a reason.")), Length(max=300), in_one_line, says_something],
        [stripped],
    )


class PressOnlyForm(Form):
    """A form of one button."""
