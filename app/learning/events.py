"""What happens when a person takes a course."""

from __future__ import annotations

from dataclasses import dataclass

from app.foundation.events import Event


@dataclass(frozen=True)
class LearnerEnrolled(Event):
    """A person began a course."""

    enrollment_id: int
    membership_id: int
    course_id: int


@dataclass(frozen=True)
class LessonCompleted(Event):
    """A person has done every step of a lesson. `lesson_key` is its stable key."""

    enrollment_id: int
    membership_id: int
    course_id: int
    lesson_key: str


@dataclass(frozen=True)
class CourseCompleted(Event):
    """A person has done every step of the publication they are enrolled in."""

    enrollment_id: int
    membership_id: int
    course_id: int
