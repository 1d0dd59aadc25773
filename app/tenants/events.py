"""What happens to schools, for the floors above."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class DepartmentMoved(Event):
    """A department, and with it all those below it, lies elsewhere in the tree."""

    department_id: int


@dataclass(frozen=True)
class SchoolChanged(Event):
    """A school decided to work otherwise. `fields` names what changed, by commas; `version` is the settings' then."""

    version: int
    fields: str
