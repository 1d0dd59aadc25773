"""Forms of getting in: asking to join, confirming, accepting an invitation, setting an empty instance up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length

from app.foundation.forms import Form, stripped
from app.foundation.zones import ZoneField
from app.identity.rules import address_problem, password_problem


def email_field(label: Any = None) -> EmailField:
    """An address that can be written to."""
    checks = [DataRequired(_l("Give an e-mail address.")), Length(max=254), is_address]
    return EmailField(label or _l("E-mail"), checks, [stripped])


def name_field(label: Any = None) -> StringField:
    return StringField(
        label or _l("Name"), [DataRequired(_l("Give a name.")), Length(max=120), is_one_line], [stripped]
    )


def current_password_field(label: Any = None) -> PasswordField:
    """A password that exists already."""
    return PasswordField(label or _l("Password"), [InputRequired(_l("Give your password.")), Length(max=128)])


def new_password_field(label: Any = None) -> PasswordField:
    """A password that somebody chooses."""
    return PasswordField(label or _l("Password"), [InputRequired(_l("Choose a password."))])


def is_address(_form: Any, field: Any) -> None:
    if problem := address_problem(field.data or ""):
        raise ValidationError(problem)


def is_one_line(_form: Any, field: Any) -> None:
    if any(ord(c) < 32 or ord(c) == 127 for c in field.data or ""):
        raise ValidationError(_("Write this in one line."))


class NewPassword:
    """The mixin of forms in which somebody chooses a password. `email` is whose, where the form does not ask for it."""

    password = new_password_field()
    owner = ""

    def __iter__(self) -> Iterator[Any]:
        """The fields as the pages order them, the password last: a list of errors reads like the page."""
        return iter(sorted(super().__iter__(), key=lambda field: bool(field.name == "password")))  # type: ignore[misc]

    def validate_password(self, field: Any) -> None:
        typed = getattr(self, "email", None)
        problem = password_problem(field.data or "", self.owner or (typed.data if typed is not None else "") or "")
        if problem:
            raise ValidationError(problem)


class RegistrationForm(NewPassword, Form):
    """Asking to join a school, as somebody new."""

    name = name_field(_l("Your name"))
    email = email_field()


class JoinForm(Form):
    """Asking to join a school, as somebody who is signed in already."""

    name = name_field(_l("Your name"))


class ConfirmationForm(Form):
    """Confirming an e-mail address: by the password that was chosen, and with a name where the school knows none."""

    name = name_field(_l("Your name"))
    password = current_password_field(_l("The password you chose"))


class InvitationForm(NewPassword, Form):
    """Accepting an invitation; who has a password and confirmed their e-mail is not asked for one.

    By a link that was handed over, who has a password gives it: the link alone does not say who they are. `is_stuck` where
    it lets nobody in, because a password has to be chosen that it must not choose.
    """

    is_stuck = False

    current = current_password_field(_l("Your password"))


class PressOnlyForm(Form):
    """A form of one button."""


class SetUpForm(NewPassword, Form):
    """The first school of an instance and its first admin."""

    school = name_field(_l("Name of the school"))
    slug = StringField(_l("Address"), [DataRequired(_l("Give an address.")), Length(min=3, max=40)], [stripped])
    zone = ZoneField(
        _l("Home time zone"),
        none=_l("Choose a zone"),
        validators=[DataRequired(_l("Choose the zone of the school's home."))],
    )
    name = name_field(_l("Your name"))
    email = email_field(_l("Your e-mail"))
