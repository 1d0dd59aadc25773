"""Forms of the second factor."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length, Optional

from app.foundation.forms import Form, stripped
from app.identity.forms.registration import current_password_field
from app.identity.forms.sessions import Destination


def code_field(label: Any = None) -> StringField:
    checks = [InputRequired(_l("Type the code that the app shows.")), Length(max=40)]
    return StringField(label or _l("Code"), checks, [stripped])


class BeginForm(Form):
    """Beginning to set it up."""

    password = current_password_field(_l("Your password"))
    next = HiddenField(validators=[Optional(), Length(max=2000)])


class ConfirmForm(Form):
    """The first code, by which it is turned on."""

    totp_code = code_field(_l("Code from the app"))
    next = HiddenField(validators=[Optional(), Length(max=2000)])


class TurnOffForm(Form):
    """Doing without."""

    password = current_password_field(_l("Your password"))
    totp_code = code_field(_l("Code from the app, or a recovery code"))


class RenewForm(Form):
    """New recovery codes."""

    totp_code = code_field(_l("Code from the app"))


class SignInCodeForm(Destination):
    """The second page of signing in."""

    totp_code = code_field(_l("Code from the app, or a recovery code"))
