"""Two people who change one thing at once: what each of them changed is done, and where it is the same, the second is told.

A form carries what it was made with (`forms.ReadForm`). Its deed asks here what of the typed values its person has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import gettext as _

from app.foundation.refusals import Refusal


class ChangedMeanwhile(Refusal):
    """Somebody else changed the same `fields` since the form was made."""

    def __init__(self, fields: Collection[str]) -> None:
        super().__init__(_("Somebody else changed the same while you did. Save again to put yours in its place."))
        self.fields = sorted(fields)


def changed_by(typed: Mapping[str, Any], read: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Of the typed values those that differ from what was read; a field that was not read counts as changed.

    All are JSON values by field. Raises ChangedMeanwhile where the same field is neither as it was read nor as it was typed.
    """
    mine = {name: value for name, value in typed.items() if name not in read or value != read[name]}
    both = [name for name, value in mine.items() if name in read and now[name] not in (read[name], value)]
    if both:
        raise ChangedMeanwhile(both)
    return mine


def chosen_by(typed: Collection[str], read: Collection[str] | None, now: Collection[str]) -> set[str]:
    """What a set of choices is once the boxes that one person ticked or cleared are so; all that is typed if nothing was read."""
    if read is None:
        return set(typed)
    return (set(now) | (set(typed) - set(read))) - (set(read) - set(typed))
