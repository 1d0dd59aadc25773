"""Forms about the people of a school, filled in by admins."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from app.foundation.forms import Checkboxes, Form, stripped
from app.foundation.permissions import Role
from app.identity.forms.registration import is_one_line
from app.identity.rules import role_words

MOST_AT_ONCE = 100


class RolesForm(Form):
    """What a person is at the school."""

    roles = Checkboxes(_l("Roles"), choices=lambda: list(role_words().items()))

    def validate_roles(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(_("Choose at least one role."))

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
