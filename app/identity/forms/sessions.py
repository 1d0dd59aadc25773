"""The form of signing in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length, Optional

from app.foundation.forms import Form, stripped

LONGEST_RESUME = 1_900_000
"""As much as a post may have, so that nothing that could be sent before the session ended is lost after it."""


class SignInForm(Form):
    """E-mail and password; the school and the page to go to travel hidden."""

    email = EmailField(_l("E-mail"), [InputRequired(_l("Give your e-mail address.")), Length(max=254)], [stripped])
    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password.")), Length(max=128)])
    remembered = BooleanField(_l("Remember me on this device"))
    tenant = HiddenField(validators=[Optional(), Length(max=40)])
    next = HiddenField(validators=[Optional(), Length(max=2000)])
    resume = HiddenField(validators=[Optional(), Length(max=LONGEST_RESUME)])
