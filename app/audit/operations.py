"""Writing the audit trail."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.logs import correlation_id

CHANGED = "changed"
PERSONAL = frozenset({"name", "email", "phone", "password", "token", "emergency_contact", "note", "reason"})
"""Fields whose content stays out of the trail; that they changed is recorded."""


def audit(
    action: str,
    *,
    actor: Actor,
    subject: Any,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Record a deed in the transaction that does it. `action` is `<noun>.<past participle>`, e.g. "booking.approved".

    `before` and `after` are JSON-ready values by field; what both agree on is left out, personal data reads "changed".
    """
    before, after = _changes(before, after)
    session.add(
        AuditEntry(
            at=clock.now(),
            actor_id=actor.membership_id,
            action=action,
            subject_type=type(subject).__name__,
            subject_id=getattr(subject, "id", None),
            before=before,
            after=after,
            correlation_id=correlation_id(),
            origin="web" if has_request_context() else "job",
            user_agent=(request.user_agent.string[:300] or None) if has_request_context() else None,
        )
    )


def _changes(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    same = {key for key in (before or {}) if after and key in after and before and before[key] == after[key]}
    return _masked(before, same), _masked(after, same)


def _masked(fields: dict[str, Any] | None, same: set[str]) -> dict[str, Any] | None:
    kept = {
        key: CHANGED if key in PERSONAL and value not in (None, "") else value
        for key, value in (fields or {}).items()
        if key not in same
    }
    return kept or None
