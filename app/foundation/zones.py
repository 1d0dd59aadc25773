"""A form's field for a time zone: the IANA names, drawn once for each that is chosen."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import StringField, ValidationError
from wtforms.widgets import html_params

LINKS_OF_OLD = ("Etc/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/", "SystemV/", "posix/", "right/")
"""Zones that are other names of zones in the list."""


class ZoneSelect:
    """Draws the zones of the world, and first the choice of none where the field has words for it."""

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        named = Markup(html_params(**{"id": field.id, "name": field.name, **attributes}))  # noqa: S704 — escaped
        none = Markup('<option value="">{}</option>').format(field.none) if field.none else Markup("")
        return Markup("<select {}>{}{}</select>").format(named, none, _options(field.data or ""))


class ZoneField(StringField):
    """An IANA name, chosen from the list. `none` are the words for choosing none: "" is then valid."""

    widget = ZoneSelect()

    def __init__(self, label: Any = None, *, none: Any = None, **options: Any) -> None:
        super().__init__(label, **options)
        self.none = none

    def pre_validate(self, form: Any) -> None:
        if self.data not in known_zones() and not (self.none and not self.data):
            raise ValidationError(_("Choose a time zone from the list."))


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Every name that is valid, older ones included."""
    return frozenset(available_timezones())


@lru_cache(maxsize=64)
def _options(chosen: str) -> Markup:
    offered = {zone for zone in known_zones() if "/" in zone and not zone.startswith(LINKS_OF_OLD)} | {"UTC"}
    rows = sorted(offered | ({chosen} if chosen in known_zones() else set()))
    option = Markup('<option value="{}"{}>{}</option>')
    selected = Markup(" selected")
    return Markup("").join(
        option.format(zone, selected if zone == chosen else "", zone.replace("_", " ")) for zone in rows
    )
