"""Migrations: one that has landed is never edited, and a database of any earlier time becomes what the models say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import check, upgrade

from app.foundation import clock
from app.foundation.actor import SYSTEM
from app.foundation.permissions import Role
from app.identity.operations.accounts import add_member, add_user
from tests.audit.committed import Committed, committed
from tests.cast import PASSWORD, Person
from tests.client import LintingClient
from tests.guards.wall import breaches
from tests.launcher.processes import ROOT

VERSIONS = ROOT / "migrations" / "versions"
LANDED = {
    "0001_the_house.py": "3627eb75b221a7d414fa0c9d3051e2fee42f29dd5965f7490fb4f636a2b95e2c",
    "0002_people.py": "2a2d5b783f2a7be354031a8fa946489d7110fb41bc88ba48d47ee84281ed6ce2",
    "0003_audit_chain.py": "dcec382886f9272e5cbf08c04d47e2d299461eef8d23ef9332eef259b691d3ac",
    "0004_standing_reason.py": "820fa7bb754a3789c2c602fb7d60a635ae3c70bfc855f4d60f549cbd13d1aef7",
    "0005_console.py": "7e654cfd0e6fd7ce7a410f5cfa956fe5e9dcfbb8fd2f5497cf768cad0f485cf9",
    "0006_least_rights.py": "5e6b0c94b016c9af13ee7ea64a194eded86e85df2fa1a1fd3785aba7014944a4",
    "0007_platform_subject.py": "257316db34f55943a954d0db908aaa458e189569bebc5583d88448d1d7bf8aba",
    "0008_as_landed.py": "ef79329739747fc86d21329c9c1563587616eccc8b3450ce7cb390e41fd94d14",
    "0009_doors.py": "f7e2de88adeeae655694a3311852d82aa799ecefb324a2f3e1bc35e32e7dbfd4",
    "0010_rights_over_ones_data.py": "797b6a2a9835f4aa5d29f6ae59c9429ae70cf010d9babb31bb22e3529f069d96",
    "0011_adding_outright.py": "aaf106506e30c7238b30b2619d794baeb664d3b9a6625159003a31ade1a64ac6",
    "0012_audiences_and_assignments.py": "34fcd9cb29ff2d7738fa8de89cfc15a6d9c43df412dc54dc2df8b43f0ef8e687",
}
"""Each migration with the SHA-256 of its file. A new one gets its line with it; no line is ever changed."""


def altered(folder: Path, landed: Mapping[str, str]) -> list[str]:
    """A sentence for each migration that is not as it landed."""
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.py"))}
    found = [f"{name} is gone, but databases stand at it" for name in landed.keys() - there.keys()]
    for name, digest in there.items():
        if name not in landed:
            found.append(f"{name} is new: add {digest} to LANDED in tests/guards/test_migrations.py")
        elif digest != landed[name]:
            found.append(f"{name} was edited after it landed: put it back, and write what is to change into a new one")
    return found


def test_no_migration_was_edited_after_it_landed() -> None:
    assert altered(VERSIONS, LANDED) == []


def test_an_edited_a_new_and_a_missing_migration_are_found(tmp_path: Path) -> None:
    for name in ("0001_a.py", "0002_b.py"):
        (tmp_path / name).write_text(name)
    landed = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("0001_a.py", "0002_b.py")}
    assert altered(tmp_path, landed) == []
    (tmp_path / "0001_a.py").write_text("0001_a.py ")
    (tmp_path / "0002_b.py").rename(tmp_path / "0002_c.py")
    missing, edited, new = altered(tmp_path, landed)
    assert "0002_b.py is gone" in missing
    assert "0001_a.py was edited" in edited
    assert "0002_c.py is new" in new


# -- databases that two migrations made before they were changed -----------------------------------------------------

AS_0001_FIRST_MADE_IT = """
alter table publication drop column level, drop column language;
alter table course alter column level type varchar(40)
"""
AS_0006_MADE_IT_FOR_A_WHILE = """
create function school_count(person bigint) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return (select count(*) from membership where user_id = person and status <> 'erased');
end $$
"""
A_SCHOOL_WITH_A_COURSE = """
insert into tenant (id, slug, name, zone) overriding system value
  values (70001, 'kestrel', 'Kestrel Gliding', 'Europe/Berlin');
