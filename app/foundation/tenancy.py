"""The tenant in force: the wall is stamped on every transaction, the bell rings where a statement runs without one.

The wall itself stands in the database (walls.py). Here: which school this thread works for, the stamp that tells
PostgreSQL so, and the bell that makes a forgotten stamp an error instead of an empty answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.exc import InternalError, PendingRollbackError
from sqlalchemy.orm import Session
from sqlalchemy.orm.session import SessionTransaction
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import AliasedReturnsRows
from sqlalchemy.sql.util import find_tables
from sqlalchemy.sql.visitors import iterate

from app.foundation.db import ROWS_ALONE, session
from app.foundation.models import TenantRow

GLOBAL_TABLES: dict[str, str] = {
    "tenant": "The list of schools: slug, name and zone, needed before any school is known.",
    "user_account": "E-mail and password hash: one person may belong to several schools. Name and phone are the membership's.",
    "user_session": "Hashed session tokens: looked up before the person is known.",
    "recovery_code": "Hashed codes of the second factor, which is the person's, not a school's.",
    "one_use_token": "Hashed tokens of mailed links: looked up before the person or school is known.",
    "platform_entry": "The platform's own trail: failed sign-ins of no known school, operators' deeds; mails as keyed hashes.",
    "worker_heartbeat": "When each worker was last alive: the platform's, not a school's.",
    "outbox_event": "Names and ids of what happened, never content: the relay reads across schools.",
    "job": "Ids of work that is due, never content: the worker claims across schools.",
    "seed_step": "Which steps of the demo's seed have run: names only.",
    "alembic_version": "The migration the database stands at.",
}
OWN_ROWS_OF_A_USER = frozenset({"membership"})
"""Walled tables whose second policy shows a signed-in user their own rows, for the school selector."""

SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
STAMP = "select set_config('app.tenant_id', %(tenant)s, true), set_config('app.user_id', %(user)s, true)"
FAILED_TRANSACTION = "25P02"
CACHE_SECONDS = 30.0


class NoTenant(RuntimeError):
    """A statement on a school's table ran while no school was in force. A bug, never a user's mistake."""


class WrongTenant(RuntimeError):
    """A row of one school was about to be written while another was in force. A bug."""


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What every request needs to know of its school. `zone` is an IANA name, `brand_color` "#rrggbb" or empty; `locale` is what
    those read in who have none of their own.

    `is_suspended` is as old as the cache it comes from: it closes the pages that ask nobody who they are. Members are told
    by the sign-in lookup, which knows at once.
    """

    id: int
    slug: str
    name: str
    zone: str
    brand_color: str = ""
    is_suspended: bool = False
    locale: str = "en"


_tenant: ContextVar[TenantRef | None] = ContextVar("tenant", default=None)
_user_id: ContextVar[int | None] = ContextVar("user_id", default=None)
_silent: ContextVar[bool] = ContextVar("all_tenants", default=False)


def current() -> TenantRef | None:
    """The school in force, or None."""
    return _tenant.get()


def required() -> TenantRef:
    """The school in force; raises NoTenant if there is none."""
    tenant = _tenant.get()
    if tenant is None:
        raise NoTenant("no school is in force")
    return tenant


def enter(tenant: TenantRef | None, *, user_id: int | None = None) -> None:
    """Put a school (or none) in force for this thread, also in a transaction that is already open."""
    _tenant.set(tenant)
    _user_id.set(user_id)
    if session.registry.has() and session().in_transaction():
        _write_stamp(session().connection())


@contextmanager
def tenant_scope(tenant: TenantRef | None) -> Iterator[None]:
    """Work for one school, then return to the one before."""
    before, user_before = _tenant.get(), _user_id.get()
    enter(tenant)
    try:
        yield
    finally:
        _return_to(before, user_before)


def _return_to(tenant: TenantRef | None, user_id: int | None) -> None:
    """Put the earlier school in force again. A transaction that has failed takes no statement, not even the stamp, and needs
    none: nothing is read in it any more, and rolling back takes the stamp back too. The failure itself must stay visible."""
    try:
        enter(tenant, user_id=user_id)
    except PendingRollbackError:
        pass
    except InternalError as error:
        if getattr(error.orig, "pgcode", None) != FAILED_TRANSACTION:
            raise


