"""The bell rings where no school is in force, rows are stamped, and no stamp outlives its request."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from sqlalchemy import func, select, text, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.courses.models import Course
from app.foundation import db, tenancy
from app.foundation.db import session
from app.foundation.permissions import signed_in
from app.foundation.tenancy import NoTenant, WrongTenant, all_tenants, tenant_scope
from app.identity.models import Membership, User
from app.tenants.models import Department, Tenant
from tests.cast import ANA, HAL, at_school, member, school
from tests.client import LintingClient

WALLED = {
    "an entity": select(Department),
    "columns": select(Department.name),
    "a function": select(func.count(Department.id)),
    "a subquery": select(select(Department.id).limit(1).subquery()),
    "a scalar subquery": select(Tenant.id, select(func.count(Department.id)).scalar_subquery()),
    "exists": select(Tenant.id).where(select(Department.id).exists()),
    "in": select(Tenant.id).where(Tenant.id.in_(select(Department.tenant_id))),
    "a common table expression": select(select(Department.id).cte("d").c.id),
    "a nested common table expression": select(select(select(Department.id).cte("inner").c.id).cte("outer").c.id),
    "a union": union_all(select(Tenant.id), select(Department.id)),
    "a join": select(Tenant.id).join(Department, Department.tenant_id == Tenant.id),
    "text": text("select 1 from department"),
    "text with columns": text("select id from department").columns(Department.id),
    "text inside a select": select(text("1")).select_from(text("department")),
    "an insert": Department.__table__.insert().values(name="x", tenant_id=1),
    "an update": Department.__table__.update().values(name="x"),
    "a delete": Department.__table__.delete(),
}


@pytest.mark.parametrize("which", sorted(WALLED))
def test_the_bell_rings_without_a_school(app: Flask, which: str) -> None:
    with pytest.raises(NoTenant):
        session.execute(WALLED[which])


@pytest.mark.parametrize("which", sorted(WALLED))
def test_the_bell_rings_below_the_session_too(app: Flask, which: str) -> None:
    with pytest.raises(NoTenant):
        session.connection().execute(WALLED[which])


def test_global_tables_ring_no_bell(app: Flask) -> None:
    assert session.scalars(select(Tenant.slug).order_by(Tenant.slug)).all() == ["harbour", "skyline"]
    statement = text("select count(*) from tenant").execution_options(global_tables_only=True)
    assert session.execute(statement).scalar() == 2


def test_with_a_school_only_its_rows_are_seen(app: Flask) -> None:
    with at_school("skyline") as skyline:
        assert {d.tenant_id for d in session.scalars(select(Department))} == {skyline.id}


def test_silence_is_not_sight(app: Flask) -> None:
    with all_tenants():
        assert session.scalars(select(Department)).all() == []


def test_a_membership_is_seen_by_its_person_alone(app: Flask) -> None:
    with at_school("skyline"):
        ana = member(ANA)
    with pytest.raises(NoTenant):
        session.scalars(select(Membership)).all()
    tenancy.enter(None, user_id=ana.user_id)
    assert [m.user_id for m in session.scalars(select(Membership))] == [ana.user_id]


def test_new_rows_are_stamped(app: Flask) -> None:
    with at_school("harbour") as harbour:
        department = Department(name="Seaplanes")
        session.add(department)
        session.flush()
        assert department.tenant_id == harbour.id


def test_a_row_without_a_school_is_refused(app: Flask) -> None:
    session.add(Department(name="Nowhere"))
    with pytest.raises(NoTenant):
        session.flush()


@pytest.mark.parametrize("deed", ["new", "changed", "deleted"])
def test_another_school_s_row_is_never_written(app: Flask, deed: str) -> None:
    with at_school("skyline"):
        theirs = session.scalars(select(Department)).first()
        assert theirs
    with at_school("harbour"):
        if deed == "new":
            session.add(Department(name="Sneaked in", tenant_id=school("skyline").id))
        elif deed == "changed":
            theirs.name = "Renamed"
        else:
            session.delete(theirs)
        with pytest.raises(WrongTenant):
            session.flush()
    session.rollback()


def test_the_stamp_follows_in_an_open_transaction(app: Flask) -> None:
    stamped = text("select current_setting('app.tenant_id', true)").execution_options(global_tables_only=True)
    seen = []
    for place in (school("skyline"), school("harbour"), None):
        tenancy.enter(place)
        seen.append(session.execute(stamped).scalar())
    assert seen == [str(school("skyline").id), str(school("harbour").id), ""]


def test_a_scope_gives_back_what_was_before(app: Flask) -> None:
    with at_school("skyline") as skyline, pytest.raises(RuntimeError), tenant_scope(school("harbour")):
        raise RuntimeError
    assert tenancy.current() is None
    with tenant_scope(skyline):
        assert tenancy.required() == skyline
    with pytest.raises(NoTenant):
        tenancy.required()


@pytest.mark.parametrize("failing", ["a statement", "a flush"])
def test_a_scope_that_a_database_error_leaves_keeps_that_error(app: Flask, failing: str) -> None:
    def fail() -> None:
        if failing == "a flush":
            session.add_all([Department(name="Twice"), Department(name="Twice")])
            session.flush()
        session.execute(text("select 1 / 0"))

    with pytest.raises(DBAPIError, match=r"division by zero|duplicate key"), at_school("skyline"):
        fail()
    assert tenancy.current() is None
    session.rollback()
    with at_school("harbour") as harbour:
        assert set(session.scalars(select(Department.tenant_id))) == {harbour.id}


def test_threads_do_not_share_a_school(app: Flask) -> None:
    found: list[object] = []
    with at_school("skyline"):
        thread = threading.Thread(target=lambda: found.append(tenancy.current()))
        thread.start()
        thread.join()
    assert found == [None]


def test_an_unknown_school_is_not_found_and_is_asked_for_once(app: Flask) -> None:
    client = LintingClient(app)
    for _ in range(2):
        assert client.get("/nowhere/stuck-work").status == 404


def test_the_cache_of_schools_forgets(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    finder = tenancy._finder
    tenancy.tenants_come_from(lambda slug: asked.append(slug) or None)
    try:
        assert tenancy.find_by_slug("one") is None
        assert tenancy.find_by_slug("one") is None
        assert asked == ["one"]
        monkeypatch.setattr(tenancy, "CACHE_SECONDS", -1.0)
        tenancy.forget_tenants()
        tenancy.find_by_slug("one")
        tenancy.find_by_slug("one")
        assert asked == ["one"] * 3
        tenancy._cache.update({str(n): (0.0, None) for n in range(10_001)})
        tenancy.find_by_slug("two")
        assert list(tenancy._cache) == ["two"]
    finally:
        tenancy.tenants_come_from(finder)


def test_a_streamed_answer_leaves_no_stamp_behind(throwaway: Flask) -> None:
    """A stream that was cut off in the middle holds its own session; the next request on this thread reads its own school."""

    @signed_in
    def stream() -> Response:
        place = tenancy.required()

        def rows() -> Iterator[str]:
            with tenant_scope(place), Session(db.session.session_factory.kw["bind"]) as own:
                for name in own.scalars(select(Department.name).order_by(Department.name)):
                    yield f"{name}\n"

        return Response(rows(), mimetype="text/plain")

    @signed_in
    def count() -> dict[str, list[int]]:
        return {"schools": sorted(set(session.scalars(select(Course.tenant_id))))}

    throwaway.add_url_rule("/<tenant>/stream", "stream", stream)
    throwaway.add_url_rule("/<tenant>/count", "count", count)
    ana, hal = LintingClient(throwaway).sign_in(ANA), LintingClient(throwaway).sign_in(HAL)
    answer = ana.browser.get("/skyline/stream", buffered=False)
    assert next(answer.iter_encoded())
    answer.close()
    assert hal.browser.get("/harbour/count").json == {"schools": [school("harbour").id]}
    assert ana.browser.get("/skyline/stream").text.count("\n") == 4


def test_a_forgotten_transaction_is_dropped_at_the_next_request(app: Flask) -> None:
    hal = LintingClient(app).sign_in(HAL)
    tenancy.enter(school("skyline"))
    session.scalars(select(User)).first()
    assert "Skyline" not in hal.get("/harbour/").text
