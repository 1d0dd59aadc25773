"""Forms of acting as a person."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField, ValidationError
from wtforms.validators import DataRequired, Length

from app.foundation.forms import Form, stripped
from app.identity.forms.registration import email_field, is_one_line

SHORTEST_REASON = 8


def says_something(_form: Any, field: Any) -> None:
    if len(field.data or "") < SHORTEST_REASON:
        raise ValidationError(_("Say it in a few words: %(least)s characters at least.", least=SHORTEST_REASON))


class ActingForm(Form):
    """Why somebody acts as a person."""

    reason = StringField(
        _l("Reason"), [DataRequired(_l("Give a reason.")), Length(max=300), is_one_line, says_something], [stripped]
    )


class OperatorActingForm(ActingForm):
    """An operator names the school and the person too."""

    school = StringField(
        _l("Address of the school"), [DataRequired(_l("Give an address.")), Length(max=40)], [stripped]
    )
    email = email_field(_l("E-mail of the person"))
