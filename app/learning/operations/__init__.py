"""Every write of learning: taking a course, and assigning it to people."""

from __future__ import annotations

from app.learning.operations.assigning import (
    AssignmentChanged,
    Everybody,
    IsAssigned,
    IsTakenBack,
    assign_course,
    change_assignment,
    remind,
    remove_assignment,
)
from app.learning.operations.taking import (
    CourseIsClosed,
    StepDone,
    TryIsOver,
    answer_question,
    complete_step,
    enroll,
    move_on,
    remember_place,
    start_quiz,
    submit_quiz,
)

__all__ = [
    "AssignmentChanged", "CourseIsClosed", "Everybody", "IsAssigned", "IsTakenBack", "StepDone", "TryIsOver",
    "answer_question", "assign_course", "change_assignment", "complete_step", "enroll", "move_on", "remember_place",
    "remind", "remove_assignment", "start_quiz", "submit_quiz",
]  # fmt: skip
