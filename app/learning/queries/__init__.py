"""Every SELECT about people taking courses, and about whom those are assigned to."""

from __future__ import annotations

from app.learning.queries.assignments import (
    ASSIGNED_TO_ME,
    IS_ASSIGNED,
    PEOPLE_STATES,
    SORTS,
    STATES,
    Assigned,
    AssignmentLine,
    Standing,
    assignments_of,
    find_assignment_line,
    find_standing,
    is_assigned_to,
    list_assigned_people,
    list_assignments,
    list_people_to_tell,
)
from app.learning.queries.taking import (
    ContinueCard,
    CourseProgress,
    QuizState,
    Taking,
    continue_where_left,
    count_steps_done,
    course_progress_for,
    enrollment_of,
    find_taking,
    place_after,
    progress_by_course,
    quiz_state,
    verdicts_on,
)

__all__ = [
    "ASSIGNED_TO_ME", "IS_ASSIGNED", "PEOPLE_STATES", "SORTS", "STATES", "Assigned", "AssignmentLine", "ContinueCard",
    "CourseProgress", "QuizState", "Standing", "Taking", "assignments_of", "continue_where_left", "count_steps_done",
    "course_progress_for", "enrollment_of", "find_assignment_line", "find_standing", "find_taking", "is_assigned_to",
    "list_assigned_people", "list_assignments", "list_people_to_tell", "place_after", "progress_by_course", "quiz_state",
    "verdicts_on",
]  # fmt: skip
