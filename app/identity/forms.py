"""Forms of identity."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length, Optional

from app.foundation.forms import Form, stripped


class SignInForm(Form):
    """E-mail and password; the school and the page to go to travel hidden."""

    email = EmailField(_l("E-mail"), [InputRequired(_l("Give your e-mail address.")), Length(max=254)], [stripped])
    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password.")), Length(max=128)])
    tenant = HiddenField(validators=[Optional(), Length(max=40)])
    next = HiddenField(validators=[Optional(), Length(max=2000)])
    resume = HiddenField(validators=[Optional(), Length(max=200_000)])


def blank_sign_in_form(next_page: str, tenant: str) -> SignInForm:
    """The form before anything was typed."""
    return SignInForm(formdata=None, next=next_page, tenant=tenant)
