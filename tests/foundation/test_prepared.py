"""Prepared statements: planned once a connection, and walled in like any other."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.foundation import db
from app.foundation.errors import database_is_gone
from app.foundation.prepared import Prepared
from tests.cast import ANA, HAL, at_school, member

NAMES = Prepared(
    "select name from membership where id = %(id)s and (name = %(name)s or %(name)s is null)", id="bigint", name="text"
)
PLANS = "select count(*) from pg_prepared_statements where statement like '%select name from membership%'"


def test_it_is_planned_once_however_often_it_runs(app: Flask) -> None:
    with at_school("skyline"):
        ana = member(ANA)
        for _ in range(3):
            assert NAMES.value({"id": ana.id, "name": None}) == "Ana Ruiz"
        assert NAMES.value({"id": ana.id, "name": "Hal Pryce"}) is None
        assert db.session.connection().exec_driver_sql(PLANS.replace("%", "%%"), {}).scalar() == 1


def test_a_plan_made_at_one_school_shows_nothing_of_it_at_the_next(app: Flask) -> None:
    with at_school("harbour"):
        hal = member(HAL).id
        for _ in range(7):  # After five runs PostgreSQL may keep one plan for all values.
            assert NAMES.value({"id": hal, "name": None}) == "Hal Pryce"
    with at_school("skyline"):
        assert NAMES.value({"id": hal, "name": None}) is None


def test_it_outlives_a_transaction_that_was_rolled_back(app: Flask) -> None:
    with at_school("skyline"):
        ana = member(ANA).id
        savepoint = db.session.begin_nested()
        NAMES.run({"id": ana, "name": None})
        with pytest.raises(DBAPIError):
            db.session.connection().exec_driver_sql("select 1 / 0")
        savepoint.rollback()
        assert NAMES.value({"id": ana, "name": None}) == "Ana Ruiz"


def test_a_server_that_dies_while_it_plans_is_known_to_be_gone(committing_app: Flask) -> None:
    with at_school("skyline"):
        ours = db.session.connection().exec_driver_sql("select pg_backend_pid()").scalar()
        with db.engine().connect() as another:
            another.execute(text("select pg_terminate_backend(:ours, 5000)"), {"ours": ours})
        with pytest.raises(DBAPIError) as died:
            NAMES.run({"id": 1, "name": None})
        assert database_is_gone(died.value)
        db.session.rollback()
        assert NAMES.value({"id": member(ANA).id, "name": None}) == "Ana Ruiz"
