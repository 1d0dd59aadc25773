"""Every SELECT on the audit trail."""

from __future__ import annotations

from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.db import session


def list_entries_about(subject_type: str, subject_id: int, *, limit: int = 50) -> list[AuditEntry]:
    """What was done to one record, newest first."""
    about = select(AuditEntry).where(AuditEntry.subject_type == subject_type, AuditEntry.subject_id == subject_id)
    return list(session.scalars(about.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)))
