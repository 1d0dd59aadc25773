"""Every error answers in the product's look with the right status, a sentence and the code for support."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from flask import Flask, Response, abort, request
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.foundation import db
from app.foundation.db import session
from app.foundation.errors import database_is_gone, titles
from app.foundation.logs import JsonLines
from app.foundation.permissions import public
from app.foundation.refusals import BadRequest, Refusal
from app.foundation.replies import reply
from app.identity.models import User
from app.tenants.models import Department
from tests.cast import ANA, at_school
from tests.client import PARTIAL, LintingClient
from tests.conftest import second_app

STATUSES = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)


class GoneError(psycopg2.OperationalError):
    pgcode = None


class ShutDown(psycopg2.OperationalError):
    pgcode = "57P01"


class TooSlow(psycopg2.OperationalError):
    pgcode = "57014"


def gone(original: Exception) -> OperationalError:
    return OperationalError("select", {}, original)


def failing(app: Flask, error: Any) -> LintingClient:
    @public("a test asks")
    def fail() -> Any:
        if isinstance(error, int):
            abort(error)
        raise error

    app.add_url_rule("/fail", "fail", fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return LintingClient(app)


@pytest.mark.parametrize("status", STATUSES)
def test_each_error_has_its_page(throwaway: Flask, status: int) -> None:
    page = failing(throwaway, status).get("/fail")
    with throwaway.test_request_context():
        title, sentence = titles()[status]
    assert (page.status, page.h1) == (status, title)
    assert sentence in page.text
    assert page.headers["X-Request-ID"] in page.text
    assert page.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("status", STATUSES)
def test_a_partial_request_is_told_in_the_status_region(throwaway: Flask, status: int) -> None:
    page = failing(throwaway, status).get("/fail", headers=PARTIAL)
    assert (page.status, page.headers["HX-Retarget"], page.headers["HX-Reswap"]) == (status, "#flash", "innerHTML")
    assert "<h1" not in page.html
    assert page.text


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (Refusal("The runway is closed."), 409, "The runway is closed."),
        (BadRequest("No such day."), 400, "No such day."),
        (RuntimeError("secret detail"), 500, "It has been logged"),
        (IntegrityError("insert", {}, psycopg2.IntegrityError("secret detail")), 500, "It has been logged"),
        (gone(GoneError()), 503, "We cannot reach our records"),
        (gone(ShutDown()), 503, "We cannot reach our records"),
        (gone(TooSlow()), 500, "It has been logged"),
        (PoolTimeout(), 503, "We cannot reach our records"),
    ],
)
def test_what_is_raised_becomes_an_answer(throwaway: Flask, error: Exception, status: int, sentence: str) -> None:
    page = failing(throwaway, error).get("/fail")
    assert page.status == status
    assert sentence in page.text
    assert "secret" not in page.html


def test_a_lost_connection_counts_as_gone() -> None:
    lost = IntegrityError("x", {}, psycopg2.IntegrityError("x"))
    assert not database_is_gone(lost)
    lost.connection_invalidated = True
    assert database_is_gone(lost)
    assert not database_is_gone(RuntimeError())


END_OF_A_SERVER = text("select pg_terminate_backend(:ours, 5000)").execution_options(global_tables_only=True)


def that_loses_its_server(app: Flask) -> LintingClient:
    """A route that writes, and whose server process ends between its last statement and the commit."""

    @public("a test asks")
    def made() -> Any:
        with at_school("skyline"):
            session.add(Department(name="Balloons"))
            session.flush()
            ours = session.connection().exec_driver_sql("select pg_backend_pid()").scalar()
        with db.engine().connect() as another:
            another.execute(END_OF_A_SERVER, {"ours": ours})
        return reply("/login", said="The department is made.")

    again = second_app(app.config["SETTINGS"])
    again.add_url_rule("/made", "made", made, methods=["GET", "POST"])
    return LintingClient(again)


def test_a_commit_that_finds_no_server_says_that_the_records_are_away(committing_app: Flask) -> None:
    client = that_loses_its_server(committing_app)
    page = client.get("/made")  # after its view there is nothing left to do but the commit
    assert (page.status, page.h1) == (503, "Groundschool is resting")
    assert page.headers["X-Request-ID"] in page.text
    part = client.get("/made", headers=PARTIAL)
    assert (part.status, part.headers["HX-Retarget"]) == (503, "#flash")
    for said in (page, part, client.get("/login")):
        assert "The department is made." not in said.text
    with at_school("skyline"):
        assert "Balloons" not in session.scalars(select(Department.name)).all()
    assert client.get("/login").status == 200


def test_a_harmless_correlation_id_is_taken_over_and_no_other(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/nowhere/", headers={"X-Request-ID": "abc-12345678"}).headers["X-Request-ID"] == "abc-12345678"
    for bad in ("short", "x" * 65, "<script>alert(1)</script>", "abc 12345678"):
        given = client.get("/nowhere/", headers={"X-Request-ID": bad}).headers["X-Request-ID"]
        assert given != bad
        assert len(given) == 32


def test_a_post_that_is_too_large(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says the limit that holds."""
    client = LintingClient(app).sign_in(ANA)
    page = client.post("/theme", {"theme": "dark", "more": "x" * 2_100_000})
    assert (page.status, "Send something smaller than 2 MB." in page.text) == (413, True)
    for most, said in ((30_500, "30.5 kB"), (1_250_000, "1.2 MB")):
        monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", most)
        page = client.post("/theme", {"theme": "dark", "more": "x" * 1_300_000})
        assert (page.status, f"smaller than {said}." in page.text) == (413, True)


def test_the_wrong_verb_says_which_are_right(app: Flask) -> None:
    page = LintingClient(app).request("DELETE", "/login")
    assert page.status == 405
    assert set(page.headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_an_unexpected_error_is_logged_with_its_trace(throwaway: Flask, caplog: pytest.LogCaptureFixture) -> None:
    failing(throwaway, RuntimeError("the gear is up")).get("/fail")
    assert "the gear is up" in caplog.text


# -- what reaches the log ------------------------------------------------------------------------------------------


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(JsonLines().format(record) for record in caplog.records)


def a_row_twice() -> None:
    """PostgreSQL refuses a second person of an address, and quotes it."""
    for _ in range(2):
        session.add(User(email="nobody.should.read@this.example"))
        session.flush()


def test_an_error_behind_a_mailed_link_leaves_neither_the_link_nor_a_row_in_the_log(
    throwaway: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @throwaway.get("/fail/<token>", endpoint="fail")
    @public("a test asks")
    def fail(token: str) -> Any:
        a_row_twice()

    throwaway.config["PROPAGATE_EXCEPTIONS"] = False
    assert LintingClient(throwaway).get("/fail/a-token-that-works").status == 500
    text = logged(caplog)
    assert "a-token-that-works" not in text
    assert "nobody.should.read" not in text
    assert "duplicate key value violates unique constraint" in text
    assert '"endpoint": "fail"' in text


def test_an_error_after_the_view_leaves_no_link_either(throwaway: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @throwaway.after_request
    def fail(response: Response) -> Response:
        if request.path.startswith("/password/reset"):
            a_row_twice()
        return response

    throwaway.config["PROPAGATE_EXCEPTIONS"] = False
    client = throwaway.test_client()
    assert client.get("/password/reset/a-token-that-works").status_code == 500
    text = logged(caplog)
    assert "a-token-that-works" not in text
    assert "nobody.should.read" not in text
    assert "unexpected error" in text