@contextmanager
def all_tenants() -> Iterator[None]:
    """Silence the bell, and only the bell: the wall still shows no school's rows."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


# -- one request ---------------------------------------------------------------------------------------------------

_finder: Callable[[str], TenantRef | None] = lambda slug: None  # noqa: E731
_cache: dict[str, tuple[float, TenantRef | None]] = {}


def tenants_come_from(finder: Callable[[str], TenantRef | None]) -> None:
    """The factory says who looks a school up by its slug."""
    global _finder
    _finder = finder
    forget_tenants()


def forget_tenants() -> None:
    """Empty this process's cache of schools: one was created or renamed."""
    _cache.clear()


def find_by_slug(slug: str) -> TenantRef | None:
    """The school of a slug, from a process cache with a short life. What can be no slug is not even looked up."""
    if not SLUG.fullmatch(slug):
        return None
    cached = _cache.get(slug)
    if cached and cached[0] > time.monotonic():
        return cached[1]
    tenant = _finder(slug)
    if len(_cache) > 10_000:
        _cache.clear()
    _cache[slug] = (time.monotonic() + CACHE_SECONDS, tenant)
    return tenant


def renew(tenant: TenantRef) -> None:
    """Take over what another process has changed of the school in force."""
    _cache[tenant.slug] = (time.monotonic() + CACHE_SECONDS, tenant)
    _tenant.set(tenant)


def tenants_in_paths(app: Flask) -> None:
    """Pop the first path segment into the school in force, and put it back whenever a URL is built."""

    @app.url_value_preprocessor
    def pop_tenant(endpoint: str | None, values: dict[str, Any] | None) -> None:
        session.remove()
        enter(None)
        if values and "tenant" in values:
            tenant = find_by_slug(values.pop("tenant"))
            if tenant is None:
                abort(404)
            enter(tenant)

    @app.url_defaults
    def add_tenant(endpoint: str, values: dict[str, Any]) -> None:
        tenant = _tenant.get()
        if tenant and "tenant" not in values and app.url_map.is_endpoint_expecting(endpoint, "tenant"):
            values["tenant"] = tenant.slug


# -- stamp and bell ------------------------------------------------------------------------------------------------


def _write_stamp(connection: Connection) -> None:
    tenant, user_id = _tenant.get(), _user_id.get()
    values = {"tenant": str(tenant.id) if tenant else "", "user": str(user_id or "")}
    connection.exec_driver_sql(STAMP, values, execution_options=ROWS_ALONE)


@event.listens_for(Session, "after_begin")
def _stamp(_session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested:
        _write_stamp(connection)


def ring_on(engine: Engine) -> None:
    """Hang the bell on the web role's engine."""
    event.listen(engine, "before_cursor_execute", _ring)


def _ring(
    _connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    if _tenant.get() is not None or _silent.get() or statement is STAMP:
        return
    compiled = getattr(context, "compiled", None)
    if compiled is None or compiled.statement is None or _speaks_plain_sql(compiled.statement):
        if context is not None and context.execution_options.get("global_tables_only"):
            return
        raise NoTenant("a text statement ran while no school was in force")
    allowed = GLOBAL_TABLES.keys() | (OWN_ROWS_OF_A_USER if _user_id.get() is not None else frozenset())
    strangers = _tables_in(compiled.statement) - allowed
    if strangers:
        raise NoTenant(f"no school is in force, but a statement names {', '.join(sorted(map(str, strangers)))}")


def _speaks_plain_sql(statement: Any) -> bool:
    """Whether any part of a statement is text: nobody can tell which tables that names."""
    return any(isinstance(part, TextClause) for part in iterate(statement))


def _tables_in(statement: Any) -> set[str]:
    """The names of the tables a statement touches, also inside its subqueries and common table expressions."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [statement]
    while waiting:
        found: list[Any] = find_tables(
            waiting.pop(), check_columns=True, include_aliases=True, include_joins=True, include_selects=True,
            include_crud=True,
        )  # fmt: skip
        names.update(table.name for table in found if isinstance(table, Table))
        inner = [found_in.element for found_in in found if isinstance(found_in, AliasedReturnsRows)]
        waiting += [element for element in inner if id(element) not in seen]
        seen.update(map(id, inner))
    return names


@event.listens_for(Session, "before_flush")
def _stamp_rows(flushing: Session, _context: Any, _instances: Any) -> None:
    tenant = _tenant.get()
    for row in flushing.new:
        if isinstance(row, TenantRow) and row.tenant_id is None:
            if tenant is None:
                raise NoTenant(f"a {type(row).__name__} was added while no school was in force")
            row.tenant_id = tenant.id
    for row in (*flushing.new, *flushing.dirty, *flushing.deleted):
        if isinstance(row, TenantRow) and (tenant is None or row.tenant_id != tenant.id):
            raise WrongTenant(f"a {type(row).__name__} of school {row.tenant_id} was about to be written")
