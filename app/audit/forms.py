"""The filters of the trail, as they stand in the address."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import Length, NumberRange, Optional

from app.audit.queries import Vocabulary, Wanted
from app.audit.rules import action_words, end_of_day, start_of_day, subject_words
from app.foundation.forms import Form

LARGEST_ID = 2**63 - 1
YEARS = range(2000, 2200)


def _plain(value: str | None) -> str:
    """Without the spaces around it, and without the one character that PostgreSQL cannot look for."""
    return (value or "").replace("\0", "").strip()


class TrailForm(Form):
    """Person, action, subject, days, the code of a request, an address. All may be empty."""

    person = StringField(_l("Person"), [Length(max=100)], filters=[_plain])
    member = IntegerField(_l("Person’s number"), [Optional(), NumberRange(1, LARGEST_ID)])
    action = SelectField(_l("What was done"), choices=[], validate_choice=False, filters=[_plain])
    subject = SelectField(_l("To what"), choices=[], validate_choice=False, filters=[_plain])
    number = IntegerField(_l("Its number"), [Optional(), NumberRange(1, LARGEST_ID)])
    since = DateField(_l("From"), [Optional()])
    until = DateField(_l("To"), [Optional()])
    code = StringField(_l("Code of the request"), [Length(max=64)], filters=[_plain])
    address = StringField(_l("Network address"), [Length(max=64)], filters=[_plain])

    def validate_since(self, field: Field) -> None:
        if field.data and field.data.year not in YEARS:
            raise ValidationError(_("Choose a day of this century."))

    def validate_until(self, field: Field) -> None:
        self.validate_since(field)
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(_("The last day is before the first."))

    @property
    def is_narrowed(self) -> bool:
        return any(field.data for field in self)

    @property
    def asked(self) -> dict[str, str]:
        """The filters in use, for the address of the same list in another form."""
        return {field.name: str(field.data) for field in self if field.data}

    @property
    def has_more(self) -> bool:
        """Whether one of the seldom used filters is in use, or wrong."""
        return any(field.data or field.errors for field in (self.number, self.code, self.address))

    def offer(self, words: Vocabulary) -> None:
        """Fill the selects; a value that the trail does not know stays chosen, and finds nothing."""
        self.action.choices = _choices({*words.actions, self.action.data or ""}, action_words)
        self.subject.choices = _choices({*words.subject_types, self.subject.data or ""}, subject_words)

    def wanted(self, zone: str, hashed: Callable[[str], bytes]) -> Wanted:
        """What a valid form asks for. Days are days of `zone`; `hashed` makes an address findable."""
        return Wanted(
            person=self.person.data or "",
            member_id=self.member.data,
            action=(self.action.data or "")[:80],
            subject_type=(self.subject.data or "")[:60],
            subject_id=self.number.data,
            since=start_of_day(self.since.data, zone) if self.since.data else None,
            before=end_of_day(self.until.data, zone) if self.until.data else None,
            correlation_id=self.code.data or "",
            ip_hash=hashed(self.address.data) if self.address.data else None,
        )


def _choices(values: set[str], spelled: Callable[[str], str]) -> list[tuple[str, str]]:
    words = ((value, spelled(value)) for value in values - {""})
    return [("", _("All")), *sorted(words, key=lambda choice: choice[1].lower())]
