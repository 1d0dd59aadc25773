"""The monthly partitions, made ahead."""

from __future__ import annotations

from app.foundation import partitions, tenancy
from app.foundation.db import unit_of_work


def make_months_ahead() -> None:
    """Make the partitions of this month and the next three, where they are missing."""
    with tenancy.tenant_scope(None), unit_of_work():
        partitions.make_months_ahead()
