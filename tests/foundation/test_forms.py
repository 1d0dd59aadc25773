"""Forms run a deed with what was typed: an invalid form or a refused deed leaves nothing half-written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import InputRequired

from app.foundation.csrf import token
from app.foundation.db import session
from app.foundation.forms import CreatingForm, Form, stripped
from app.foundation.refusals import Refusal
from app.tenants.models import Department
from tests.cast import at_school


class NameForm(Form):
    name = StringField("Name", [InputRequired("Give a name.")], [stripped])


@pytest.fixture
def posted(app: Flask) -> Iterator[None]:
    """Inside a post of " Gliders " with a valid token."""
    with app.test_request_context("/", method="POST") as context:
        mark = token()
        context.request.form = context.request.form.__class__({"name": " Gliders ", "csrf_token": mark})
        with at_school("skyline"):
            yield


def add(name: str) -> Department:
    department = Department(name=name)
    session.add(department)
    session.flush()
    return department


def names() -> set[str]:
    return set(session.scalars(select(Department.name)))


def test_a_valid_form_does_its_deed(posted: None) -> None:
    form = NameForm()
    done = form.carry_out(lambda: add(form.name.data or ""))
    assert done
    assert (done.name, form.status, form.refusal) == ("Gliders", 200, "")


def test_an_invalid_form_does_not(posted: None) -> None:
    form = NameForm(formdata=None)
    assert form.carry_out(lambda: add("Never")) is None
    assert form.status == 422
    assert "Never" not in names()


def test_a_refused_deed_is_undone_and_its_sentence_kept(posted: None) -> None:
    def refuse() -> None:
        add("Half done")
        raise Refusal("The runway is closed.")

    form = NameForm()
    assert form.carry_out(refuse) is None
    assert (form.status, form.refusal) == (409, "The runway is closed.")
    assert "Half done" not in names()


def test_each_creating_form_has_a_key_of_its_own(posted: None) -> None:
    keys = {CreatingForm(formdata=None).once.data for _ in range(3)}
    assert len(keys) == 3
    assert all(len(key or "") == 32 for key in keys)


def test_only_text_is_stripped() -> None:
    assert (stripped(" a "), stripped(None), stripped(7)) == ("a", None, 7)
