"""Forms: shape and wording. Every form carries the CSRF token and, where it creates something, a one-use key."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from app.foundation.db import session
from app.foundation.inputs import draw
from app.foundation.language import FormWords
from app.foundation.limits import TooMany
from app.foundation.meanwhile import ChangedMeanwhile
from app.foundation.refusals import Refusal

T = TypeVar("T")
WORDS = FormWords()


class Form(FlaskForm):
    """The base of all forms. `carry_out` runs a deed with what was typed and keeps the form for showing again.

    `refusal` is the sentence of a refused deed and `refused` the refusal itself, `status` the answer's code (200 before
    anything was sent, 422, 409).
    """

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: object) -> FormWords:
            return WORDS

        def render_field(self, field: Any, render_kw: dict[str, Any]) -> Any:
            return draw(field, render_kw)

    refusal: str = ""
    refused: Refusal | None = None
    status: int = 200

    def carry_out(self, deed: Callable[[], T]) -> T | None:
        """Validate and run `deed`; None if the form is invalid (422) or the deed refused (409), with nothing half-written."""
        if not self.validate_on_submit():
            self.status = 422
            return None
        try:
            with session.begin_nested():
                return deed()
        except TooMany:
            raise  # its page says when to come back
        except Refusal as refused:
            self.refusal, self.refused, self.status = refused.sentence, refused, refused.status
            return None


class CreatingForm(Form):
    """A form that creates something: the same form sent again answers as the first time did."""

    once = HiddenField(default=lambda: uuid.uuid4().hex)


class ReadForm(Form):
    """A form about something that others may change meanwhile: it carries the values that it was made with (see `meanwhile`).

    `called` names the field of the form for a field of the deed, where the names differ.
    """

    read = HiddenField()
    called: ClassVar[Mapping[str, str]] = {}

    def was_made_with(self, values: Mapping[str, Any]) -> None:
        """Say what its person reads in it: JSON values by field."""
        self.read.data = json.dumps(values, sort_keys=True)

    @property
    def values_read(self) -> dict[str, Any]:
        """What it was made with; nothing where that was not sent, or makes no sense."""
        try:
            values = json.loads(self.read.data or "{}")
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def leave_untouched(self, now: Mapping[str, Any]) -> None:
        """Before it is validated: what its person has left as it was read is what it is by now."""
        read = self.values_read
        for name, value in now.items():
            field = self[self.called.get(name, name)]
            if name in read and _as_typed(field.data) == _as_typed(read[name]):
                field.data, read[name] = _typed(value), value
        if read:
            self.was_made_with(read)

    def take_note(self, changed: ChangedMeanwhile, now: Mapping[str, Any]) -> None:
        """After a refusal: say at the fields what somebody else made of them; sending it again then puts one's own there."""
        for name in changed.fields:
            field = self[self.called.get(name, name)]
            said = _in_words(field, now[name])
            field.errors = [*field.errors, _("Somebody else changed this to: %(value)s.", value=said)]
        self.was_made_with(now)


def _in_words(field: Any, value: Any) -> str:
    """A value as its person reads it in the field: of a choice its label."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    choices = field.iter_choices() if isinstance(field, SelectField) else ()
    return str(next((label for key, label, *_rest in choices if key == _typed(value)), value or "–"))


def _typed(value: Any) -> Any:
    """A value as a field holds it."""
    return list(value) if isinstance(value, list) else "" if value is None else str(value)


def _as_typed(value: Any) -> Any:
    """The same, to be compared: boxes have no order."""
    return sorted(map(str, value)) if isinstance(value, list) else _typed(value)


class Checkboxes(SelectMultipleField):
    """Any of several choices, each a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def stripped(value: Any) -> Any:
    """A WTForms filter: text without the spaces around it."""
    return value.strip() if isinstance(value, str) else value
