"""Walking a school's chain from its first link to its head, and naming the first that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, and_, cast, func, select

from app.audit.models import AuditEntry, AuditHead, AuditLink
from app.audit.rules import GENESIS, seal, sealed_fields
from app.foundation.db import session
from app.foundation.tenancy import TenantRef
from app.tenants.models import Tenant

BATCH = 1000
Sealed = dict[str, Any]
"""The fields of an entry that its link seals."""


class Break(StrEnum):
    """What is wrong at a link."""

    CONTENT_CHANGED = "content changed"
    ENTRY_MISSING = "entry missing"
    LINK_MISSING = "link missing"
    ORDER_SWAPPED = "order swapped"
    HEAD_DIFFERS = "head differs"


@dataclass(frozen=True)
class Fault:
    """The first broken link. `entry_id` is None where it cannot be known."""

    seq: int
    kind: Break
    entry_id: int | None
    sentence: str


@dataclass(frozen=True)
class Head:
    """Where a chain ends, or ended when it was noted down."""

    seq: int
    hash: bytes


@dataclass(frozen=True)
class Verdict:
    """How far a chain holds (`sealed.seq` links, the last with `sealed.hash`), and its first fault, if it has one."""

    sealed: Head
    sealed_at: datetime | None
    fault: Fault | None


def verify_chain(kept: Head | None = None) -> Verdict:
    """Walk the chain of the school in force. `kept` is a head noted down earlier: the chain must still run through it.

    Run it in one REPEATABLE READ transaction, so that entries which are being written meanwhile are either whole or absent.
    """
    at = Head(0, GENESIS)
    instant = None
    for link, entry in _links_from(1):
        fault = _fault_of_link(at, link, entry)
        if fault:
            return Verdict(at, instant, fault)
        at, instant = Head(link.seq, link.hash), link.entry_at
        if kept and kept.seq == at.seq and kept.hash != at.hash:
            sentence = "the chain no longer runs through the head that was kept: it was written anew"
            return Verdict(at, instant, Fault(at.seq, Break.HEAD_DIFFERS, link.entry_id, sentence))
    return Verdict(at, instant, _fault_of_end(at, kept))


def find_head() -> Head | None:
    """Where the chain of the school in force ends; None if nothing was ever recorded."""
    row = session.execute(select(AuditHead.seq, AuditHead.hash)).first()
    return Head(*row) if row else None


def stream_chain(first: int, last: int) -> Iterator[tuple[AuditLink, Sealed | None, bytes]]:
    """The links from `first` to `last`, each with what it seals (None if that was removed) and the hash before it."""
    found = session.scalars(select(AuditLink.hash).where(AuditLink.seq == first - 1)).first()
    previous = found or GENESIS
    for link, entry in _links_from(first):
        if link.seq > last:
            return
        yield link, entry, previous
        previous = link.hash


def find_links_between(since: datetime | None, before: datetime | None) -> tuple[int, int]:
    """The first and last link whose entries are of a stretch of time; (1, 0) if there is none."""
    bounds = select(func.min(AuditLink.seq), func.max(AuditLink.seq))
    if since:
        bounds = bounds.where(AuditLink.entry_at >= since)
    if before:
        bounds = bounds.where(AuditLink.entry_at < before)
    first, last = session.execute(bounds).one()
    return (first, last) if first else (1, 0)


def list_schools() -> list[TenantRef]:
    """Every school, suspended or not, by slug."""
    rows = session.execute(select(Tenant.id, Tenant.slug, Tenant.name, Tenant.zone).order_by(Tenant.slug))
    return [TenantRef(*row) for row in rows]


_ENTRY_OF_LINK = and_(
    AuditEntry.tenant_id == AuditLink.tenant_id,
    AuditEntry.id == AuditLink.entry_id,
    AuditEntry.at == AuditLink.entry_at,
)


def _links_from(first: int) -> Iterator[tuple[AuditLink, Sealed | None]]:
    """The links in their order, each with the fields that it seals, a batch a SELECT."""
    spelled = (cast(AuditEntry.before, Text).label("was"), cast(AuditEntry.after, Text).label("now"))
    links = (
        select(AuditLink, AuditEntry, *spelled)
        .outerjoin(AuditEntry, _ENTRY_OF_LINK)
        .order_by(AuditLink.seq)
        .limit(BATCH)
    )
    last = first - 1
    while rows := session.execute(
        links.where(AuditLink.seq > last), execution_options={"populate_existing": True}
    ).all():
        for link, entry, before, after in rows:
            yield link, sealed_fields(entry, before, after) if entry else None
        last = rows[-1][0].seq


def _fault_of_link(before: Head, link: AuditLink, entry: Sealed | None) -> Fault | None:
    if link.seq != before.seq + 1:
        return Fault(
            before.seq + 1,
            Break.LINK_MISSING,
            _first_unsealed(),
            f"no link {before.seq + 1}; the next one is {link.seq}",
        )
    if entry is None:
        return Fault(
            link.seq, Break.ENTRY_MISSING, link.entry_id, "the link is there, but the entry it seals was removed"
        )
    if seal(before.hash, entry) == link.hash:
        return None
    return _swapped(before, link) or Fault(
        link.seq, Break.CONTENT_CHANGED, link.entry_id, "the entry is not the one that was sealed"
    )


def _swapped(before: Head, link: AuditLink) -> Fault | None:
    """Whether the entry that belongs here stands further down: its seal on what comes before is there already."""
    for other, entry in _links_from(link.seq + 1):
        if entry is not None and seal(before.hash, entry) in (link.hash, other.hash):
            sentence = f"the entry that belongs here, {entry['id']}, stands at link {other.seq}"
            return Fault(link.seq, Break.ORDER_SWAPPED, link.entry_id, sentence)
    return None


def _fault_of_end(at: Head, kept: Head | None) -> Fault | None:
    """What is wrong where the links end: the head, or one that was kept, knows of more; or an entry has no link."""
    head = find_head() or Head(0, GENESIS)
    unsealed = _first_unsealed()
    if head.seq > at.seq:
        return Fault(at.seq + 1, Break.LINK_MISSING, unsealed, f"the links end here, but the head stands at {head.seq}")
    if kept and kept.seq > at.seq:
        sentence = f"the links end here, but the head that was kept stands at {kept.seq}"
        return Fault(at.seq + 1, Break.LINK_MISSING, unsealed, sentence)
    if head != at:
        return Fault(
            at.seq, Break.HEAD_DIFFERS, None, f"the head stands at {head.seq} and has another hash than the last link"
        )
    if unsealed is not None:
        return Fault(at.seq + 1, Break.LINK_MISSING, unsealed, "the entry has no link: it was written past the chain")
    return None


def _first_unsealed() -> int | None:
    """The first entry that no link seals."""
    link = select(AuditLink.id).where(_ENTRY_OF_LINK).correlate(AuditEntry).exists()
    return session.scalars(select(AuditEntry.id).where(~link).order_by(AuditEntry.id).limit(1)).first()
