"""`flask demo grow`: many schools, whose trails are chained like any other."""

from __future__ import annotations

import pytest
from flask import Flask

from app.demo.grow import SIZES, grow
from app.demo.grow.sizes import Size
from app.foundation import tenancy
from app.foundation.db import unit_of_work
from app.foundation.partitions import tables_with_strays
from tests.audit.committed import committed
from tests.cast import Person
from tests.client import LintingClient

TINY = Size(schools=3, people=40, courses=1, bookings=60, courses_taken=1, steps_done=30, entries=90)


def test_grown_trails_hold_and_go_on(the_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "tiny", TINY)
    with committed(the_app, "grown") as here:
        with the_app.app_context():
            written = grow("tiny", here.settings)
            assert (written["tenant"], written["membership"]) == (TINY.schools, TINY.schools * TINY.people)
            assert written["audit_entry"] == TINY.schools * TINY.entries
            assert written["assignment"] == TINY.schools * TINY.courses
        before = here.run("audit", "verify")
        assert before.exit_code == 0, before.output
        assert f"field-003: {TINY.entries} links hold" in before.output
        admin = LintingClient(the_app).sign_in(Person("admin@field-003.example", "field-003"))
        assert "Booking requested" in admin.get("/field-003/audit").text
        manager = LintingClient(the_app).sign_in(Person("manager@field-003.example", "field-003"))
        assert manager.get("/field-003/assignments?state=all").find(".//tbody/tr") is not None
        after = here.run("audit", "verify", "--tenant", "field-003")
        assert after.exit_code == 0, after.output
        assert f"field-003: {TINY.entries + 2} links hold" in after.output
        with tenancy.tenant_scope(None), unit_of_work():
            assert tables_with_strays() == []


def test_a_grown_entry_that_is_changed_is_named(the_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "tiny", TINY)
    with committed(the_app, "bent") as here:
        with the_app.app_context():
            grow("tiny", here.settings)
        here.tamper(
            "update audit_entry set action = 'session.ended' where id = (select entry_id from audit_link l"
            " join tenant t on t.id = l.tenant_id where t.slug = 'field-002' and l.seq = 31)"
        )
        done = here.run("audit", "verify")
        assert done.exit_code == 1
        assert "field-002: BROKEN at link 31" in done.output


def test_a_database_grows_once(the_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "S", TINY)
    with committed(the_app, "once") as here:
        assert here.run("demo", "grow").exit_code == 0
        again = here.run("demo", "grow")
        assert again.exit_code == 1
        assert "has grown before" in again.output
