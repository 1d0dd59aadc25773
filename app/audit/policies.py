"""Who may read the trail: it shows what everybody did and from where, so admins only."""

from __future__ import annotations

from enum import StrEnum

from app.foundation.permissions import Role, grants


class Can(StrEnum):
    READ = "audit:read"


grants({Can.READ: {Role.ADMIN}})
