"""One commit in one place: what returns is kept, what raises is not, and what waits for the commit runs after it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.audit.operations import audit
from app.foundation import db
from app.foundation.actor import SYSTEM
from app.foundation.db import after_commit, session, unit_of_work
from app.foundation.permissions import public
from app.foundation.refusals import Refusal
from app.tenants.models import Department
from tests.cast import at_school
from tests.client import LintingClient


def departments() -> set[str]:
    with at_school("skyline"):
        return set(session.scalars(select(Department.name)))


def add_department_route(app: Flask, outcome: Any) -> LintingClient:
    """A route that adds a department, writes an audit entry and then does `outcome`."""

    @public("a test asks")
    def made() -> Any:
        with at_school("skyline"):
            department = Department(name="Balloons")
            session.add(department)
            session.flush()
            audit("department.added", actor=SYSTEM, subject=department)
            session.flush()
            return outcome()

    app.add_url_rule("/made", "made", made)
    return LintingClient(app)


def raise_(error: Exception) -> None:
    raise error


def test_what_returns_is_committed(throwaway: Flask) -> None:
    client = add_department_route(throwaway, lambda: ("", 204))
    assert client.get("/made").status == 204
    assert "Balloons" in departments()


def test_a_returned_422_is_committed_too(throwaway: Flask) -> None:
    """By status, the audit entry of a refused try would be lost."""
    assert add_department_route(throwaway, lambda: ("", 422)).get("/made").status == 422
    with at_school("skyline"):
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "department.added")).all()


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("no"), 500), (Refusal("Not now."), 409)])
def test_what_raises_is_rolled_back(throwaway: Flask, error: Exception, status: int) -> None:
    assert add_department_route(throwaway, lambda: raise_(error)).get("/made").status == status
    assert "Balloons" not in departments()


def test_after_commit_runs_in_order_once_and_only_then(app: Flask) -> None:
    told: list[str] = []
    with unit_of_work():
        after_commit(lambda: told.append("first"))
        after_commit(lambda: told.append("second"))
        session.execute(text("select 1").execution_options(global_tables_only=True))
        assert told == []
    assert told == ["first", "second"]
    with unit_of_work():
        session.execute(text("select 1").execution_options(global_tables_only=True))
    assert told == ["first", "second"]


def test_after_commit_is_forgotten_when_it_rolls_back(app: Flask) -> None:
    told: list[str] = []

    def fail() -> None:
        with unit_of_work():
            after_commit(lambda: told.append("never"))
            session.execute(text("select 1").execution_options(global_tables_only=True))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with unit_of_work():
        session.execute(text("select 1").execution_options(global_tables_only=True))
    assert told == []


def test_a_savepoint_that_is_released_has_committed_nothing(app: Flask) -> None:
    """Every form carries its deed out in a savepoint: a worker woken at its end would find no row."""
    told: list[str] = []
    with unit_of_work():
        after_commit(lambda: told.append("outside"))
        with session.begin_nested():
            with session.begin_nested():
                after_commit(lambda: told.append("inside"))
            assert told == []
        assert told == []
    assert told == ["outside", "inside"]


def test_a_savepoint_that_rolls_back_forgets_its_own_only(app: Flask) -> None:
    told: list[str] = []
    with unit_of_work():
        after_commit(lambda: told.append("before"))
        savepoint = session.begin_nested()
        with session.begin_nested():
            after_commit(lambda: told.append("never"))
        savepoint.rollback()
        after_commit(lambda: told.append("later"))
    assert told == ["before", "later"]


def test_a_deed_after_the_commit_that_fails_harms_nothing(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    with unit_of_work():
        after_commit(lambda: 1 / 0)
        after_commit(lambda: told.append("still"))
        session.execute(text("select 1").execution_options(global_tables_only=True))
    assert told == ["still"]
    assert "after_commit failed" in caplog.text


def test_the_engine_is_there_only_once_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_engine", None)
    with pytest.raises(RuntimeError, match="init_db"):
        db.engine()
