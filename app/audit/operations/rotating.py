"""Changing the key of encrypted addresses: the one change of the trail that is allowed, and only to its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from app.audit.rules import PLATFORM, KeyRing

MARK = "select set_config('app.audit_owner', 'yes', true)"
"""The triggers let the owner's role through, for this transaction, where it says that it means to."""
OLD = """
select id, at, ip_cipher, ip_key_id from {table}
where {whose} and id > %(after)s and ip_cipher is not null and ip_key_id <> %(newest)s order by id limit %(size)s
"""
NEW = """
update {table} set ip_cipher = fresh.cipher, ip_key_id = %(newest)s
from unnest(%(ids)s::bigint[], %(ats)s::timestamptz[], %(ciphers)s::bytea[]) as fresh (id, at, cipher)
where {whose} and {table}.id = fresh.id and {table}.at = fresh.at
"""


@dataclass
class Rotation:
    """How many addresses were encrypted anew, and how many stayed because their key is not on the ring, by key id."""

    rotated: int
    unreadable: dict[str, int]


def rotate_keys(owner: Engine, ring: KeyRing, *, batch: int = 1000) -> Rotation:
    """Encrypt every address under the ring's newest key, in transactions of `batch` rows. `owner` owns the tables.

    It may be stopped and begun again at any time. Raises Unreadable where a row was tampered with.
    """
    done = Rotation(0, {})
    with owner.connect() as connection:
        schools = connection.exec_driver_sql("select id from tenant order by id").scalars().all()
    for school in schools:
        _rotate(owner, Shelf("audit_entry", f"tenant_id = {int(school)}", str(school)), ring, done, batch)
    _rotate(owner, Shelf("platform_entry", "true", PLATFORM), ring, done, batch)
    return done


@dataclass(frozen=True)
class Shelf:
    """Rows whose addresses are bound to the same name."""

    table: str
    whose: str
    bound_to: str


def _rotate(owner: Engine, shelf: Shelf, ring: KeyRing, done: Rotation, size: int) -> None:
    last: int | None = 0
    while last is not None:
        with owner.begin() as connection:
            last = _rotate_batch(connection, shelf, ring, done, after=last, size=size)


def _rotate_batch(
    connection: Connection, shelf: Shelf, ring: KeyRing, done: Rotation, *, after: int, size: int
) -> int | None:
    """Returns the last id of the batch; None when there is none left."""
    connection.exec_driver_sql(MARK)
    old = OLD.format(table=shelf.table, whose=shelf.whose)
    rows = connection.exec_driver_sql(old, {"after": after, "newest": ring.newest_id, "size": size}).all()
    known = [row for row in rows if row.ip_key_id in ring.ids]
    for row in rows:
        if row.ip_key_id not in ring.ids:
            done.unreadable[row.ip_key_id] = done.unreadable.get(row.ip_key_id, 0) + 1
    if known:
        fresh: dict[str, Any] = {
            "newest": ring.newest_id,
            "ids": [row.id for row in known],
            "ats": [row.at for row in known],
            "ciphers": [_again(ring, row, shelf.bound_to) for row in known],
        }
        connection.exec_driver_sql(NEW.format(table=shelf.table, whose=shelf.whose), fresh)
    done.rotated += len(known)
    return int(rows[-1].id) if rows else None


def _again(ring: KeyRing, row: Any, bound_to: str) -> bytes:
    return ring.encrypt(ring.decrypt(bytes(row.ip_cipher), row.ip_key_id, bound_to=bound_to), bound_to=bound_to)
