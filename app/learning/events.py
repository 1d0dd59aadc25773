"""What happens when people take a course, and when it is assigned to them."""

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


@dataclass(frozen=True)
class CourseAssigned(Event):
    """A course is assigned to a department, a person or everybody."""

    assignment_id: int
    actor_id: int | None


@dataclass(frozen=True)
class AssignmentMoved(Event):
    """An assignment has another last day, or none any more."""

    assignment_id: int
    actor_id: int | None


@dataclass(frozen=True)
class AssignmentDue(Event):
    """The last day of an assignment, `due_on` in ISO, is near, or over (`is_over` is 1)."""

    assignment_id: int
    due_on: str
    is_over: int


@dataclass(frozen=True)
class AssignmentRemoved(Event):
    """Nobody is asked any more to complete a course."""

    assignment_id: int
