"""Partitions by month, made ahead each night and at every start, so that no row ever lands in the default one."""

from __future__ import annotations

import logging
from datetime import date

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection, Date, bindparam, cast, func, select
from sqlalchemy.exc import IntegrityError

from app.foundation import clock
from app.foundation.db import session

log = logging.getLogger(__name__)
PARTITIONED_TABLES = ("audit_entry",)
MONTHS_AHEAD = 3


def make_months_ahead(connection: Connection) -> None:
    """Make this month's partition and the next three of every partitioned table, where they are missing.

    A month whose rows have gone to the default partition, because nothing ran for months, stays there: PostgreSQL makes no
    partition of it any more. The months after it are made all the same, and the log says so.
    """
    first = clock.now().date().replace(day=1)
    for table in PARTITIONED_TABLES:
        for ahead in range(MONTHS_AHEAD + 1):
            _make_month(connection, table, first + relativedelta(months=ahead))


def tables_with_strays() -> list[str]:
    """The partitioned tables of which rows lie in no month. The web role may read no partition: a function looks."""
    return list(session.scalars(select(func.tables_with_strays())))


def _make_month(connection: Connection, table: str, month: date) -> None:
    """Leave a partition that stands alone: the function would lock it, and every writer of this month waited for that."""
    if connection.scalar(select(func.to_regclass(f"public.{table}_{month:%Y_%m}"))):
        return
    try:
        with connection.begin_nested():
            connection.execute(select(func.make_month_partition(table, cast(bindparam("month", month), Date))))
    except IntegrityError:
        log.error("a month has rows in the default partition", extra={"table": table, "month": month.isoformat()})
