"""What operators see of schools: rows of global tables, counts from behind the wall, and a school's admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from app.audit.models import PlatformEntry
from app.console.rules import Stretch, lately, months_until
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OnceKey
from app.foundation.pages import Page, paginate
from app.foundation.tenancy import SLUG, TenantRef, tenant_scope
from app.identity.models import Membership, User
from app.identity.queries import known_address
from app.tenants.models import Tenant

MOST_ADMINS, MOST_ENTRIES = 25, 20
USAGE = """
select counted.people, counted.active, counted.bookings, counted.courses
from unnest(
  %(schools)s::bigint[], %(active_since)s::timestamptz[], %(active_until)s::timestamptz[],
  %(booked_since)s::timestamptz[], %(booked_until)s::timestamptz[]
) with ordinality as asked (school, active_since, active_until, booked_since, booked_until, place),
school_usage(asked.school, asked.active_since, asked.active_until, asked.booked_since, asked.booked_until) as counted
order by asked.place
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a school is used: people who are in, those who did something, bookings that stand, published courses."""

    people: int
    active: int
    bookings: int
    courses: int


@dataclass(frozen=True)
class Listed:
    """One row of the list. `usage` counts who was active in the last 30 days, and this month's bookings."""

    school: Tenant
    usage: Usage


@dataclass(frozen=True)
class Month:
    """One month of a school: from its first instant there until the next month's, and what was counted in it."""

    begins: datetime
    until: datetime
    usage: Usage


@dataclass(frozen=True)
class Admin:
    """An admin of a school, as an operator needs to know them."""

    id: int
    name: str
    email: str
    status: str


@dataclass(frozen=True)
class Entry:
    """One line of what operators and the platform did with a school. `by` is an operator's e-mail, "" for the platform."""

    action: str
    at: datetime
    by: str


def list_schools(
    *, search: str = "", state: str | None = None, newest_first: bool = False, cursor: str = ""
) -> Page[Listed]:
    """A page of the platform's schools with their use, by name or newest first, in two SELECTs. `state` is open or suspended."""
    name_key: Any = func.lower(Tenant.name).label("name_key")
    schools = select(Tenant, name_key, Tenant.id)
    if search:
        named = (func.lower(Tenant.name), Tenant.slug)
        schools = schools.where(or_(*(column.contains(search.lower(), autoescape=True) for column in named)))
    if state:
        schools = schools.where(Tenant.suspended_at.is_(None) if state == "open" else Tenant.suspended_at.is_not(None))
    by = [Tenant.id] if newest_first else [name_key, Tenant.id]
    found = paginate(schools, by, cursor=cursor, descending=newest_first, scalars=False)
    tenants, now = [row.Tenant for row in found.rows], clock.now()
    usages = _count([(tenant.id, lately(now), months_until(now, tenant.zone, count=1)[0]) for tenant in tenants])
    rows = [Listed(tenant, usage) for tenant, usage in zip(tenants, usages, strict=True)]
    return Page(rows, found.before, found.after)


def find_school(slug: str) -> Tenant | None:
    """A school by its address, suspended or not."""
    if not SLUG.fullmatch(slug):
        return None
    return session.scalars(select(Tenant).where(Tenant.slug == slug)).first()


def usage_of(school: Tenant) -> tuple[Usage, list[Month]]:
    """How much a school is used now, and in each of its last months, the newest first, in one SELECT."""
    now = clock.now()
    months = months_until(now, school.zone)
    wanted = [(lately(now), months[0]), *((month, month) for month in months)]
    usage, *monthly = _count([(school.id, active, booked) for active, booked in wanted])
    return usage, [Month(month.since, month.until, counted) for month, counted in zip(months, monthly, strict=True)]


def list_admins(school: TenantRef) -> list[Admin]:
    """Those who run a school or are invited to, by name."""
    admins = (
        select(Membership.id, Membership.name, known_address(), Membership.status)
        .join(User, User.id == Membership.user_id)
        .where(Membership.roles.contains(["admin"]), Membership.status.in_(["active", "invited", "suspended"]))
        .order_by(Membership.name_key, Membership.id)
        .limit(MOST_ADMINS)
    )
    with tenant_scope(school):
        return [Admin(*row) for row in session.execute(admins)]


def list_entries(school_id: int) -> list[Entry]:
    """What operators and the platform did with a school, newest first."""
    entries = (
        select(PlatformEntry.action, PlatformEntry.at, func.coalesce(User.email, ""))
        .outerjoin(User, User.id == PlatformEntry.user_id)
        .where(PlatformEntry.school_id == school_id)
        .order_by(PlatformEntry.at.desc(), PlatformEntry.id.desc())
        .limit(MOST_ENTRIES)
    )
    return [Entry(*row) for row in session.execute(entries)]


def was_opened_with(key: str, school: TenantRef, *, user_id: int | None) -> bool:
    """Whether this form, known by its one-use key, opened the school already."""
    used = select(OnceKey.id).where(OnceKey.key == key, OnceKey.user_id == user_id)
    with tenant_scope(school):
        return session.execute(used).first() is not None


def reference(school: Tenant) -> TenantRef:
    """What it takes to enter a school."""
    return TenantRef(
        school.id, school.slug, school.name, school.zone, is_suspended=school.suspended_at is not None
    )  # fmt: skip


def _count(wanted: list[tuple[int, Stretch, Stretch]]) -> list[Usage]:
    """The use of schools, in the order asked: an id, in which stretch people were active, and in which bookings begin."""
    if not wanted:
        return []
    values = {
        "schools": [school for school, _active, _booked in wanted],
        "active_since": [active.since for _school, active, _booked in wanted],
        "active_until": [active.until for _school, active, _booked in wanted],
        "booked_since": [booked.since for _school, _active, booked in wanted],
        "booked_until": [booked.until for _school, _active, booked in wanted],
    }
    counts_only = {"global_tables_only": True}
    return [Usage(*row) for row in session.connection().exec_driver_sql(USAGE, values, execution_options=counts_only)]
