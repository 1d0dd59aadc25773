"""The chain: each school's entries are linked as the last statement before COMMIT, so that no writer waits for another's work.

`audit(…)` names the entries; when the session commits, those that no savepoint has taken back are sealed by one call of the
database's `seal_audit`, which locks the school's head, adds the links and moves the head on.
"""

from __future__ import annotations

from contextlib import nullcontext
from itertools import groupby

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.audit.rules import canonical
from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.tenancy import TenantRef

WAITING = "audit_entries"
SEAL = "select seal_audit(%(ids)s::bigint[], %(ats)s::timestamptz[], %(spelled)s::text[])"


def seal_at_commit(school: TenantRef, entry: AuditEntry) -> None:
    """Have an entry of this session linked into its school's chain when the transaction commits."""
    session().info.setdefault(WAITING, []).append((school, entry))


@event.listens_for(Session, "before_commit")
def _seal(committing: Session) -> None:
    if committing.in_nested_transaction() or not (waiting := committing.info.pop(WAITING, None)):
        return
    committing.flush()
    # A rolled-back savepoint has expunged its entries. Schools in the order of their ids: two writers never wait in a ring.
    kept = sorted(((school, entry) for school, entry in waiting if entry in committing), key=lambda pair: pair[0].id)
    for school, group in groupby(kept, key=lambda pair: pair[0]):
        here = tenancy.current() == school
        with nullcontext() if here else tenancy.tenant_scope(school):
            _link(committing, [entry for _school, entry in group])


def _link(committing: Session, entries: list[AuditEntry]) -> None:
    committing.connection().exec_driver_sql(
        SEAL,
        {
            "ids": [entry.id for entry in entries],
            "ats": [entry.at for entry in entries],
            "spelled": [canonical(entry) for entry in entries],
        },
    )
