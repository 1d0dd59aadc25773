"""Forms of people taking courses, where the deed is the button, and of those who assign them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length, Optional

from app.foundation import clock, tenancy
from app.foundation.forms import CreatingForm, Form, stripped
from app.identity.models import Membership
from app.identity.queries import find_by_name_or_address

EVERYBODY, ONE_PERSON = "everybody", "person"
FURTHEST = timedelta(days=5 * 366)


class BeginForm(CreatingForm):
    """Beginning something once: a course, a try at a quiz."""


class AssignmentFields:
    """By when, and in whose words."""

    due_on = DateField(_l("Due on"), [Optional()])
    note = TextAreaField(_l("Note"), [Optional(), Length(max=300)], [stripped])

    def validate_due_on(self, field: Any) -> None:
        today = clock.today(tenancy.required().zone)
        if field.data is None or field.data == field.object_data:
            return
        if field.data < today:
            raise ValidationError(_("That day is over. Choose today or a later one."))
        if field.data > today + FURTHEST:
            raise ValidationError(_("Choose a day within the next five years."))


class NewAssignmentForm(AssignmentFields, CreatingForm):
    """Which course, and for whom: everybody, a department (by its id), or one person by address or name."""

    course = SelectField(_l("Course"), [DataRequired(_l("Choose a course."))])
    whom = SelectField(_l("For"), [DataRequired(_l("Choose whom it is for."))])
    person = StringField(_l("Person"), [Length(max=254)], [stripped])
    member: Membership | None = None
    """Who was typed, once the form is valid."""

    def offer(self, courses: Mapping[int, str], places: list[tuple[str, str]]) -> None:
        """Say which courses there are (titles by id) and which departments (indented names by id). Call it before validating."""
        self.course.choices = [("", _("Choose one")), *((str(key), title) for key, title in courses.items())]
        self.whom.choices = [
            ("", _("Choose whom")), (EVERYBODY, _("Everybody at the school")), (ONE_PERSON, _("One person")), *places,
        ]  # fmt: skip

    @property
    def department_id(self) -> int | None:
        return int(self.whom.data) if self.whom.data not in (EVERYBODY, ONE_PERSON) else None

    def validate_person(self, field: Any) -> None:
        if self.whom.data != ONE_PERSON:
            if field.data:
                raise ValidationError(_("Choose “One person” above, or leave this empty."))
            return
        if not field.data:
            raise ValidationError(_("Give the person’s e-mail or whole name."))
        found = find_by_name_or_address(field.data)
        if not found:
            raise ValidationError(_("Nobody here has this e-mail or this whole name."))
        there = [member for member in found if member.is_active]
        if len(there) > 1:
            raise ValidationError(_("Several people are called that. Give the e-mail."))
        if not there:
            raise ValidationError(_("%(name)s is not in at present. Only who is in can be asked.", name=found[0].name))
        self.member = there[0]


class AssignmentForm(AssignmentFields, Form):
    """Another day or other words for an assignment, over the version that was read."""

    version = HiddenField()
