"""The audit trail of a grown school: what its bookings and its people's visits would have left, chained as they would be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg2 import sql  # type: ignore[import-untyped]

from app.demo.cast import DEVICES
from app.demo.grow.bookings import Booked, School

FURTHEST_BACK = timedelta(days=28)
MONTHS = """
select make_month_partition('audit_entry', (%s::timestamptz + make_interval(months => m))::date) from generate_series(0, 1) as m
"""
WITHOUT_SEALING = "alter table audit_entry disable trigger seal_at_commit"
SEALING_AGAIN = "alter table audit_entry enable trigger seal_at_commit"
"""Sealing each entry by its trigger would move a school's head once an entry; a school's whole chain in one pass is the same."""
COLUMNS = "tenant_id id at actor_id action subject_type subject_id before after correlation_id origin user_agent"  # in this order
LINKS = sql.SQL(
    """
do $$
declare
  entry audit_entry;
  school bigint;
  place bigint;
  chained bytea;
begin
  for entry in select * from audit_entry where tenant_id between {first} and {last} order by tenant_id, id loop
    if school is distinct from entry.tenant_id then
      school := entry.tenant_id;
      place := 0;
      chained := decode(repeat('00', 32), 'hex');
    end if;
    place := place + 1;
    chained := sha256(chained || convert_to(audit_spelled(entry), 'UTF8'));
    insert into audit_link (tenant_id, seq, entry_id, entry_at, hash) values (school, place, entry.id, entry.at, chained);
  end loop;
end $$
"""
)
HEADS = """
insert into audit_head (tenant_id, seq, hash)
select distinct on (tenant_id) tenant_id, seq, hash from audit_link where tenant_id between %s and %s
order by tenant_id, seq desc
"""
Deed = tuple[datetime, int | None, str, str, int, dict[str, Any] | None, dict[str, Any] | None]


def begin_trail(cursor: Any, now: datetime) -> None:
    """Make the months that entries will lie in, and leave sealing to `seal`, until the end of the transaction."""
    cursor.execute(MONTHS, (now - FURTHEST_BACK,))
    cursor.execute(WITHOUT_SEALING)


def seal(cursor: Any, first_tenant: int, last_tenant: int) -> None:
    """Chain the entries of these schools, which have no link yet, and have those to come sealed at COMMIT again."""
    cursor.execute(LINKS.format(first=sql.Literal(first_tenant), last=sql.Literal(last_tenant)))
    cursor.execute(HEADS, (first_tenant, last_tenant))
    cursor.execute(SEALING_AGAIN)


def entries_of(
    school: School, bookings: Sequence[tuple[int, Booked]], *, count: int, first_id: int, now: datetime
) -> list[tuple[object, ...]]:
    """`count` rows of COLUMNS, oldest first: one deed of a booking for each two visits, as far as there are any."""
    deeds = sorted(_deeds(bookings, now), key=lambda deed: deed[0], reverse=True)[: count // 3]
    visits = list(_visits(school, count - len(deeds), now))
    rows: list[tuple[object, ...]] = []
    for n, (at, actor, action, kind, subject, before, after) in enumerate(
        sorted([*deeds, *visits], key=lambda d: d[0])
    ):
        spelled = [None if side is None else json.dumps(side) for side in (before, after)]
        code, device = f"{school.tenant:08x}{n:024x}", DEVICES[n % len(DEVICES)]
        rows.append((school.tenant, first_id + n, at, actor, action, kind, subject, *spelled, code, "web", device))
    return rows


def _deeds(bookings: Sequence[tuple[int, Booked]], now: datetime) -> Iterator[Deed]:
    for number, booking in bookings:
        if booking.requested_at < now - FURTHEST_BACK:
            continue
        yield (
            booking.requested_at,
            booking.learner,
            "booking.requested",
            "Booking",
            number,
            None,
            {"status": "requested"},
        )
        if booking.told_as:
            change = {"status": "requested"}, {"status": booking.told_as}
            yield booking.told_at, booking.decided_by, f"booking.{booking.told_as}", "Booking", number, *change


def _visits(school: School, count: int, now: datetime) -> Iterator[Deed]:
    members = [*school.admins, *(member for member, _resource in (*school.instructors, *school.learners))]
    apart = FURTHEST_BACK / (count + 1)
    for n in range(count):
        member = members[n * 7 % len(members)]
        action = "session.refused" if n % 19 == 0 else "session.opened"
        yield now - apart * (n + 1), member, action, "Membership", member, None, None
