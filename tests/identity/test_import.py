"""Adding people: one by an invitation, or a thousand from a list that is reviewed line by line first."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.foundation.models import Job, OutboxEvent
from app.identity.models import Membership, OneUseToken, PeopleImport, User
from app.identity.operations.imports import (
    NotThereAnyMore,
    Unreadable,
    carry_out_import,
    decode,
    draft_import,
    read_rows,
)
from tests.cast import ADA, ANA, BEA, HAL, LEO, LOU, MAX, actor, at_school, member, school
from tests.client import LintingClient, Page, count_statements
from tests.identity.mailbox import sent

NEW, PATH = "/skyline/people/new", "/skyline/people/imports"
LIST = """Name;E-mail;Role;Department;Phone
Ines Roy;ines@elsewhere.example;Instructor;Instrument;+44 20 7946 0999
Jan Tal;jan@elsewhere.example;;;
"""


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


def reviewed(client: LintingClient, text: str, how: str = "invite") -> Page:
    return client.get(PATH).form("Review the list").fill(pasted=text, how=how).submit()


def upload(client: LintingClient, content: bytes) -> Page:
    data = client.get(PATH).form("Review the list").data()
    fields: dict[str, Any] = {"csrf_token": data["csrf_token"], "once": data["once"], "how": "invite"}
    return client.post(PATH, {**fields, "file": [(io.BytesIO(content), "people.csv")]}, follow=True)


def lines(page: Page, outcome: str) -> list[list[str]]:
    section = next((s for s in page.find_all(".//section") if s.get("aria-labelledby") == outcome), None)
    rows = section.findall(".//tbody/tr") if section is not None else []
    return [["".join(cell.itertext()).strip() for cell in row] for row in rows]


def people() -> dict[str, Membership]:
    with at_school("skyline"):
        session.expire_all()
        found = session.execute(select(User.email, Membership).join(Membership, Membership.user_id == User.id))
        return {row[0]: row[1] for row in found}


# -- the litany ----------------------------------------------------------------------------------------------------


def test_the_litany(app: Flask, ana: LintingClient) -> None:
    draft = reviewed(ana, LIST).path
    for person in (MAX, BEA, ADA, LEO):
        client = LintingClient(app).sign_in(person)
        for path in (NEW, PATH, draft):
            assert client.get(path).status == 403, (person, path)
        assert client.post(f"{draft}/carrying-out").status == client.post(f"{draft}/removal").status == 403
        assert client.post(PATH).status == client.post(NEW).status == 403
    hal = LintingClient(app).sign_in(HAL)
    assert hal.get(draft).status == hal.get(draft.replace("skyline", "harbour")).status == 404
    assert hal.post(draft.replace("skyline", "harbour") + "/carrying-out", {"once": "k" * 32}).status == 404
    assert ana.get(f"{PATH}/999999").status == 404
    assert ana.get(f"{draft}/carrying-out").location == draft
    assert ana.post(draft).status == 405
    assert ana.post(f"{draft}/carrying-out", csrf=False).status == 400
    assert LintingClient(app).get(PATH).status == 303
    assert len(people()) == 37


# -- one person ----------------------------------------------------------------------------------------------------


def test_a_person_is_added_by_an_invitation(app: Flask, ana: LintingClient) -> None:
    page = ana.get("/skyline/people").link("Add a person").follow().form("Add person")
    page = page.fill(
        name="Ines Roy", email="ines@elsewhere.example", roles=["instructor", "author"], how="invite"
    ).submit()
    assert page.h1 == "Ines Roy"
    assert "Ines Roy is invited." in page.text
    (mail,) = sent(app)
    assert (mail.to, mail.path.split("/")[2]) == ("ines@elsewhere.example", "invitation")
    assert people()["ines@elsewhere.example"].roles == ["author", "instructor"]


def test_who_is_here_is_not_added_again(ana: LintingClient) -> None:
    form = ana.get(NEW).form("Add person").fill(how="invite", name="Leo", email=LEO.email.upper())
    page = form.submit()
    assert page.status == 409
    assert "is known here already, as Leo Hart" in page.text
    assert (
        ana.get(NEW).form("Add person").fill(how="invite", name="x", email="x@y.example", roles=[]).submit().status
        == 422
    )


# -- a list --------------------------------------------------------------------------------------------------------


def test_nothing_is_written_before_it_is_carried_out(app: Flask, ana: LintingClient) -> None:
    page = reviewed(ana, LIST)
    assert page.h1 == "Review the list"
    assert "2 added" in page.text
    assert lines(page, "added")[0] == ["Ines Roy", "ines@elsewhere.example", "2", "Instructor", "Instrument"]
    assert "ines@elsewhere.example" not in people()
    page = page.form("Carry out").submit()
    assert "2 people are invited." in page.text
    ines, jan = people()["ines@elsewhere.example"], people()["jan@elsewhere.example"]
    assert (ines.status, ines.roles, ines.phone) == ("invited", ["instructor"], "+44 20 7946 0999")
    assert (jan.roles, jan.department_id) == (["learner"], None)
    assert {mail.to for mail in sent(app)} == {"ines@elsewhere.example", "jan@elsewhere.example"}
    with at_school("skyline"):
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
        assert actions[-3:] == ["member.invited", "member.invited", "import.carried_out"]
        assert session.scalars(select(PeopleImport)).all() == []
    assert list(session.scalars(select(OutboxEvent.name))).count("MemberInvited") == 2


def test_a_person_of_another_school_keeps_their_account(app: Flask, ana: LintingClient) -> None:
    reviewed(ana, f"Name,E-mail\nLou Finch,{LOU.email.upper()}\n").form("Carry out").submit()
    assert session.scalar(select(func.count()).where(func.lower(User.email) == LOU.email)) == 1
    assert people()[LOU.email].status == "invited"


def test_who_is_here_is_changed_or_left(ana: LintingClient) -> None:
    page = reviewed(
        ana,
        "E-mail\tName\tDepartment\tRoles\n"
        f"{LEO.email}\tLeo Hart\tInstrument\tlearner\n"
        f"{BEA.email}\tBea Lindgren\t\t\n"
        f"{MAX.email}\tMax Abara\t\tadmin\n",
    )
    assert lines(page, "changed") == [["Leo Hart", LEO.email, "2", "department"]]
    assert lines(page, "same") == [["Bea Lindgren", BEA.email, "3"]]
    assert lines(page, "refused")[0][3].startswith("They are here with other roles.")
    page.form("Carry out").submit()
    assert people()[MAX.email].roles == ["manager"]
    with at_school("skyline"):
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "profile.changed"))
        assert entry.after == {"department_id": people()[LEO.email].department_id}


def test_every_bad_line_is_named_with_its_reason(ana: LintingClient) -> None:
    page = reviewed(
        ana,
        "Name,E-mail,Role,Department\n"
        ",nobody@x.example,,\n"
        "No Mail,,,\n"
        "Bad Mail,ines at home,,\n"
        "Fine,fine@x.example,,\n"
        '"Twice\nAgain",FINE@x.example,,\n'
        "Pilot,pilot@x.example,pilot,\n"
        "Nowhere,nowhere@x.example,,Balloons\n"
        f"{'x' * 121},long@x.example,,\n",
    )
    assert [(line[2], line[3]) for line in lines(page, "refused")] == [
        ("2", "There is no name."),
        ("3", "There is no e-mail."),
        ("4", "This does not read like an e-mail address. It looks like name@school.org."),
        ("6", "The same e-mail stands on line 5."),
        ("8", "There is no role “pilot”."),
        ("9", "There is no department “Balloons”."),
        ("10", "The name is longer than 120 characters."),
    ]
    assert len(lines(page, "added")) == 1


def test_what_changed_since_the_review_is_judged_anew(app: Flask, ana: LintingClient) -> None:
    page = reviewed(ana, LIST)
    ana.get(NEW).form("Add person").fill(how="invite", name="Ines Roy", email="ines@elsewhere.example").submit()
    page = page.form("Carry out").submit()
    assert "1 person is invited." in page.text
    assert people()["ines@elsewhere.example"].roles == ["learner"]


def test_a_double_click_carries_it_out_once_and_leads_on(app: Flask, ana: LintingClient) -> None:
    page = reviewed(ana, LIST)
    other_tab = ana.get(page.path)
    first = page.form("Carry out").submit(follow=False)
    for again in (page, other_tab):
        answer = again.form("Carry out").submit(follow=False)
        assert (answer.status, answer.location) == (303, first.location)
    with at_school("skyline"):
        done = session.scalars(select(AuditEntry).where(AuditEntry.action == "import.carried_out")).all()
    assert len(done) == 1


def test_what_another_admin_carried_out_at_the_same_instant_is_refused(app: Flask) -> None:
    with app.test_request_context(), at_school("skyline"):
        draft = draft_import(LIST, actor=actor(ANA))
        session.flush()
        session.execute(delete(PeopleImport).execution_options(synchronize_session=False))
        with pytest.raises(NotThereAnyMore):
            carry_out_import(draft, actor=actor(ANA))


def test_the_review_shows_one_outcome_or_one_person(ana: LintingClient) -> None:
    page = reviewed(ana, LIST + "Nobody;nobody at all;;;\n")
    refused = page.form("Apply").fill(outcome="refused").submit()
    assert [line[0] for line in lines(refused, "refused")] == ["Nobody"]
    assert not lines(refused, "added")
    assert "2 added" in refused.text
    jan = refused.form("Apply").fill(outcome="", search="JAN@").submit()
    assert [line[0] for line in lines(jan, "added")] == ["Jan Tal"]
    assert not lines(jan, "refused")
    nothing = ana.get(f"{page.path}?search=zeppelin")
    assert "No line matches" in nothing.text
    assert len(lines(nothing.link("Show all lines").follow(), "added")) == 2
    assert ana.get(f"{page.path}?outcome=lost").status == 400


@pytest.mark.parametrize("cursor", ["0", "3", "-1", "x", "٣", "9" * 30])
def test_a_page_that_there_is_not_is_a_broken_link(ana: LintingClient, cursor: str) -> None:
    assert ana.get(f"{reviewed(ana, LIST).path}?cursor={cursor}").status == 400


def test_a_list_is_forgotten_on_demand_and_by_itself(app: Flask, ana: LintingClient) -> None:
    page = reviewed(ana, LIST)
    answer = page.form("Discard the list").submit()
    assert "Nobody was added." in answer.text
    assert ana.get(page.path).status == 404
    jobs = session.scalars(select(Job.kind).where(Job.tenant_id == school("skyline").id)).all()
    assert "identity.forget_import" in jobs


def test_a_thousand_people_with_twenty_bad_lines(app: Flask, ana: LintingClient) -> None:
    bad = set(range(50, 1050, 50))
    rows = [
        f"Person {n};{'no address' if n in bad else f'person{n}@elsewhere.example'};Learner;Commercial"
        for n in range(2, 1002 + 0)
    ]
    page = upload(ana, ("Name;E-mail;Role;Department\n" + "\n".join(rows)).encode())
    expected = sorted(bad & set(range(2, 1002)))
    assert [int(line[2]) for line in lines(page, "refused")] == expected
    assert len(expected) == 20
    assert "980 added" in page.text
    added, last = lines(page, "added"), page
    while "Next" in last.links():
        assert len(last.find_all(".//tbody/tr")) == 100
        last = last.link("Next").follow()
        added += lines(last, "added")
    assert [int(line[2]) for line in added] == sorted(set(range(2, 1002)) - bad)
    form = page.form("Carry out")
    with count_statements() as statements:
        answer = form.submit(follow=False)
    assert answer.status == 303
    assert len(statements) < 40, len(statements)
    assert sum(who.status == "invited" for who in people().values()) == 980
    links = session.scalar(select(func.count()).select_from(OneUseToken))
    assert links == 980


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_files_are_read_however_they_were_saved(encoding: str, between: str) -> None:
    text = between.join(("E-Mail", "First name", "Last name")) + "\r\n" + between.join(("a@b.example", "Zoë", "Müller"))
    (row,) = read_rows(decode(text.encode(encoding)))
    assert (row.line, row.name, row.email) == (2, "Zoë Müller", "a@b.example")


def test_a_list_without_headings_has_names_and_mails(app: Flask) -> None:
    rows = read_rows("Ines Roy, ines@x.example\n\nJan Tal, jan@x.example, instructor\n")
    assert [(row.line, row.name, row.roles) for row in rows] == [(1, "Ines Roy", ""), (3, "Jan Tal", "instructor")]


@pytest.mark.parametrize("text", ["", " \n ", "Name,Phone\nInes,1", "Name,E-mail\n", "just words"])
def test_what_is_no_list_is_refused(app: Flask, text: str) -> None:
    with app.test_request_context(), at_school("skyline"), pytest.raises(Unreadable):
        draft_import(text, actor=actor(ANA))


def test_neither_or_both_is_no_list(ana: LintingClient) -> None:
    page = reviewed(ana, " ")
    assert page.status == 422
    assert "Paste a list or choose a file" in page.text


def test_a_list_of_more_than_a_megabyte_is_refused(ana: LintingClient) -> None:
    answer = upload(ana, b"Name,E-mail\n" + b"x" * 1_100_000)
    assert answer.status == 413
    assert "one megabyte at most" in answer.text
    assert upload(ana, b"\x00\xff\xfe\x01binary").status == 422


def test_pages_ask_little_of_the_database(ana: LintingClient) -> None:
    draft = reviewed(ana, LIST).path
    for path in (NEW, PATH, draft):
        with count_statements() as statements:
            ana.get(path)
        assert len(statements) <= 6, (path, statements)


def test_the_cast_is_untouched(app: Flask) -> None:
    with at_school("skyline"):
        assert member(LEO).department_id is not None


def test_an_address_that_two_might_read_as_theirs_is_refused_line_by_line(ana: LintingClient) -> None:
    """Python and the database do not agree on what ΟΔΟΣ is in small letters."""
    page = reviewed(ana, "Name;E-mail\nOdos;ΟΔΟΣ@x.example\nGone;x@erased.invalid\nInes Roy;ines@x.example\n")
    assert ["a to z" in row[3] or ".invalid" in row[3] for row in lines(page, "refused")] == [True, True]
    assert "1 person is invited." in page.form("Carry out").submit().text
    assert "ines@x.example" in people()
