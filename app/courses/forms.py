"""Forms of courses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.foundation.forms import Checkboxes, CreatingForm, Form


class PublishForm(CreatingForm):
    """A button and its one-use key: a double click makes one version."""


class AudienceForm(Form):
    """The departments that a course is for; none are everybody."""

    departments = Checkboxes(_l("Departments"), coerce=int)

    def offer(self, departments: Mapping[int, str]) -> None:
        """Say which departments there are: names by id. Call it before validating."""
        self.departments.choices = list(departments.items())

    @property
    def boxes(self) -> dict[int, Any]:
        """The box of each department, by its id."""
        return {box.data: box for box in self.departments}
