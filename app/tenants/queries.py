"""Every SELECT about schools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, SQLColumnExpression, func, select

from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.tenancy import TenantRef, required, tenant_scope
from app.tenants.models import Department, SchoolSettings, Tenant
from app.tenants.rules import places_in, tree_of

_COLUMNS = select(Tenant.id, Tenant.slug, Tenant.name, Tenant.zone)
DEPARTMENT_TREE = """department_tree as (
  select id as top, id as inside from department
  union select t.top, d.id from department_tree t join department d on d.parent_id = t.inside)"""
"""The same tree as `lies_in` walks, for plain SQL: after `with recursive`, each department as `top` with all that lie in it as
`inside`."""


def find_tenant_by_slug(slug: str) -> TenantRef | None:
    """The reference of a school, suspended or not, with its brand color and locale, which lie behind the school's wall."""
    row = session.execute(_COLUMNS.add_columns(Tenant.suspended_at).where(Tenant.slug == slug)).first()
    if row is None:
        return None
    school = TenantRef(row.id, row.slug, row.name, row.zone, is_suspended=row.suspended_at is not None)
    with tenant_scope(school):
        found = session.execute(select(SchoolSettings.brand_color, SchoolSettings.locale)).first()
    return replace(school, brand_color=found.brand_color or "", locale=found.locale) if found else school


def find_tenant_by_id(tenant_id: int) -> TenantRef | None:
    """The reference of a school, suspended or not: its work is finished."""
    row = session.execute(_COLUMNS.where(Tenant.id == tenant_id)).first()
    return TenantRef(*row) if row else None


def list_schools() -> list[TenantRef]:
    """The references of all schools that are not suspended, by slug."""
    return [
        TenantRef(*row) for row in session.execute(_COLUMNS.where(Tenant.suspended_at.is_(None)).order_by(Tenant.slug))
    ]


def find_first_school() -> TenantRef | None:
    """The school that was there first, of those that are not suspended."""
    row = session.execute(_COLUMNS.where(Tenant.suspended_at.is_(None)).order_by(Tenant.id).limit(1)).first()
    return TenantRef(*row) if row else None


def school_settings() -> SchoolSettings:
    """The settings of the school in force."""
    return session.scalars(select(SchoolSettings)).one()


def take_the_schools_turn() -> None:
    """Wait until nobody else decides about this school's admins or settings, and hold that until the transaction ends."""
    session.execute(select(SchoolSettings.id).with_for_update()).one()


def department_ids_below(department_id: int) -> Select[Any]:
    """A SELECT of the ids of a department and all those below it, to be used in `….in_(…)`."""
    tree = select(Department.id).where(Department.id == department_id).cte(recursive=True)
    tree = tree.union(select(Department.id).join(tree, Department.parent_id == tree.c.id))
    return select(tree.c.id)


def lies_in(department_id: SQLColumnExpression[Any], above: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """The condition that a department is another one, or lies below it: both may be columns, or values."""
    return department_id.in_(select(TREE.c.inside).where(TREE.c.top == above).correlate_except(TREE))


def _tree() -> CTE:
    each = select(Department.id.label("top"), Department.id.label("inside")).cte("department_tree", recursive=True)
    return each.union(select(each.c.top, Department.id).join(each, Department.parent_id == each.c.inside))


TREE = _tree()
"""Each department as `top`, with itself and all those below it as `inside`, for joins. A statement has it once, however often it is
named."""


def count_departments_in(department_id: int) -> int:
    """How many departments lie right below one."""
    below = select(func.count()).select_from(Department).where(Department.parent_id == department_id)
    return session.execute(below).scalar_one()


def parents_of_departments() -> dict[int, int | None]:
    """Below which department each one lies, by id; None at the top."""
    return {row.id: row.parent_id for row in session.execute(select(Department.id, Department.parent_id))}


def find_department(department_id: int) -> Department | None:
    return session.get(Department, department_id)


def find_school() -> Tenant:
    """The row of the school in force."""
    return session.scalars(select(Tenant).where(Tenant.id == required().id)).one()


def list_places() -> dict[str, str]:
    """The departments as choices: indented names by id, each below the one that it lies in."""
    return dict(places_in(tree_of(list_departments(), {})))


def list_departments() -> list[Department]:
    """The departments of the school in force, by name as people sort."""
    return sorted(session.scalars(select(Department)), key=lambda department: sort_key(department.name))
