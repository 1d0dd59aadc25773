"""Sessions with one commit in one place.

A request or job works on the thread's `session`. What returns is committed, what raises is rolled back: here and
nowhere else. Operations never commit. Code that must run once the commit is through says `after_commit(…)`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask, Response, g
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.orm.session import SessionTransaction

log = logging.getLogger(__name__)

session: scoped_session[Session] = scoped_session(sessionmaker(autoflush=True, expire_on_commit=False))
_engine: Engine | None = None


def init_db(url: str, *, pool_size: int) -> Engine:
    """Make the engine of this process. `pool_size` is the number of threads: none ever waits for another's connection."""
    global _engine
    _engine = make_engine(url, pool_size=pool_size)
    session.remove()
    session.configure(bind=_engine)
    return _engine


def make_engine(url: str, *, pool_size: int) -> Engine:
    made = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 2, "options": "-c timezone=UTC -c statement_timeout=15000"},
    )
    made.dialect.execution_ctx_cls = _RowsAlone
    return made


class _RowsAlone(PGExecutionContext_psycopg2):
    """Hands over the rows of a statement marked ROWS_ALONE as the driver's tuples. For others SQLAlchemy makes a CursorResult,
    which describes the columns of a plain statement anew at each run; the sign-in lookup has 26, on every page."""

    def _setup_result_proxy(self) -> Any:
        if not self.execution_options.get("rows_alone"):
            return super()._setup_result_proxy()
        found = self.cursor.fetchall() if self.cursor.description else []
        self.cursor.close()
        return found


ROWS_ALONE = {"rows_alone": True}


def rows(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement written as for the driver (`%(name)s`), which runs on the session's connection."""
    return session.connection().exec_driver_sql(sql, dict(values), execution_options=ROWS_ALONE)  # type: ignore[return-value]


def engine() -> Engine:
    """The engine of this process; raises before init_db."""
    if _engine is None:
        raise RuntimeError("init_db has not been called in this process")
    return _engine


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One transaction outside a request: commits on return, rolls back on any exception."""
    session.remove()
    try:
        yield session()
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.remove()


def after_commit(deed: Callable[[], object]) -> None:
    """Run `deed` after the transaction now open has committed; forget it if that, or the savepoint it was said in, rolls back."""
    session().info.setdefault("after_commit", []).append((session().get_nested_transaction(), deed))


def mark_rollback() -> None:
    """Said by the error handler: what this request wrote is not to be kept, whatever its status."""
    g.rollback = True


def commit_on_return(app: Flask) -> None:
    """Commit what a request did once its view has returned; roll back if an error handler said so."""

    @app.after_request
    def commit(response: Response) -> Response:
        if session.registry.has():
            if g.get("rollback"):
                session.rollback()
            else:
                session.commit()
        return response

    @app.teardown_request
    def remove(_error: BaseException | None) -> None:
        session.remove()


# SQLAlchemy tells of savepoints by the same two events as of transactions. A savepoint that is released has committed nothing:
# whoever was woken by it would look for rows that nobody can see yet.


@event.listens_for(Session, "after_commit")
def _run_after_commit(committed: Session) -> None:
    if committed.in_nested_transaction():
        return
    for _savepoint, deed in committed.info.pop("after_commit", []):
        try:
            deed()
        except Exception:
            # The rows are safe; a nudge that failed is caught up by the scheduled sweep.
            log.exception("after_commit failed")


@event.listens_for(Session, "after_rollback")
def _forget_after_commit(rolled_back: Session) -> None:
    waiting, savepoint = rolled_back.info.pop("after_commit", []), rolled_back.get_nested_transaction()
    if savepoint:
        kept = [(said_in, deed) for said_in, deed in waiting if not _lies_in(savepoint, said_in)]
        rolled_back.info["after_commit"] = kept


def _lies_in(savepoint: SessionTransaction, other: SessionTransaction | None) -> bool:
    """Whether a savepoint is, or was made inside of, another one."""
    while other is not None and other is not savepoint:
        other = other.parent
    return other is savepoint
