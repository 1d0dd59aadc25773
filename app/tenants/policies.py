"""Who may do what with a school."""

from __future__ import annotations

from enum import StrEnum

from app.foundation.permissions import Role, grants


class Can(StrEnum):
    SEE_STUCK_WORK = "tenants:see_stuck_work"
    REPLAY_STUCK_WORK = "tenants:replay_stuck_work"


grants({Can.SEE_STUCK_WORK: {Role.ADMIN}, Can.REPLAY_STUCK_WORK: {Role.ADMIN}})
