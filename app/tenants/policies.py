"""Who may do what with a school."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from app.foundation.actor import Actor
from app.foundation.permissions import Role, explains, grants, never_while_acting, sees
from app.tenants.models import Department


class Can(StrEnum):
    SEE_SCHOOL = "tenants:see_school"
    SEE_PERMISSIONS = "tenants:see_permissions"
    CHANGE_SETTINGS = "tenants:change_settings"
    KEEP_DEPARTMENTS = "tenants:keep_departments"
    SEE_STUCK_WORK = "tenants:see_stuck_work"
    REPLAY_STUCK_WORK = "tenants:replay_stuck_work"


grants({permission: {Role.ADMIN} for permission in Can})
never_while_acting(Can.CHANGE_SETTINGS)
explains(
    {
        Can.SEE_SCHOOL: _l("Open the school’s page"),
        Can.SEE_PERMISSIONS: _l("Read who may do what"),
        Can.CHANGE_SETTINGS: _l("Change the school’s settings"),
        Can.KEEP_DEPARTMENTS: _l("Add, rename, move and remove departments"),
        Can.SEE_STUCK_WORK: _l("See work that failed too often"),
        Can.REPLAY_STUCK_WORK: _l("Have failed work tried again"),
    }
)


@sees(Department)
def department_is_seen(_actor: Actor, _department: Department) -> bool:
    """The parts of a school are no secret to its members."""
    return True
