"""One-use keys: a double click does a deed once, and both clicks end in the same place."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from flask import Flask, abort, redirect, request
from flask_wtf.csrf import generate_csrf
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app.foundation.db import session
from app.foundation.once import once
from app.foundation.permissions import signed_in
from app.tenants.models import Department
from tests.cast import ANA, LEO, at_school
from tests.client import LintingClient
from tests.conftest import second_app

KEY = "k" * 32


def add_routes(app: Flask, barrier: threading.Barrier | None = None) -> Flask:
    @signed_in
    @once
    def make() -> Any:
        name = request.form["name"] + "".join(sent.read().decode() for sent in request.files.values())
        if name == "bad":
            return "<!DOCTYPE html>", 422
        if name == "led away":
            abort(redirect("/skyline/", 303))
        department = Department(name=name)
        session.add(department)
        session.flush()
        if barrier:
            barrier.wait(5)
        return redirect(f"/skyline/made/{department.id}", 303) if name != "no location" else ""

    app.add_url_rule("/<tenant>/make", "make", make, methods=["POST"])
    return app


def count(name: str) -> int:
    with at_school("skyline"):
        return session.scalar(select(func.count(Department.id)).where(Department.name == name)) or 0


def send(client: LintingClient, name: str, key: str = KEY) -> Any:
    fields = MultiDict({"name": name, "once": key, "csrf_token": client.csrf_token()})
    return client.browser.post("/skyline/make", data=fields)


def test_the_same_form_twice_is_one_deed(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    first, second = send(client, "Gliders"), send(client, "Gliders")
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert first.location.startswith("/skyline/made/")
    assert count("Gliders") == 1


def test_whoever_goes_back_and_changes_what_they_typed_does_a_second_deed(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    first, second = send(client, "Gliders"), send(client, "Balloons")
    assert first.location != second.location
    assert (count("Gliders"), count("Balloons")) == (1, 1)
    assert send(client, "Gliders").location == first.location
    assert send(client, "Balloons").location == second.location
    assert (count("Gliders"), count("Balloons")) == (1, 1)


def test_the_same_key_with_a_renewed_token_is_still_the_same_form(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    first = send(client, "Gliders")
    client.sign_in(ANA)
    assert send(client, "Gliders").location == first.location
    assert count("Gliders") == 1


def test_the_same_form_with_another_file_is_another_deed(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)

    def upload(content: bytes) -> Any:
        fields = {"name": "From a file: ", "once": KEY, "csrf_token": client.csrf_token()}
        return client.browser.post("/skyline/make", data={**fields, "list": (io.BytesIO(content), "people.csv")})

    first, again, other = upload(b"Ana"), upload(b"Ana"), upload(b"Bea")
    assert first.location == again.location != other.location
    assert (count("From a file: Ana"), count("From a file: Bea")) == (1, 1)


def test_an_answer_that_leads_nowhere_is_repeated_by_its_own_address(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    assert send(client, "no location").status_code == 200
    assert send(client, "no location").location == "/skyline/make"


def test_a_refused_form_gives_its_key_back(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    assert send(client, "bad").status_code == 422
    assert send(client, "Mended").status_code == 303
    assert count("Mended") == 1


def test_who_is_led_away_before_the_deed_keeps_their_key(throwaway: Flask) -> None:
    """The player leads whoever has not begun the course to its page; the same form works once they have."""
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    assert send(client, "led away").location == "/skyline/"
    assert send(client, "Begun").location.startswith("/skyline/made/")
    assert count("Begun") == 1


def test_a_deed_that_broke_gives_its_key_back(throwaway: Flask) -> None:
    client = LintingClient(add_routes(throwaway)).sign_in(ANA)
    assert send(client, "x" * 200).status_code == 500
    assert send(client, "Mended").status_code == 303


def test_two_people_may_use_the_same_key(throwaway: Flask) -> None:
    add_routes(throwaway)
    for person, name in ((ANA, "Ana's"), (LEO, "Leo's")):
        assert send(LintingClient(throwaway).sign_in(person), name).status_code == 303
    assert count("Leo's") == 1


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_a_form_without_a_proper_key_is_refused(throwaway: Flask, key: str) -> None:
    assert send(LintingClient(add_routes(throwaway)).sign_in(ANA), "Gliders", key).status_code == 400


def test_a_rival_waits_for_the_first_and_is_sent_to_the_same_place(committing_app: Flask) -> None:
    """Two posts of one form at once, on two connections: the second is answered only when the first has committed."""
    inside, go_on = threading.Event(), threading.Event()
    app = second_app(committing_app.config["SETTINGS"])

    @signed_in
    @once
    def make() -> Any:
        inside.set()
        assert go_on.wait(5)
        department = Department(name="Rivals")
        session.add(department)
        session.flush()
        return redirect(f"/skyline/made/{department.id}", 303)

    @signed_in
    def token() -> str:
        return generate_csrf()

    app.add_url_rule("/<tenant>/make", "make", make, methods=["POST"])
    app.add_url_rule("/<tenant>/token", "token", token)
    clients = [LintingClient(app).sign_in(ANA) for _ in range(2)]
    answers: list[Any] = []

    def post(client: LintingClient) -> None:
        fields = {"once": KEY, "csrf_token": client.browser.get("/skyline/token").text}
        answers.append(client.browser.post("/skyline/make", data=fields))

    threads = [threading.Thread(target=post, args=(client,)) for client in clients]
    threads[0].start()
    assert inside.wait(5)
    threads[1].start()
    _wait_until_somebody_waits_for_a_lock()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert count("Rivals") == 1


def _wait_until_somebody_waits_for_a_lock() -> None:
    from sqlalchemy import text

    from app.foundation import db

    waiting = text("select count(*) from pg_locks where not granted").execution_options(global_tables_only=True)
    for _ in range(5000):
        with db.engine().connect() as connection:
            if connection.execute(waiting).scalar():
                return
    raise AssertionError("the rival never waited")
