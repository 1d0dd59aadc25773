"""Forms of a person's own account: password and e-mail."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.foundation.forms import Form
from app.identity.forms.registration import NewPassword, current_password_field, email_field, new_password_field
from app.identity.forms.second_factor import code_field


class ForgottenForm(Form):
    """Asking for a link by which to choose a new password."""

    email = email_field()


class ResetForm(NewPassword, Form):
    """Choosing a new password by a link."""

    password = new_password_field(_l("New password"))


class PasswordForm(NewPassword, Form):
    """Changing one's own password."""

    current = current_password_field(_l("Current password"))
    password = new_password_field(_l("New password"))


class DeletionForm(Form):
    """Ending one's account; the code is asked for where there is a second factor."""

    password = current_password_field(_l("Your password"))
    totp_code = code_field(_l("Code from the app, or a recovery code"))


class EmailForm(Form):
    """Changing the address one signs in with."""

    email = email_field(_l("New e-mail"))
    password = current_password_field(_l("Current password"))
