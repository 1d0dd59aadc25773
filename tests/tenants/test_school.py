"""The school's page and the matrix of permissions: who reaches them, and that they tell the truth."""

from __future__ import annotations

import pytest
from flask import Flask

from app.foundation import nav
from app.foundation.permissions import permission_matrix, permissions_of, words_of
from app.identity.policies import Can as PeopleCan
from app.tenants.policies import Can
from tests.cast import ANA, BEA, HAL, LEO, MAX, OLGA
from tests.client import LintingClient


@pytest.mark.parametrize("path", ["/skyline/school", "/skyline/permissions"])
def test_the_litany(app: Flask, path: str) -> None:
    for person, status in ((ANA, 200), (OLGA, 200), (MAX, 403), (BEA, 403), (LEO, 403), (HAL, 404)):
        assert LintingClient(app).sign_in(person).get(path).status == status, person
    assert LintingClient(app).get(path).status == 303
    assert LintingClient(app).sign_in(ANA).post(path).status == 405


def test_the_schools_page_leads_to_what_an_admin_seldom_needs(app: Flask) -> None:
    ana = LintingClient(app).sign_in(ANA)
    page = ana.get("/skyline/school")
    for words in ("Permissions", "Audit trail", "Stuck work"):
        assert page.link(words).follow().status == 200, words
    links = ana.get("/skyline/people").links()
    assert {"People", "School"} <= set(links)
    assert not {"People", "School"} & set(LintingClient(app).sign_in(LEO).get("/schools?stay=1").links())


def test_every_permission_has_words(app: Flask) -> None:
    for name in permission_matrix():
        words = words_of(name)
        assert words != name, f"{name} is not explained in its policies"
        assert words[0].isupper(), name
        assert not words.endswith("."), name


def test_the_matrix_says_what_the_policies_say(app: Flask) -> None:
    page = LintingClient(app).sign_in(ANA).get("/skyline/permissions")
    rows = {}
    for row in page.find_all(".//tbody/tr"):
        words, *cells = ["".join(cell.itertext()).strip() for cell in row]
        rows[words] = [cell.endswith("yes") for cell in cells]
    assert len(rows) == len(permission_matrix())
    roles = ("learner", "instructor", "author", "manager", "admin")
    for name, holders in permission_matrix().items():
        assert rows[words_of(name)] == [role in holders for role in roles], name


def test_an_entry_is_left_out_for_those_who_come_in_by_another(app: Flask) -> None:
    entry = nav.Entry("Own", "x.y", "x", 1, PeopleCan.SEE_PEOPLE, unless=Can.SEE_SCHOOL)  # type: ignore[arg-type]
    assert entry.is_for(permissions_of(frozenset({"manager"})))
    assert not entry.is_for(permissions_of(frozenset({"admin"})))
    assert not entry.is_for(permissions_of(frozenset({"learner"})))
