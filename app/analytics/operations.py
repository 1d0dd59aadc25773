"""Writing the daily counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.dialects.postgresql import insert

from app.analytics.models import Rollup
from app.analytics.queries import count_happened, list_counted_days
from app.analytics.rules import KEPT_DAYS, MEASURES, days_to_count, last_days
from app.foundation import clock, tenancy
from app.foundation.db import session


def count_recent_days() -> int:
    """Count the last three days of the school in force, and what is missing of the last fourteen. Returns how many days."""
    today = clock.today(tenancy.required().zone)
    oldest = last_days(today, KEPT_DAYS)[0]
    return count_days(days_to_count(today, list_counted_days(oldest, today)))


def count_days(days: Sequence[date]) -> int:
    """Count these calendar days (the school's zone) anew, zeros included. Twice is as good as once. Returns how many days."""
    if not days:
        return 0
    happened, now = count_happened(days), clock.now()
    rows = [
        {
            "tenant_id": tenancy.required().id, "day": day, "measure": measure,
            "value": happened.get((day, measure), 0), "counted_at": now,
        }
        for day in days
        for measure in MEASURES
    ]  # fmt: skip
    counted = insert(Rollup).values(rows)
    session.execute(
        counted.on_conflict_do_update(
            index_elements=["tenant_id", "day", "measure"],
            set_={"value": counted.excluded.value, "counted_at": counted.excluded.counted_at},
        )
    )
    return len(days)
