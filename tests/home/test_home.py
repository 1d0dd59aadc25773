"""Everybody's home: what their roles need today, in at most six statements, and nothing of another school."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cast import ADA, ANA, BEA, BO, HAL, LEO, LOU, MAX, OLGA, Person
from tests.client import LintingClient, count_statements


@pytest.mark.parametrize("person", [ANA, BEA, MAX, ADA, LEO, OLGA, BO, HAL, LOU], ids=lambda person: person.email)
def test_everybody_has_a_home(app: Flask, person: Person) -> None:
    client = LintingClient(app).sign_in(person)
    client.get(f"/{person.slug}/")
    with count_statements() as statements:
        page = client.get(f"/{person.slug}/")
    assert page.status == 200
    assert page.h1 == "Today"
    assert len(statements) <= 6
