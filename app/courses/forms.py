"""Forms of courses."""

from __future__ import annotations

from app.foundation.forms import CreatingForm


class PublishForm(CreatingForm):
    """A button and its one-use key: a double click makes one version."""
