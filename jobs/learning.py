"""Reminding people of what is assigned to them."""

from __future__ import annotations

from datetime import datetime

from app.foundation.jobs import row_job
from app.learning import operations


@row_job
def remind_of_assignment(assignment_id: int, due_on: str, is_over: int) -> datetime | None:
    return operations.remind(assignment_id, due_on=due_on, is_over=bool(is_over))
