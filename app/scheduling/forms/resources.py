"""Forms about aircraft, simulators and rooms."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from app.foundation.forms import CreatingForm, Form, stripped

KINDS = {"aircraft": _l("Aircraft"), "simulator": _l("Simulator"), "room": _l("Room")}
"""What a school owns and people book, in words."""


class ResourceFields:
    """What a thing is called, and what it is."""

    name = StringField(_l("Name"), [DataRequired(_l("Give a name.")), Length(max=120)], [stripped])
    detail = StringField(_l("Detail"), [Length(max=120)], [stripped])


class NewResourceForm(ResourceFields, CreatingForm):
    """A thing that is put into service."""

    kind = SelectField(_l("Kind"), choices=lambda: list(KINDS.items()))


class ResourceForm(ResourceFields, Form):
    """A thing that is renamed."""
