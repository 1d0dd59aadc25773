"""Departments: a tree that can be grown, moved and pruned, and never bites its tail."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select

from app.audit.models import AuditEntry
from app.foundation import tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.refusals import Refusal
from app.tenants.models import Department
from app.tenants.operations import MOST_DEPARTMENTS, add_department, change_department, remove_department
from app.tenants.queries import department_ids_below, list_departments
from tests.cast import ADA, ANA, BEA, HAL, LEO, MAX, actor, at_school
from tests.client import LintingClient, count_statements

PATH = "/skyline/departments"


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


def ids() -> dict[str, int]:
    with at_school("skyline"):
        session.expire_all()
        return {department.name: department.id for department in list_departments()}


def actions() -> list[str]:
    with at_school("skyline"):
        of = AuditEntry.subject_type == "Department"
        return list(session.scalars(select(AuditEntry.action).where(of).order_by(AuditEntry.id)))[4:]


def test_the_litany(app: Flask) -> None:
    one = ids()["Instrument"]
    with at_school("harbour"):
        theirs = list_departments()[0].id
    for person in (MAX, BEA, ADA, LEO):
        client = LintingClient(app).sign_in(person)
        assert client.get(PATH).status == client.get(f"{PATH}/{one}").status == 403, person
        assert client.post(PATH).status == client.post(f"{PATH}/{one}/removal").status == 403, person
    assert LintingClient(app).sign_in(HAL).get(PATH).status == 404
    client = LintingClient(app).sign_in(ANA)
    assert client.get(f"{PATH}/{theirs}").status == client.post(f"{PATH}/{theirs}").status == 404
    assert client.post(f"{PATH}/{theirs}/removal").status == client.get(f"{PATH}/999999").status == 404
    assert client.get(f"{PATH}/{one}/removal").location == f"{PATH}/{one}"
    assert client.post(f"{PATH}/{one}", csrf=False).status == 400
    assert LintingClient(app).get(PATH).status == 303


def test_a_tree_is_grown_moved_and_pruned(ana: LintingClient) -> None:
    private = str(ids()["Private pilots"])
    page = ana.get(PATH).form("Add department").fill(name="Night flying", parent=private).submit()
    assert "Night flying is added." in page.text
    page = page.link("Night flying").follow()
    assert private in page.form("Save department").choices("parent")
    page = page.form("Save department").fill(name="Night", parent="").submit()
    assert "Night is saved." in page.text
    page = page.link("Night").follow().form("Remove it").submit()
    assert "Night is removed." in page.text
    assert "Night" not in ids()
    assert actions() == ["department.added", "department.changed", "department.removed"]


def test_each_counts_those_below_it(ana: LintingClient) -> None:
    departments = ids()
    private, instrument = departments["Private pilots"], departments["Instrument"]
    people = ana.get(PATH).link("in Private pilots").follow()
    before = len(people.find_all(".//tbody/tr"))
    below = ana.get(f"/skyline/people?department={instrument}")
    ana.get(f"{PATH}/{instrument}").form("Save department").fill(parent=str(private)).submit()
    people = ana.get(PATH).link("in Private pilots").follow()
    assert len(people.find_all(".//tbody/tr")) == before + len(below.find_all(".//tbody/tr"))


def test_a_department_cannot_lie_below_itself(app: Flask, ana: LintingClient) -> None:
    departments = ids()
    private, instrument = departments["Private pilots"], departments["Instrument"]
    ana.get(f"{PATH}/{instrument}").form("Save department").fill(parent=str(private)).submit()
    offered = ana.get(f"{PATH}/{private}").form("Save department").choices("parent")
    assert str(private) not in offered
    assert str(instrument) not in offered
    answer = ana.post(f"{PATH}/{private}", {"name": "Private pilots", "parent": instrument})
    assert answer.status == 409
    assert "cannot lie below itself" in answer.text
    with at_school("skyline"):
        assert set(session.scalars(department_ids_below(private))) == {private, instrument}
        assert set(session.scalars(department_ids_below(instrument))) == {instrument}


def test_what_is_not_empty_stays(ana: LintingClient) -> None:
    private = ids()["Private pilots"]
    ana.get(PATH).form("Add department").fill(name="Night flying", parent=str(private)).submit()
    page = ana.get(f"{PATH}/{private}").form("Remove it").submit()
    assert page.status == 409
    assert "Private pilots still holds 8 people and 1 department. Move them first." in page.text
    assert "Private pilots" in ids()


def test_a_name_is_there_once(ana: LintingClient) -> None:
    page = ana.get(PATH).form("Add department").fill(name="Instrument").submit()
    assert page.status == 409
    assert "There is a department “Instrument” already." in page.text
    page = ana.get(f"{PATH}/{ids()['Commercial']}").form("Save department").fill(name="Instrument").submit()
    assert page.status == 409
    assert ana.get(PATH).form("Add department").fill(name="  ").submit().status == 422


def test_small_letters_are_no_other_name(ana: LintingClient) -> None:
    page = ana.get(PATH).form("Add department").fill(name="instrument").submit()
    assert page.status == 409
    assert "There is a department “Instrument” already." in page.text
    renamed = ana.get(f"{PATH}/{ids()['Instrument']}").form("Save department").fill(name="INSTRUMENT").submit()
    assert "INSTRUMENT is saved." in renamed.text


def test_who_renames_does_not_undo_who_moves_meanwhile(ana: LintingClient) -> None:
    departments = ids()
    instrument, private, crew = (departments[name] for name in ("Instrument", "Private pilots", "Cabin crew"))
    first, second, third = (ana.get(f"{PATH}/{instrument}").form("Save department") for _window in range(3))
    first.fill(parent=str(private)).submit()
    assert "Instruments is saved." in second.fill(name="Instruments").submit().text
    assert parent_of(instrument) == private
    refused = third.fill(parent=str(crew)).submit()
    assert refused.status == 409
    assert "Somebody else changed the same while you did." in refused.text
    assert parent_of(instrument) == private
    assert "Somebody else changed this to: Private pilots." in refused.text
    again = refused.form("Save department")
    assert (again.value("name"), again.value("parent")) == ("Instruments", str(crew))
    assert "Instruments is saved." in again.submit().text
    assert parent_of(instrument) == crew
    assert ids()["Instruments"] == instrument


def test_who_renames_is_not_stopped_by_the_removal_of_where_it_lay(ana: LintingClient) -> None:
    ana.get(PATH).form("Add department").fill(name="Old").submit()
    instrument, old = ids()["Instrument"], ids()["Old"]
    ana.get(f"{PATH}/{instrument}").form("Save department").fill(parent=str(old)).submit()
    stale = ana.get(f"{PATH}/{instrument}").form("Save department")
    ana.get(f"{PATH}/{instrument}").form("Save department").fill(parent="").submit()
    ana.get(f"{PATH}/{old}").form("Remove it").submit()
    assert "IFR is saved." in stale.fill(name="IFR").submit().text
    assert parent_of(instrument) is None


def test_a_department_that_goes_while_it_is_changed_is_said_to_be_gone(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        gone = add_department("Night", actor=actor(ANA))
        session.execute(delete(Department).where(Department.id == gone.id))
        with pytest.raises(Refusal, match="not there any more"):
            change_department(gone, name="Dusk", parent=None, actor=actor(ANA))


def test_two_that_had_one_name_but_for_capitals_can_still_be_moved(ana: LintingClient) -> None:
    with at_school("skyline") as here:
        session.execute(insert(Department).values(tenant_id=here.id, name="instrument"))
        session.commit()
    departments = ids()
    page = ana.get(f"{PATH}/{departments['instrument']}").form("Save department")
    assert "instrument is saved." in page.fill(parent=str(departments["Commercial"])).submit().text
    assert parent_of(departments["instrument"]) == departments["Commercial"]


def parent_of(department_id: int) -> int | None:
    with at_school("skyline"):
        session.expire_all()
        return session.get_one(Department, department_id).parent_id


def test_they_are_sorted_as_people_sort(ana: LintingClient) -> None:
    for name in ("ärmel", "Zulu", "alpha"):
        ana.get(PATH).form("Add department").fill(name=name).submit()
    names = [link.text for link in ana.get(PATH).find_all(".//ul[@class='tree']/li/p/a[1]")]
    assert names == ["alpha", "ärmel", "Cabin crew", "Commercial", "Instrument", "Private pilots", "Zulu"]


def test_a_double_click_adds_one(ana: LintingClient) -> None:
    form = ana.get(PATH).form("Add department").fill(name="Night flying")
    assert form.submit(follow=False).status == form.submit(follow=False).status == 303
    assert actions() == ["department.added"]


def test_pages_ask_little_of_the_database(ana: LintingClient) -> None:
    one = ids()["Instrument"]
    for path in (PATH, f"{PATH}/{one}"):
        with count_statements() as statements:
            ana.get(path)
        assert len(statements) <= 6, statements


def test_two_moves_at_once_make_no_circle(committing_app: Flask) -> None:
    departments = ids()
    with at_school("skyline"):
        ana, here = actor(ANA), tenancy.required()
        session.rollback()
    start, refused = threading.Barrier(2), []

    def move(one: str, below: str) -> None:
        with committing_app.app_context(), tenancy.tenant_scope(here):
            try:
                with unit_of_work():
                    mover, parent = (session.get_one(Department, departments[name]) for name in (one, below))
                    start.wait(10)
                    change_department(mover, name=mover.name, parent=parent, actor=ana)
            except Refusal as refusal:
                refused.append(refusal.sentence)

    pairs = (("Instrument", "Commercial"), ("Commercial", "Instrument"))
    threads = [threading.Thread(target=move, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 1


def test_deeds_outside_a_page(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        made = add_department("Night", actor=actor(ANA))
        with pytest.raises(Refusal):
            add_department("Night", actor=actor(ANA))
        change_department(made, name="Night", parent=None, actor=actor(ANA))
        remove_department(made, actor=actor(ANA))
        assert "Night" not in {department.name for department in list_departments()}


# -- bounds --------------------------------------------------------------------------------------------------------


def a_chain(length: int) -> list[Department]:
    """Departments of Skyline, each below the one before."""
    made: list[Department] = []
    for n in range(length):
        made.append(add_department(f"Level {n}", parent=made[-1] if made else None, actor=actor(ANA)))
    return made


def test_departments_lie_eight_deep_at_most(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        chain, low = a_chain(8), a_chain_of_two()
        with pytest.raises(Refusal, match="8 deep at most"):
            add_department("Too deep", parent=chain[-1], actor=actor(ANA))
        with pytest.raises(Refusal, match="8 deep at most"):
            change_department(low, name=low.name, parent=chain[6], actor=actor(ANA))
        assert change_department(low, name=low.name, parent=chain[5], actor=actor(ANA)).parent_id == chain[5].id


def a_chain_of_two() -> Department:
    """A department with another one below it."""
    above = add_department("Above", actor=actor(ANA))
    add_department("Below", parent=above, actor=actor(ANA))
    return above


def test_a_school_has_five_hundred_departments_at_most(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline") as here:
        missing = MOST_DEPARTMENTS - len(list_departments()) - 1
        rows = [{"tenant_id": here.id, "name": f"Number {n:03}"} for n in range(missing)]
        session.execute(insert(Department).values(rows))
        add_department("The last", actor=actor(ANA))
        with pytest.raises(Refusal, match="may have 500 departments"):
            add_department("One more", actor=actor(ANA))


def test_below_what_was_removed_meanwhile_nothing_is_added(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        gone = add_department("Gone", actor=actor(ANA))
        remove_department(gone, actor=actor(ANA))
        with pytest.raises(Refusal, match="not there any more"):
            add_department("New", parent=gone, actor=actor(ANA))
