"""Partitions by month, made ahead by a scheduled job, so that no row ever lands in the default one."""

from __future__ import annotations

import logging

from dateutil.relativedelta import relativedelta
from sqlalchemy import Date, bindparam, cast, func, select

from app.foundation import clock
from app.foundation.db import session

log = logging.getLogger(__name__)
PARTITIONED_TABLES = ("audit_entry",)
MONTHS_AHEAD = 3


def make_months_ahead() -> None:
    """Make this month's partition and the next three of every partitioned table, where they are missing."""
    first = clock.now().date().replace(day=1)
    for table in PARTITIONED_TABLES:
        for ahead in range(MONTHS_AHEAD + 1):
            month = cast(bindparam("month", first + relativedelta(months=ahead)), Date)
            session.execute(select(func.make_month_partition(table, month)))
