"""The form of signing in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length, Optional

from app.foundation.forms import Form, stripped

LONGEST_RESUME = 1_900_000
"""As much as a post may have, so that nothing that could be sent before the session ended is lost after it."""


class Destination(Form):
    """Where signing in leads: the school, the page, or the post that was cut off. They travel hidden."""

    tenant = HiddenField(validators=[Optional(), Length(max=40)])
    next = HiddenField(validators=[Optional(), Length(max=2000)])
    resume = HiddenField(validators=[Optional(), Length(max=LONGEST_RESUME)])


class SignInForm(Destination):
    """E-mail and password."""

    email = EmailField(_l("E-mail"), [InputRequired(_l("Give your e-mail address.")), Length(max=254)], [stripped])
    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password.")), Length(max=128)])
    remembered = BooleanField(_l("Remember me on this device"))


def blank_sign_in_form(next_page: str, tenant: str) -> SignInForm:
    """The form before anything was typed."""
    return SignInForm(formdata=None, next=next_page, tenant=tenant)
