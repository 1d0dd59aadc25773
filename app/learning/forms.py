"""Forms of people taking courses. What they carry is hidden: the deed is the button."""

from __future__ import annotations

from app.foundation.forms import CreatingForm


class BeginForm(CreatingForm):
    """Beginning something once: a course, a try at a quiz."""
