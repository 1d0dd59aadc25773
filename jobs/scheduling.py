"""Work of scheduling that is due later."""

from __future__ import annotations

from datetime import datetime

from app.foundation.jobs import row_job
from app.scheduling.operations import escalating


@row_job
def escalate_booking(booking_id: int, number: int) -> datetime | None:
    """Tell the admins if this booking still waits; asked again later where the school has lengthened its hours."""
    return escalating.escalate_booking(booking_id, number=number)
