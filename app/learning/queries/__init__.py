"""Every SELECT about people taking courses, and about whom those are assigned to."""

from __future__ import annotations

from app.learning.queries.assignments import (
    ASSIGNED_TO_ME,
    COUNT_OVERDUE,
    PEOPLE_STATES,
    SORTS,
    STATES,
    Assigned,
    AssignmentLine,
    Mine,
    Standing,
    courses_of,
    find_assignment,
    find_assignment_line,
    find_standing,
    hold_assignment,
    is_theirs,
    list_assigned_people,
    list_assignments,
    list_open_assignments_of,
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
    "ASSIGNED_TO_ME", "COUNT_OVERDUE", "PEOPLE_STATES", "SORTS", "STATES", "Assigned", "AssignmentLine", "ContinueCard",
    "CourseProgress", "Mine", "QuizState", "Standing", "Taking", "continue_where_left", "count_steps_done",
    "course_progress_for", "courses_of", "enrollment_of", "find_assignment", "find_assignment_line", "find_standing", "find_taking",
    "hold_assignment", "is_theirs", "list_assigned_people", "list_assignments", "list_open_assignments_of",
    "list_people_to_tell", "place_after", "progress_by_course", "quiz_state", "verdicts_on",
]  # fmt: skip
