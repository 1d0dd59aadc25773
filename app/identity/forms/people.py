"""Forms about the people of a school, filled in by admins."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.foundation.forms import Checkboxes, CreatingForm, Form, stripped
from app.foundation.permissions import Role
from app.identity.forms.registration import email_field, is_one_line, name_field
from app.identity.rules import role_words

MOST_AT_ONCE = 100


class RolesForm(Form):
    """What a person is at the school."""

    roles = Checkboxes(_l("Roles"), choices=lambda: list(role_words().items()))
    sure = HiddenField()
    """Whether an admin who gives up that role was asked."""
    read = HiddenField()
    """The roles that they had when the form was made, with commas."""

    def validate_roles(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(_("Choose at least one role."))

    @property
    def roles_read(self) -> list[str] | None:
        return self.read.data.split(",") if self.read.data else None

    @property
    def chosen(self) -> list[Role]:
        return [Role(value) for value in self.roles.data or ()]


class ReasonForm(Form):
    """Why a person is kept out, for them to read."""

    reason = StringField(
        _l("Reason"), [DataRequired(_l("Give a reason.")), Length(max=300), is_one_line], [stripped]
    )  # fmt: skip


class ApprovalsForm(Form):
    """Several people to let in at once."""

    member = SelectMultipleField(coerce=int, validate_choice=False)

    def validate_member(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(_("Choose at least one person."))
        if len(field.data) > MOST_AT_ONCE or any(not 0 < number < 2**63 for number in field.data):
            raise ValidationError(_("Choose people from the list."))


AT_ONCE, INVITE = "at_once", "invite"


def how_field() -> RadioField:
    """Whether people are added outright or invited. Who adds somebody at a desk expects them to be there."""
    return RadioField(
        _l("How they come in"),
        [InputRequired(_l("Choose how they come in."))],
        choices=lambda: [
            (AT_ONCE, _("Add at once: they are in and can be booked now; a link lets them choose a password")),
            (INVITE, _("Invite: they are in when they accept")),
        ],
        default=AT_ONCE,
    )


class NewPersonForm(CreatingForm):
    """A person who is added, or invited."""

    name = name_field(_l("Name"))
    email = email_field()
    roles = Checkboxes(_l("Roles"), choices=lambda: list(role_words().items()), default=[Role.LEARNER.value])
    department = SelectField(_l("Department"))
    how = how_field()

    @property
    def at_once(self) -> bool:
        return bool(self.how.data == AT_ONCE)

    def offer(self, departments: list[tuple[str, str]]) -> None:
        """Say which departments there are: names by id. Call it before validating."""
        self.department.choices = [("", _("None")), *departments]

    def validate_roles(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(_("Choose at least one role."))

    @property
    def chosen(self) -> list[Role]:
        return [Role(value) for value in self.roles.data or ()]


class ImportForm(CreatingForm):
    """A list of people: pasted, or a file."""

    pasted = TextAreaField(_l("Paste a list"), [Optional()])
    file = FileField(_l("Or choose a CSV file"), [Optional()])
    how = how_field()

    @property
    def at_once(self) -> bool:
        return bool(self.how.data == AT_ONCE)

    def validate(self, extra_validators: Any = None) -> bool:
        if not super().validate(extra_validators):
            return False
        if bool((self.pasted.data or "").strip()) == bool(self.file.data):
            self.refusal = _("Paste a list or choose a file: one of the two.")
            return False
        return True
