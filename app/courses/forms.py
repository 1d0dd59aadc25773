"""Forms of courses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from app.foundation.forms import Checkboxes, CreatingForm, Form


class PublishForm(CreatingForm):
    """A button and its one-use key: a double click makes one version."""


class AudienceForm(Form):
    """The departments that a course is for; none are everybody. `read` are those that it was for when the form was made."""

    read = HiddenField()
    departments = Checkboxes(_l("Departments"), coerce=int)

    def has_read(self, department_ids: Iterable[int]) -> None:
        """Say whom the course is for now."""
        self.read.data = ",".join(map(str, sorted(department_ids)))

    def offer(self, departments: Mapping[int, str]) -> None:
        """Say which departments there are: names by id. Call it before validating."""
        self.departments.choices = list(departments.items())

    @property
    def boxes(self) -> dict[int, Any]:
        """The box of each department, by its id."""
        return {box.data: box for box in self.departments}
