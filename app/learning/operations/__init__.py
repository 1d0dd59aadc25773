"""Every write of learning: taking a course, and assigning it to people."""

from __future__ import annotations

from app.learning.operations.assigning import (
    IsAssigned,
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
    "CourseIsClosed", "IsAssigned", "StepDone", "TryIsOver", "answer_question", "assign_course", "change_assignment",
    "complete_step", "enroll", "move_on", "remember_place", "remind", "remove_assignment", "start_quiz", "submit_quiz",
]  # fmt: skip