insert into course (tenant_id, slug, title, title_key, level, language)
  select id, 'winch', 'Winch launches', 'winch launches', 'Solo', 'de' from tenant;
insert into publication (tenant_id, course_id, version, title, outline, step_count, lesson_count, checksum, published_at)
  select tenant_id, id, 1, title, '{"modules": []}', 0, 0, repeat('0', 64), now() from course;
update course set publication_id = publication.id from publication where publication.course_id = course.id
"""
"""The school's id is nobody else's: this process keeps publications by school and number, and other tests read theirs."""
PIA = Person("pia@kestrel.example", "kestrel")


@pytest.fixture
def first_made(the_app: Flask) -> Iterator[Committed]:
    """A database of the first days: it stands at 0006, as 0001 and 0006 made it before they were changed."""
    with committed(the_app, "first_made", template="template0") as here:
        with the_app.app_context():
            upgrade(revision="0001")
            run(here, AS_0001_FIRST_MADE_IT + ";" + A_SCHOOL_WITH_A_COURSE)
            upgrade(revision="0006")
            run(here, AS_0006_MADE_IT_FOR_A_WHILE)
        yield here


def run(here: Committed, sql: str) -> None:
    with here.owner.begin() as connection:
        connection.exec_driver_sql(sql)


def test_a_database_of_the_first_days_becomes_what_the_models_say(first_made: Committed) -> None:
    with first_made.app.app_context():
        upgrade()
        check()  # as `flask db check`: exits where a model and its table differ
    with first_made.owner.connect() as connection:
        assert breaches(connection) == []
    assert first_made.ask("select to_regprocedure('school_count(bigint)')") is None


A_REQUEST_TO_BE_ERASED = """
insert into user_account (id, email) overriding system value values (70001, 'ola@x.example'), (70002, 'tom@x.example');
insert into membership (id, tenant_id, user_id, name, name_key, roles, status) overriding system value values
  (70001, 70001, 70001, 'Ola', 'ola', '{learner}', 'active'), (70002, 70001, 70002, 'Erased person', 'e', '{learner}', 'erased');
insert into job (tenant_id, kind, key, args, run_at)
  select tenant_id, 'identity.send_erasure_request', 'erasure:' || id, jsonb_build_object('member_id', id), now() from membership
"""


def test_whose_request_was_not_sent_yet_still_asks_but_for_who_is_erased(first_made: Committed) -> None:
    with first_made.app.app_context():
        upgrade(revision="0009")
        run(first_made, A_REQUEST_TO_BE_ERASED)
        upgrade()
    assert first_made.ask("select string_agg(name, ',') from membership where erasure_asked_at is not null") == "Ola"
    assert first_made.ask("select count(*) from job where kind = 'identity.send_erasure_request'") == 0


def test_its_courses_are_shown_with_the_level_they_had(first_made: Committed) -> None:
    with first_made.app.app_context():
        upgrade()
        with first_made.at("kestrel"):
            user = add_user(PIA.email, password=PASSWORD, cost=4)
            user.email_confirmed_at = clock.now()
            add_member(user, name="Pia Brandt", roles=[Role.LEARNER], actor=SYSTEM)
    page = LintingClient(first_made.app).sign_in(PIA).get("/kestrel/courses")
    assert "Winch launches" in page.text
    assert "Solo" in page.words_of("main")
    assert first_made.ask("select level || ' ' || language from publication") == "Solo de"
    assert page.link("Winch launches").follow().status == 200
