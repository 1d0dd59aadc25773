"""Who may read the trail: it shows what everybody did and from where, so admins only, and under their own name."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from app.foundation.permissions import Role, explains, grants, never_while_acting


class Can(StrEnum):
    READ = "audit:read"


grants({Can.READ: {Role.ADMIN}})
never_while_acting(Can.READ)
explains({Can.READ: _l("Read, export and search the audit trail")})
