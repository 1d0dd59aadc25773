"""The list of schools: for operators, with counts from behind the wall, in few statements however many schools there are."""

from __future__ import annotations

from flask import Flask

from tests.cast import OPERATOR
from tests.client import LintingClient


def test_smoke(app: Flask) -> None:
    client = LintingClient(app)
    form = client.get("/login?next=/").form("/login")
    answer = form.fill(email=OPERATOR.email, password="groundschool-demo", next="").submit()
    print(answer.path, answer.text[:1500])
    page = answer.link("Skyline").follow()
    print(page.text)
    page = client.get("/operator/schools/new")
    print(page.text[:500])
    assert 0
