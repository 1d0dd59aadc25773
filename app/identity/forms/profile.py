"""Forms about what is kept of a person: their own part, the school's part, and its erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.foundation.forms import Form, ReadForm, stripped
from app.foundation.language import LANGUAGES
from app.foundation.zones import ZoneField
from app.identity.forms.registration import is_one_line, name_field


def _line(label: Any, longest: int) -> StringField:
    """A line of text that may be left out."""
    return StringField(label, [Optional(), Length(max=longest), is_one_line], [stripped])


class ProfileForm(Form):
    """What a person says about themself."""

    name = name_field(_l("Name"))
    phone = _line(_l("Phone"), 40)
    zone = ZoneField(_l("Time zone"), none=_l("The school's"))
    locale = SelectField(_l("Language"), choices=lambda: [("", _("The school's")), *LANGUAGES])
    emergency_contact = _line(_l("Emergency contact"), 200)

    @property
    def changes(self) -> dict[str, Any]:
        """The typed values by field, for the deed."""
        return {field.name: field.data for field in self if field.name != "csrf_token"}


class FactsForm(ReadForm):
    """What admins say about a person."""

    department_id = SelectField(_l("Department"))
    level = SelectField(_l("Level"))
    tags = SelectMultipleField(_l("Tags"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())
    primary_instructor_id = SelectField(_l("Primary instructor"))
    certificate_number = _line(_l("Certificate number"), 40)
    license_number = _line(_l("License number"), 40)

    def offer(
        self,
        departments: Mapping[str, str],
        instructors: Mapping[str, str],
        levels: Sequence[str],
        tags: Sequence[str],
    ) -> None:
        """Give the selects their choices; departments and instructors by id. Call it before validating."""
        none = SelectChoice("", _("None"))
        self.department_id.choices = [none, *(SelectChoice(*choice) for choice in departments.items())]
        self.primary_instructor_id.choices = [none, *(SelectChoice(*choice) for choice in instructors.items())]
        self.level.choices = [none, *(SelectChoice(level, level) for level in levels)]
        self.tags.choices = [SelectChoice(tag, tag) for tag in tags]

    @property
    def changes(self) -> dict[str, Any]:
        """The chosen values by field, ids as numbers, for the deed."""
        return {
            "department_id": int(self.department_id.data) if self.department_id.data else None,
            "primary_instructor_id": int(self.primary_instructor_id.data) if self.primary_instructor_id.data else None,
            "level": self.level.data or None,
            "tags": list(self.tags.data or []),
            "certificate_number": self.certificate_number.data,
            "license_number": self.license_number.data,
        }


class ErasureForm(Form):
    """Erasing a person; their name is typed, so that nobody erases the wrong one by a slip."""

    name = name_field(_l("Their name"))
    wanted = ""
    """The name that has to be typed."""

    def validate_name(self, field: Any) -> None:
        if " ".join((field.data or "").split()).casefold() != " ".join(self.wanted.split()).casefold():
            raise ValidationError(_("This is not the name. Type “%(name)s”.", name=self.wanted))
