"""Statements that PostgreSQL parses and plans once a connection: those that run on every page, or nearly.

A join of three tables behind the wall takes the planner five times as long as running it. `PREPARE` outlives transactions,
so each pooled connection plans once. It wants a connection of its own: a pooler between us and PostgreSQL must work by
session, not by transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy.util import immutabledict

from app.foundation.db import ROWS_ALONE, session


class Prepared:
    """One statement, written as for the driver (`%(name)s`), with the SQL type of each of its values.

    Types of values that the statement does not name are left out, so that statements put together from parts may share
    one list. Columns are named, never `*`: a plan outlives a migration only if its columns do.
    """

    def __init__(self, sql: str, **types: str) -> None:
        used = {name: kind for name, kind in types.items() if f"%({name})s" in sql}
        self.sql = sql
        self._name = "p" + hashlib.sha256(sql.encode()).hexdigest()[:20]
        numbered = sql % {name: f"${number}" for number, name in enumerate(used, start=1)}
        self._prepare = f"prepare {self._name}{_listed(used.values())} as {numbered}"
        self._execute = f"execute {self._name}{_listed(f'%({name})s' for name in used)}"
        self._options = immutabledict({**ROWS_ALONE, "plain": sql})

    def run(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Its rows, asked on the session's connection. Listeners find the statement as `plain` in the options."""
        connection = session.connection()
        known: set[str] = connection.info.setdefault("prepared", set())
        if self._name not in known:
            # Through SQLAlchemy, not its cursor: a server that dies just now is then known to be gone, as anywhere else.
            connection.exec_driver_sql(self._prepare, execution_options={"no_parameters": True})
            known.add(self._name)
        return connection.exec_driver_sql(self._execute, dict(values), execution_options=self._options)  # type: ignore[return-value]

    def first(self, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Its first row, or None."""
        found = self.run(values)
        return found[0] if found else None

    def value(self, values: Mapping[str, Any]) -> Any:
        """The first value of its first row; None where there is no row."""
        found = self.run(values)
        return found[0][0] if found else None


def _listed(parts: Any) -> str:
    listed = ", ".join(parts)
    return f" ({listed})" if listed else ""
