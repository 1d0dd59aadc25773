"""Writing the audit trail."""

from __future__ import annotations

from typing import Any

from flask import current_app, has_request_context, request

from app.audit.models import OPERATOR, AuditEntry, PlatformEntry
from app.audit.rules import PLATFORM, KeyRing, changes, key_ring
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.logs import correlation_id
from app.tenants.queries import find_school


def audit(
    action: str,
    *,
    actor: Actor,
    subject: Any,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Record a deed in the transaction that does it. `action` is `<noun>.<past participle>`, e.g. "booking.approved".

    `before` and `after` are JSON-ready values by field; what both agree on is left out, personal data reads "changed". Where
    someone acts as another, the entry names both. An operator, who is no member, is named by their user's id, and what they
    do as another is on the platform's own trail too. The database links the entry into the school's chain when it commits.
    """
    school = tenancy.required()
    was, now = changes(before, {**(after or {}), **_operator(actor)})
    session.add(
        AuditEntry(
            at=clock.now(),
            actor_id=actor.real_membership_id if actor.is_acting else actor.membership_id,
            on_behalf_of_id=actor.membership_id if actor.is_acting else None,
            action=action,
            subject_type=type(subject).__name__,
            subject_id=getattr(subject, "id", None),
            before=was,
            after=now,
            origin="web" if has_request_context() else "job",
            **_origin(str(school.id)),
        )
    )
    if actor.is_acting and actor.real_membership_id is None:
        audit_on_platform(
            action, user_id=actor.user_id, school_id=school.id, on_behalf_of_id=actor.membership_id, subject=subject
        )


def audit_on_platform(
    action: str,
    *,
    email: str | None = None,
    user_id: int | None = None,
    school_id: int | None = None,
    on_behalf_of_id: int | None = None,
    subject: Any = None,
) -> None:
    """Record what concerns no known school, or the platform itself. An e-mail is kept as a keyed hash only.

    Of an operator's deed at a school: as which member of it, and what it was done to.
    """
    session.add(
        PlatformEntry(
            at=clock.now(),
            action=action,
            user_id=user_id,
            school_id=school_id,
            on_behalf_of_id=on_behalf_of_id,
            subject_type=type(subject).__name__ if subject is not None else None,
            subject_id=getattr(subject, "id", None),
            email_hash=keys_of_app().hash(email.strip().lower(), bound_to="email") if email else None,
            **_origin(PLATFORM),
        )
    )


def record_export(kind: str, filters: list[str], *, actor: Actor) -> None:
    """Record that somebody takes the trail away: as which kind of file, and narrowed by what, though not to what."""
    audit("trail.exported", actor=actor, subject=find_school(), after={"kind": kind, "filters": sorted(filters)})


def keys_of_app() -> KeyRing:
    """The keys that this application was started with."""
    settings = current_app.config["SETTINGS"]
    return key_ring(settings.audit_keys, settings.secret_key)


def _operator(actor: Actor) -> dict[str, Any]:
    """What names an operator who is no member of the school: by id, since an address is personal data."""
    is_member = (actor.real_membership_id if actor.is_acting else actor.membership_id) is not None
    if is_member or not actor.user_id or not (actor.is_acting or actor.is_operator):
        return {}
    return {OPERATOR: actor.user_id}


def _origin(bound_to: str) -> dict[str, Any]:
    """The columns that say where a deed came from."""
    if not has_request_context():
        return {"correlation_id": correlation_id()}
    address, found = request.remote_addr, {}
    if address:
        ring = keys_of_app()
        found = {
            "ip_cipher": ring.encrypt(address, bound_to=bound_to),
            "ip_key_id": ring.newest_id,
            "ip_hash": ring.hash(address, bound_to=bound_to),
        }
    return {"correlation_id": correlation_id(), "user_agent": request.user_agent.string[:300] or None, **found}
