"""What tests of events and jobs begin with: no work left over from the seed."""

from __future__ import annotations

from sqlalchemy import delete

from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.models import Job, OutboxEvent


def forget_all_work() -> None:
    """Delete every waiting event and every row of work."""
    with tenancy.tenant_scope(None):
        session.execute(delete(Job))
        session.execute(delete(OutboxEvent))
        session.commit()
