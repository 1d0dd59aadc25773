"""The chain: it holds on the demo, it follows what is committed, and whoever bends a row is named by `flask audit verify`."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEntry, AuditLink
from app.audit.operations import audit
from app.foundation import partitions, tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session, unit_of_work
from app.tenants.models import Department
from tests.audit.committed import Committed
from tests.cast import ANA, actor, at_school, member, school

SKYLINE = "(select id from tenant where slug = 'skyline')"


def record(count: int = 1) -> None:
    for n in range(count):
        audit("department.added", actor=actor(ANA), subject=member(ANA), after={"n": n})


def test_the_demo_is_sealed_to_its_last_entry(own: Committed) -> None:
    result = own.run("audit", "verify")
    assert result.exit_code == 0, result.output
    entries = own.ask(f"select count(*) from audit_entry where tenant_id = {SKYLINE}")
    assert f"skyline: {entries} links hold" in result.output
    head = own.ask(f"select encode(hash, 'hex') from audit_head where tenant_id = {SKYLINE}")
    assert f"Head {entries}:{head}" in result.output
    assert "harbour:" in result.output


def links(own: Committed) -> int:
    return int(own.ask(f"select count(*) from audit_link where tenant_id = {SKYLINE}"))


def whole(own: Committed) -> bool:
    return bool(own.run("audit", "verify").exit_code == 0)


def test_entries_are_linked_as_the_transaction_commits_and_not_before(own: Committed) -> None:
    before = links(own)
    with own.at("skyline"):
        record(3)
        session.flush()
        assert session.query(AuditLink).count() == before
    assert links(own) == before + 3
    assert whole(own)


def test_what_a_savepoint_took_back_is_not_linked(own: Committed) -> None:
    before = links(own)
    with own.at("skyline"):
        savepoint = session.begin_nested()
        record()
        savepoint.rollback()
        with session.begin_nested():
            record()
    assert links(own) == before + 1
    assert whole(own)


def test_what_was_rolled_back_leaves_no_link_and_no_gap(own: Committed) -> None:
    before = links(own)
    with tenancy.tenant_scope(school("skyline")):
        record()
        session.flush()
        session.rollback()
    with own.at("skyline"):
        record()
    assert links(own) == before + 1
    assert whole(own)


def test_a_thousand_entries_of_one_deed_are_linked(own: Committed) -> None:
    with own.at("skyline"):
        record(1000)
    assert whole(own)


def test_one_transaction_in_two_schools_seals_in_both(own: Committed) -> None:
    with unit_of_work():
        for slug in ("harbour", "skyline", "harbour"):
            with tenancy.tenant_scope(school(slug)):
                audit("school.renamed", actor=SYSTEM, subject=session.query(Department).first(), after={"n": 1})
                session.flush()
    assert own.run("audit", "verify").exit_code == 0
    assert own.ask("select count(*) from audit_entry where action = 'school.renamed'") == 3


def test_the_first_entry_of_a_school_begins_its_chain(own: Committed) -> None:
    with own.owner.begin() as connection:
        connection.exec_driver_sql("insert into tenant (slug, name, zone) values ('third', 'Third', 'UTC')")
    tenancy.forget_tenants()
    with own.at("third"):
        audit("school.created", actor=SYSTEM, subject=object())
    assert "third: 1 links hold" in own.run("audit", "verify", "--tenant", "third").output


CONTROLS = "".join(map(chr, [*range(1, 32), 0x7F, 0x85, 0x2028, 0xFFFD, 0x1F600])) + 'Zoë "x" \\ </b> %s'
VALUES = [
    CONTROLS,
    1e20,
    1e23,
    1.5e-7,
    1.10,
    -0.0,
    100.0,
    2**70,
    'Zoë \u2028 "x" \\',
    True,
    None,
    [1, (2.0, "a")],
    {3: {"b": 1, "a": 2}},
]


def test_whatever_is_recorded_reads_back_as_it_was_sealed(own: Committed) -> None:
    """The database spells an entry when it seals it, Python when it verifies: both must spell the same."""
    with own.at("skyline"):
        for value in VALUES:
            audit("value.kept", actor=SYSTEM, subject=object(), after={"value": value, "other": 0})
    assert whole(own)


def test_what_was_written_before_there_was_a_chain_is_sealed_by_the_migration(own: Committed) -> None:
    heads = "select string_agg(tenant_id || ':' || seq || ':' || encode(hash, 'hex'), ' ' order by tenant_id) from audit_head"
    before = own.ask(heads)
    migration = import_module("migrations.versions.0003_audit_chain")
    own.tamper("delete from audit_link", "delete from audit_head")
    own.tamper(migration.SEAL_WHAT_WAS_WRITTEN_BEFORE, migration.HEADS_OF_THOSE)
    assert own.ask(heads) == before
    with own.at("skyline"):
        record()
    assert whole(own)


# -- tampering -----------------------------------------------------------------------------------------------------


def verdict(own: Committed, *more: str) -> tuple[int, str]:
    result = own.run("audit", "verify", "--tenant", "skyline", *more)
    return result.exit_code, result.output


def entry_at(own: Committed, seq: int) -> int:
    return int(own.ask(f"select entry_id from audit_link where tenant_id = {SKYLINE} and seq = {seq}"))


@pytest.mark.parametrize(
    "change",
    [
        "action = 'member.removed'",
        "actor_id = 1",
        "on_behalf_of_id = 1",
        "at = at + interval '0 seconds', after = '{\"roles\": [\"admin\"]}'",
        "subject_id = subject_id + 1",
        "user_agent = 'x'",
        "ip_hash = 'x'",
        "correlation_id = 'x'",
        "origin = 'api'",
    ],
)
def test_a_changed_row_is_named(own: Committed, change: str) -> None:
    entry = entry_at(own, 7)
    own.tamper(f"update audit_entry set {change} where id = {entry}")
    code, said = verdict(own)
    assert code == 1
    assert f"BROKEN at link 7, entry {entry}: content changed" in said
    assert "skyline: 6 links hold" in said


def test_a_removed_row_is_named(own: Committed) -> None:
    entry = entry_at(own, 7)
    own.tamper(f"delete from audit_entry where id = {entry}")
    assert verdict(own) == (1, f"{holds(own, 6)}\nskyline: BROKEN at link 7, entry {entry}: entry missing: "
                               "the link is there, but the entry it seals was removed.\n")  # fmt: skip


def holds(own: Committed, seq: int) -> str:
    head, at = (
        own.ask(f"select {what} from audit_link where tenant_id = {SKYLINE} and seq = {seq}")
        for what in ("encode(hash, 'hex')", "to_char(entry_at, 'YYYY-MM-DD HH24:MI:SS')")
    )
    return f"skyline: {seq} links hold, until {at} UTC. Head {seq}:{head}"


def test_a_removed_link_is_named(own: Committed) -> None:
    entry = entry_at(own, 7)
    own.tamper(f"delete from audit_link where tenant_id = {SKYLINE} and seq = 7")
    code, said = verdict(own)
    assert code == 1
    assert f"BROKEN at link 7, entry {entry}: link missing: no link 7; the next one is 8" in said


def test_a_row_removed_with_its_link_and_the_rest_renumbered_is_named(own: Committed) -> None:
    entry = entry_at(own, 7)
    own.tamper(
        f"delete from audit_link where tenant_id = {SKYLINE} and seq = 7",
        f"delete from audit_entry where id = {entry}",
        "alter table audit_link drop constraint uq_audit_link_tenant_id_seq",
        f"update audit_link set seq = seq - 1 where tenant_id = {SKYLINE} and seq > 7",
    )
    code, said = verdict(own)
    assert code == 1
    assert "BROKEN at link 7" in said


@pytest.mark.parametrize("other", [8, 11])
def test_a_swapped_pair_is_named(own: Committed, other: int) -> None:
    """By their places (the links move) and by their entries (the links stay)."""
    first, second = entry_at(own, 7), entry_at(own, other)
    pair = f"tenant_id = {SKYLINE} and seq in (7, {other}, -7)"
    own.tamper(
        f"update audit_link set seq = -7 where {pair} and seq = 7",
        f"update audit_link set seq = 7 where {pair} and seq = {other}",
        f"update audit_link set seq = {other} where {pair} and seq = -7",
    )
    code, said = verdict(own)
    assert code == 1
    assert (
        f"BROKEN at link 7, entry {second}: order swapped: the entry that belongs here, {first}, stands at link {other}."
        in said
    )


def test_a_pair_of_swapped_entries_is_named(own: Committed) -> None:
    first, second = entry_at(own, 7), entry_at(own, 8)
    own.tamper(
        "alter table audit_link drop constraint uq_audit_link_tenant_id_entry_id",
        f"update audit_link l set entry_id = o.entry_id, entry_at = o.entry_at from audit_link o"
        f" where l.tenant_id = {SKYLINE} and o.tenant_id = l.tenant_id and (l.seq, o.seq) in ((7, 8), (8, 7))",
    )
    code, said = verdict(own)
    assert code == 1
    assert (
        f"BROKEN at link 7, entry {second}: order swapped: the entry that belongs here, {first}, stands at link 8."
        in said
    )


def test_a_forged_row_is_named(own: Committed) -> None:
    own.tamper(
        f"insert into audit_entry (tenant_id, action, subject_type) values ({SKYLINE}, 'member.approved', 'Membership')"
    )
    code, said = verdict(own)
    assert code == 1
    assert re.search(r"BROKEN at link \d+, entry \d+: link missing: the entry has no link", said)


def cut_tail(own: Committed, keep: int) -> None:
    own.tamper(
        f"delete from audit_entry e using audit_link l where l.tenant_id = {SKYLINE} and l.seq > {keep}"
        " and e.tenant_id = l.tenant_id and e.id = l.entry_id",
        f"delete from audit_link where tenant_id = {SKYLINE} and seq > {keep}",
    )


def test_a_cut_tail_is_named_by_the_head(own: Committed) -> None:
    last = own.ask(f"select seq from audit_head where tenant_id = {SKYLINE}")
    cut_tail(own, 7)
    code, said = verdict(own)
    assert code == 1
    assert f"BROKEN at link 8: link missing: the links end here, but the head stands at {last}." in said


def test_a_tail_cut_together_with_its_head_is_named_by_the_head_that_was_kept(own: Committed) -> None:
    kept = re.search(r"Head (\S+)", verdict(own)[1])
    assert kept
    cut_tail(own, 7)
    own.tamper(
        f"update audit_head h set seq = l.seq, hash = l.hash from audit_link l where l.seq = 7"
        f" and l.tenant_id = h.tenant_id and h.tenant_id = {SKYLINE}"
    )
    assert verdict(own)[0] == 0
    code, said = verdict(own, "--head", kept.group(1))
    assert code == 1
    assert "BROKEN at link 8: link missing: the links end here, but the head that was kept stands at" in said


def test_a_chain_written_anew_is_named_by_the_head_that_was_kept(own: Committed) -> None:
    kept = re.search(r"Head (\S+)", verdict(own)[1])
    assert kept
    assert verdict(own, "--head", kept.group(1))[0] == 0
    seq = kept.group(1).partition(":")[0]
    code, said = verdict(own, "--head", f"{seq}:{'00' * 32}")
    assert code == 1
    assert "head differs" in said


def test_verify_wants_sense(own: Committed) -> None:
    assert own.run("audit", "verify", "--head", "1:00").exit_code == 2
    assert "There is no school at" in own.run("audit", "verify", "--tenant", "nowhere").output
    assert own.run("audit", "verify", "--tenant", "skyline", "--head", "x").exit_code == 2


# -- the wall of triggers and grants -------------------------------------------------------------------------------


def parts(own: Committed) -> list[str]:
    with own.owner.connect() as connection:
        rows = connection.exec_driver_sql("select relname from pg_class where relispartition and relkind = 'r'")
        return sorted(name for (name,) in rows if name.startswith("audit_entry_"))


@pytest.fixture
def far_ahead(own: Committed) -> str:
    """A partition made by the function that the monthly job calls."""
    with own.web.begin() as connection:
        connection.exec_driver_sql("select make_month_partition('audit_entry', date '2031-05-01')")
    return "audit_entry_2031_05"


def refused(engine: Engine, sql: str) -> str:
    """What PostgreSQL says to somebody who claims to be the owner and means to change the trail."""
    with engine.connect() as connection:
        connection.exec_driver_sql("select set_config('app.tenant_id', (select min(id)::text from tenant), true)")
        if "groundschool_web" in str(engine.url):
            connection.exec_driver_sql("select set_config('app.audit_owner', 'yes', true)")
        with pytest.raises(DBAPIError) as caught:
            connection.exec_driver_sql(sql)
    return str(caught.value)


@pytest.mark.parametrize("role", ["web", "owner"])
def test_no_role_changes_or_empties_the_trail(own: Committed, far_ahead: str, role: str) -> None:
    """Not even the web role that claims to be the owner, nor the owner who does not say so; nor a partition directly."""
    engine = own.web if role == "web" else own.owner
    tables = ["audit_entry", "audit_link", *parts(own)]
    assert far_ahead in tables
    for table in [*tables, "audit_head", "platform_entry"]:
        assert re.search("permission denied|only grows", refused(engine, f"truncate {table} cascade")), table
    this_month = next(t for t in parts(own) if own.ask(f"select exists (select from {t})"))
    for table in ("audit_entry", "audit_link", this_month):
        assert re.search("permission denied|only grows", refused(engine, f"update {table} set tenant_id = tenant_id"))
        assert re.search("permission denied|only grows", refused(engine, f"delete from {table}"))
    assert re.search("permission denied|only grows", refused(engine, "delete from audit_head"))


def test_the_head_only_moves_on(own: Committed) -> None:
    for change in ("seq = seq - 1", "seq = seq, hash = 'x'"):
        assert "only moves on" in refused(own.owner, f"update audit_head set {change}")


def test_the_web_role_writes_no_link_of_its_own(own: Committed) -> None:
    for sql in (
        "update audit_head set seq = seq + 1",
        "insert into audit_head (tenant_id, seq, hash) values (1, 1, '')",
        "insert into audit_link (tenant_id, seq, entry_id, entry_at, hash) values (1, 99, 1, now(), '')",
        "select seal_audit_entry()",
    ):
        assert "permission denied" in refused(own.web, sql), sql


def test_a_school_with_a_trail_is_not_deleted(own: Committed) -> None:
    assert "only grows" in refused(own.owner, "delete from tenant")


def test_the_owner_who_says_so_still_changes_nothing_that_is_sealed(own: Committed) -> None:
    with own.owner.connect() as connection:
        connection.exec_driver_sql("select set_config('app.audit_owner', 'yes', true)")
        with pytest.raises(DBAPIError, match="only grows"):
            connection.exec_driver_sql("update audit_entry set action = 'x'")


def test_the_monthly_job_makes_partitions_that_refuse(app: Flask) -> None:
    partitions.make_months_ahead(session.connection())
    triggers = session.connection().exec_driver_sql(
        "select c.relname, array_agg(t.tgname::text order by t.tgname) from pg_class c"
        " left join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal"
        " where c.relispartition and c.relkind = 'r' and c.relname like 'audit_entry_%%' group by 1",
        execution_options={"global_tables_only": True},
    )
    assert {tuple(names) for _table, names in triggers} == {("rows_stay", "seal_at_commit", "table_stays")}


def test_entries_of_another_school_are_not_seen(app: Flask) -> None:
    with at_school("harbour") as harbour:
        assert {entry.tenant_id for entry in session.query(AuditEntry)} == {harbour.id}
        assert {link.tenant_id for link in session.query(AuditLink)} == {harbour.id}


def test_a_demo_is_reset_by_its_owner_and_begins_new_chains(own: Committed) -> None:
    with own.at("skyline"):
        record(5)
    result = own.run("demo", "reset")
    assert result.exit_code == 0, result.output
    assert own.ask("select count(*) from audit_entry where action = 'department.added' and after ? 'n'") == 0
    assert whole(own)
