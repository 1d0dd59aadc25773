"""What happens to courses."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class CoursePublished(Event):
    """A course has a new version, which whoever enrolls from now on gets."""

    course_id: int
    publication_id: int
    version: int
