"""The entries of the school in force: about a record, page by page, and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry, AuditLink
from app.audit.queries.names import Names, names_of_records, records_in
from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.pages import Page, paginate
from app.foundation.tenancy import TenantRef
from app.identity.models import Membership, User

BATCH = 500


@dataclass(frozen=True)
class Wanted:
    """Which entries are asked for. `since` is inclusive, `before` exclusive; `ip_hash` is an address's keyed hash."""

    person: str = ""
    """Part of a name; found as who sat there, and as whom they acted."""
    member_id: int | None = None
    action: str = ""
    subject_type: str = ""
    subject_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None
    correlation_id: str = ""
    ip_hash: bytes | None = None


@dataclass(frozen=True)
class Vocabulary:
    """The actions and the kinds of subjects that the school's trail speaks of, sorted."""

    actions: list[str]
    subject_types: list[str]


@dataclass(frozen=True)
class Line:
    """An entry with its place in the chain; `seq` and `hash` are None only where its link was removed."""

    entry: AuditEntry
    seq: int | None
    hash: bytes | None


def list_entries_about(subject_type: str, subject_id: int, *, limit: int = 50) -> list[AuditEntry]:
    """What was done to one record, newest first."""
    about = select(AuditEntry).where(AuditEntry.subject_type == subject_type, AuditEntry.subject_id == subject_id)
    return list(session.scalars(about.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)))


def was_done_since(action: str, subject_type: str, subject_id: int, since: datetime) -> bool:
    """Whether this was done to one record at that instant or later."""
    done = select(AuditEntry.id).where(
        AuditEntry.subject_type == subject_type, AuditEntry.subject_id == subject_id, AuditEntry.at >= since,
        AuditEntry.action == action,
    )  # fmt: skip
    return session.execute(done.limit(1)).first() is not None


def list_trail(wanted: Wanted, *, cursor: str = "") -> Page[Line]:
    """A page of the school's trail, newest first, in one SELECT."""
    by = [AuditEntry.at, AuditEntry.id]
    found = paginate(_lines(wanted, *by), by, cursor=cursor, descending=True, scalars=False)
    return Page([Line(row.AuditEntry, row.seq, row.hash) for row in found.rows], found.before, found.after)


def stream_trail(wanted: Wanted, school: TenantRef) -> Iterator[tuple[list[Line], Names, dict[int, str]]]:
    """The whole trail of a school, newest first, in batches, each with the names of all it speaks of and operators' addresses.

    Each batch is read in a session and a transaction of its own, stamped for `school` while it is read and never while the
    reader holds it: whatever the thread does between two batches sees its own school.
    """
    last: tuple[datetime, int] | None = None
    while True:
        with tenancy.tenant_scope(school), session.session_factory() as own:
            lines = _batch(own, wanted, last)
            names = names_of_records(records_in(line.entry for line in lines), own)
            operators = emails_of_operators(operators_in([line.entry for line in lines]), own)
        if not lines:
            return
        yield lines, names, operators
        last = (lines[-1].entry.at, lines[-1].entry.id)


VOCABULARY = """
with recursive actions (word) as (
  (select action from audit_entry order by action limit 1)
  union all
  select (select action from audit_entry where action > word order by action limit 1) from actions where word is not null
), subjects (word) as (
  (select subject_type from audit_entry order by subject_type limit 1)
  union all
  select (select subject_type from audit_entry where subject_type > word order by subject_type limit 1)
  from subjects where word is not null
)
select 'action', word from actions where word is not null union all select 'subject', word from subjects where word is not null
"""
"""One step along an index for each word, however many entries there are."""


def vocabulary() -> Vocabulary:
    """What the filters of the trail offer, in one statement."""
    rows = session.connection().exec_driver_sql(VOCABULARY).all()
    return Vocabulary(
        actions=sorted(word for kind, word in rows if kind == "action"),
        subject_types=sorted(word for kind, word in rows if kind == "subject"),
    )


def people_in(entries: list[AuditEntry]) -> set[int]:
    """The ids of the members that entries speak of: who sat there, whom they acted as, whom it was done to."""
    ids = {member for entry in entries for member in (entry.actor_id, entry.on_behalf_of_id)}
    ids |= {entry.subject_id for entry in entries if entry.subject_type == Membership.__name__}
    return {member for member in ids if member is not None}


def operators_in(entries: list[AuditEntry]) -> set[int]:
    """The users' ids of the operators who did what entries speak of."""
    return {entry.operator_id for entry in entries if entry.operator_id is not None}


def emails_of_operators(ids: set[int], own: Session | None = None) -> dict[int, str]:
    """The addresses of operators by user id, without those who are erased."""
    if not ids:
        return {}
    rows = (own or session).execute(select(User.id, User.email).where(User.id.in_(ids), User.erased_at.is_(None)))
    return {row.id: row.email for row in rows}


def _lines(wanted: Wanted, *columns: Any) -> Select[Any]:
    seals = and_(
        AuditLink.tenant_id == AuditEntry.tenant_id,
        AuditLink.entry_id == AuditEntry.id,
        AuditLink.entry_at == AuditEntry.at,
    )
    lines = select(AuditEntry, AuditLink.seq, AuditLink.hash, *columns).outerjoin(AuditLink, seals)
    return lines.where(*_conditions(wanted))


def _conditions(wanted: Wanted) -> Iterator[Any]:
    if wanted.person:
        named = select(Membership.id).where(Membership.name_key.contains(sort_key(wanted.person), autoescape=True))
        yield _done_by(named)
    if wanted.member_id is not None:
        yield _done_by([wanted.member_id])
    exact: Mapping[Any, Any] = {
        AuditEntry.action: wanted.action,
        AuditEntry.subject_type: wanted.subject_type,
        AuditEntry.subject_id: wanted.subject_id,
        AuditEntry.correlation_id: wanted.correlation_id,
        AuditEntry.ip_hash: wanted.ip_hash,
    }
    yield from (column == value for column, value in exact.items() if value not in ("", None))
    if wanted.since:
        yield AuditEntry.at >= wanted.since
    if wanted.before:
        yield AuditEntry.at < wanted.before


def _done_by(ids: Any) -> Any:
    return or_(AuditEntry.actor_id.in_(ids), AuditEntry.on_behalf_of_id.in_(ids))


def _batch(own: Session, wanted: Wanted, last: tuple[datetime, int] | None) -> list[Line]:
    lines = _lines(wanted).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(BATCH)
    if last:
        lines = lines.where(tuple_(AuditEntry.at, AuditEntry.id) < tuple_(*last))
    return [Line(*row) for row in own.execute(lines)]
