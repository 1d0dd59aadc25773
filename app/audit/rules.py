"""How a chain is computed, what is kept out of the trail, how it reads, and the keys of encrypted addresses."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

from app.audit.models import AuditEntry
from app.foundation.crypto import Unreadable, decrypt, derive_key, encrypt, parse_keys

GENESIS = bytes(32)
"""What the first link of a chain is hashed with."""
PLATFORM = "platform"
"""What the addresses of the platform's own trail are bound to; those of a school to its id."""
CHANGED = "changed"
PERSONAL = frozenset(
    {
        *("name", "email", "new_email", "phone", "emergency_contact", "password", "token", "note", "reason"),
        *("certificate_number", "license_number"),
    }
)
"""Fields whose content stays out of the trail, at any depth; that they changed is recorded."""


# -- what is recorded ----------------------------------------------------------------------------------------------


def changes(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both sides without what they agree on, personal data as "changed"; None for a side with nothing left."""
    was, now = before or {}, after or {}
    same = {key for key in was.keys() & now.keys() if was[key] == now[key]}
    return _side(was, same), _side(now, same)


def _side(fields: dict[str, Any], same: set[str]) -> dict[str, Any] | None:
    return masked({key: value for key, value in fields.items() if key not in same}) or None


def masked(value: Any) -> Any:
    """A JSON value with the content of personal fields left out; raises TypeError for what is no JSON."""
    if isinstance(value, dict):
        return {
            str(key): CHANGED if key in PERSONAL and item not in (None, "") else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"the audit trail takes JSON values, not {type(value).__name__}")


def start_of_day(day: date, zone: str) -> datetime:
    """When a day begins in an IANA zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone))


def end_of_day(day: date, zone: str) -> datetime:
    """When a day has ended in an IANA zone: the first instant of the next one."""
    return start_of_day(day + timedelta(days=1), zone)


# -- the chain -----------------------------------------------------------------------------------------------------


def sealed_fields(entry: AuditEntry, before: str | None, after: str | None) -> dict[str, Any]:
    """What a link seals of an entry; `before` and `after` as the database spells them.

    The encrypted address is outside, so that its key can be changed; its hash is inside.
    """
    return {
        "school": entry.tenant_id,
        "id": entry.id,
        "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor_id": entry.actor_id,
        "on_behalf_of_id": entry.on_behalf_of_id,
        "action": entry.action,
        "subject_type": entry.subject_type,
        "subject_id": entry.subject_id,
        "before": before,
        "after": after,
        "correlation_id": entry.correlation_id,
        "origin": entry.origin,
        "ip_hash": entry.ip_hash.hex() if entry.ip_hash is not None else None,
        "user_agent": entry.user_agent,
    }


def canonical(fields: dict[str, Any]) -> str:
    """The one spelling of sealed fields that is hashed: JSON with sorted keys and no spaces; the database spells the same."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def seal(previous: bytes, fields: dict[str, Any]) -> bytes:
    """The hash of a link: SHA-256 over the previous link's hash and the canonical JSON of what it seals, in UTF-8."""
    return hashlib.sha256(previous + canonical(fields).encode()).digest()


# -- words ---------------------------------------------------------------------------------------------------------

ACTIONS = {
    "account.deleted": _l("Account deleted"),
    "account.erased": _l("Account erased"),
    "acting.begun": _l("Acting begun"),
    "acting.ended": _l("Acting ended"),
    "aircraft.added": _l("Aircraft added"),
    "assignment.changed": _l("Assignment changed"),
    "assignment.created": _l("Course assigned"),
    "assignment.removed": _l("Assignment taken back"),
    "attempt.started": _l("Attempt started"),
    "attempt.submitted": _l("Attempt submitted"),
    "availability.changed": _l("Availability changed"),
    "availability_exception.added": _l("Availability exception added"),
    "availability_exception.removed": _l("Availability exception removed"),
    "booking.approved": _l("Booking approved"),
    "booking.assigned": _l("Booking assigned"),
    "booking.cancelled": _l("Booking cancelled"),
    "booking.completed": _l("Booking completed"),
    "booking.declined": _l("Booking declined"),
    "booking.escalated": _l("Booking escalated"),
    "booking.requested": _l("Booking requested"),
    "course.audience_chosen": _l("Audience of a course chosen"),
    "course.imported": _l("Course imported"),
    "course.published": _l("Course published"),
    "department.added": _l("Department added"),
    "department.changed": _l("Department changed"),
    "department.removed": _l("Department removed"),
    "email.change_asked": _l("Email change asked"),
    "email.changed": _l("Email changed"),
    "enrollment.completed": _l("Enrollment completed"),
    "enrollment.created": _l("Enrollment created"),
    "erasure.answered": _l("Erasure request answered"),
    "erasure.requested": _l("Erasure requested"),
    "import.carried_out": _l("Import carried out"),
    "invitation.accepted": _l("Invitation accepted"),
    "invitation.sent": _l("Invitation sent"),
    "member.added": _l("Member added"),
    "member.came": _l("Came in by the link"),
    "member.approved": _l("Member approved"),
    "member.declined": _l("Member declined"),
    "member.erased": _l("Member erased"),
    "member.invited": _l("Member invited"),
    "member.reinstated": _l("Member reinstated"),
    "member.roles_changed": _l("Member roles changed"),
    "member.suspended": _l("Member suspended"),
    "operator.dismissed": _l("Operator dismissed"),
    "operator.named": _l("Operator named"),
    "password.changed": _l("Password changed"),
    "password.refused": _l("Wrong password given"),
    "password.reset": _l("Password reset"),
    "password.reset_asked": _l("Password reset asked"),
    "person.added": _l("Person added"),
    "profile.changed": _l("Profile changed"),
    "profile.exported": _l("Profile exported"),
    "recovery_code.used": _l("Recovery code used"),
    "recovery_codes.renewed": _l("Recovery codes renewed"),
    "registration.begun": _l("Registration begun"),
    "registration.confirmed": _l("Registration confirmed"),
    "registration.repeated": _l("Registration repeated"),
    "resource.changed": _l("Resource changed"),
    "resource.renamed": _l("Resource renamed"),
    "resource.retired": _l("Resource retired"),
    "resource.returned": _l("Resource put into service again"),
    "room.added": _l("Room added"),
    "school.created": _l("School created"),
    "school.resumed": _l("School resumed"),
    "school.suspended": _l("School suspended"),
    "second_factor.refused": _l("Second factor refused"),
    "second_factor.removed": _l("Second factor removed"),
    "second_factor.turned_off": _l("Second factor turned off"),
    "second_factor.turned_on": _l("Second factor turned on"),
    "session.ended": _l("Signed out"),
    "session.opened": _l("Signed in"),
    "session.refused": _l("Sign-in failed"),
    "sessions.ended": _l("Sessions ended"),
    "settings.changed": _l("Settings changed"),
    "simulator.added": _l("Simulator added"),
    "trail.exported": _l("Audit trail exported"),
    "work.replayed": _l("Work replayed"),
}
SUBJECTS = {
    "Assignment": _l("Assignment"),
    "Attempt": _l("Attempt"),
    "AvailabilityException": _l("Availability exception"),
    "Booking": _l("Booking"),
    "Course": _l("Course"),
    "Department": _l("Department"),
    "Enrollment": _l("Enrollment"),
    "Job": _l("Work"),
    "Membership": _l("Person"),
    "PeopleImport": _l("People import"),
    "Resource": _l("Resource"),
    "SchoolSettings": _l("School settings"),
    "Tenant": _l("School"),
    "UserSession": _l("User session"),
}
FIELDS = {
    "acting_reason": _l("Acting reason"),
    "activity": _l("Activity"),
    "added": _l("Added"),
    "admins_need_second_factor": _l("Admins need second factor"),
    "attempts": _l("Attempts"),
    "audience": _l("For the departments"),
    "brand_color": _l("Brand color"),
    "called": _l("Called"),
    "certificate_number": _l("Certificate number"),
    "changed": _l("Changed"),
    "checksum": _l("Checksum"),
    "closed_days": _l("Closed days"),
    "completed_at": _l("Completed at"),
    "course_id": _l("Course"),
    "day": _l("Day"),
    "department_id": _l("Department"),
    "detail": _l("Detail"),
    "due_on": _l("Due on"),
    "email": _l("Email"),
    "emergency_contact": _l("Emergency contact"),
    "end_minute": _l("End minute"),
    "escalate_after_hours": _l("Escalate after hours"),
    "escalate_to_ids": _l("Escalate to"),
    "escalations": _l("Escalations"),
    "filters": _l("Filters"),
    "hours": _l("Hours"),
    "how": _l("How"),
    "is_open": _l("Is open"),
    "kind": _l("Kind"),
    "last_error": _l("Last error"),
    "latitude": _l("Latitude"),
    "lessons": _l("Lessons"),
    "level": _l("Level"),
    "levels": _l("Levels"),
    "license_number": _l("License number"),
    "locale": _l("Locale"),
    "longitude": _l("Longitude"),
    "membership_id": _l("Person"),
    "minutes": _l("Minutes"),
    "name": _l("Name"),
    "new_email": _l("New email"),
    "note": _l("Note"),
    "number": _l("Number"),
    "opening_hours": _l("Opening hours"),
    "parent_id": _l("Parent"),
    "passed": _l("Passed"),
    "password": _l("Password"),
    "phone": _l("Phone"),
    "points": _l("Points"),
    "primary_instructor_id": _l("Primary instructor"),
    "publication_id": _l("Publication"),
    "reason": _l("Reason"),
    "refused": _l("Refused"),
    "registration_open": _l("Registration open"),
    "resource": _l("Resource"),
    "resource_id": _l("Resource"),
    "roles": _l("Roles"),
    "same": _l("Same"),
    "school_name": _l("School name"),
    "slug": _l("Slug"),
    "start_minute": _l("Start minute"),
    "starts_at": _l("Starts at"),
    "status": _l("Status"),
    "step": _l("Step"),
    "steps": _l("Steps"),
    "suspension_reason": _l("Suspension reason"),
    "tags": _l("Tags"),
    "takes": _l("Takes"),
    "title": _l("Title"),
    "token": _l("Token"),
    "until": _l("Until"),
    "version": _l("Version"),
    "wished_instructor_id": _l("Wished instructor"),
    "zone": _l("Zone"),
}
VALUES = {
    "access": _l("one of the two has no access any more"),
    "active": _l("active"),
    "admin": _l("admin"),
    "aircraft": _l("aircraft"),
    "approved": _l("approved"),
    "assigned": _l("assigned"),
    "author": _l("author"),
    "cancelled": _l("cancelled"),
    "changed": _l("changed"),
    "completed": _l("completed"),
    "declined": _l("declined"),
    "erased": _l("erased"),
    "instructor": _l("instructor"),
    "invited": _l("invited"),
    "learner": _l("learner"),
    "manager": _l("manager"),
    "pending": _l("pending"),
    "person": _l("person"),
    "replaced": _l("by acting as somebody else"),
    "requested": _l("requested"),
    "room": _l("room"),
    "school_suspended": _l("the school was suspended"),
    "session_over": _l("with the session"),
    "signed_out": _l("by signing out"),
    "simulator": _l("simulator"),
    "stopped": _l("by stopping"),
    "suspended": _l("suspended"),
    "time": _l("after half an hour"),
}
"""How what is recorded reads, in words that are translated. What is in none of these tables is spelled out from its name."""
FIRST_OF_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def action_words(action: str) -> str:
    """ "availability_exception.added" → "Availability exception added"."""
    return str(ACTIONS.get(action) or _sentence(action.replace(".", " ")))


def subject_words(subject_type: str) -> str:
    """ "SchoolSettings" → "School settings"."""
    return str(SUBJECTS.get(subject_type) or _sentence(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", subject_type).lower()))


def field_words(field: str) -> str:
    """ "primary_instructor_id" → "Primary instructor"."""
    return str(FIELDS.get(field) or _sentence(re.sub(r"_ids?$", "", field)))


def value_words(value: str) -> str:
    """A role, a status or a kind in words; anything else is somebody's own text and stays as it is."""
    return str(VALUES.get(value, value))


def spreadsheet_safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what could be one."""
    return f"'{text}" if text[:1] in FIRST_OF_FORMULA and text else text


def _sentence(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


# -- addresses -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyRing:
    """The keys of encrypted addresses, newest first, and the key of their hashes, which stays when those are changed."""

    keys: tuple[tuple[str, bytes], ...]
    hash_key: bytes

    @property
    def newest_id(self) -> str:
        return self.keys[0][0]

    @property
    def ids(self) -> list[str]:
        return [key_id for key_id, _key in self.keys]

    def encrypt(self, plain: str, *, bound_to: str) -> bytes:
        """Under the newest key. `bound_to` is the school's id, or PLATFORM."""
        return encrypt(plain.encode(), self.keys[0][1], bound_to=bound_to)

    def decrypt(self, cipher: bytes, key_id: str, *, bound_to: str) -> str:
        """Raises Unreadable, also where the key is not on the ring any more."""
        key = dict(self.keys).get(key_id)
        if key is None:
            raise Unreadable(f"there is no key “{key_id}” in AUDIT_KEYS")
        return decrypt(cipher, key, bound_to=bound_to).decode()

    def read(self, cipher: bytes | None, key_id: str | None, *, bound_to: str) -> str | None:
        """What `decrypt` gives; None where there is nothing to read, or it cannot be read."""
        if cipher is None or key_id is None:
            return None
        try:
            return self.decrypt(cipher, key_id, bound_to=bound_to)
        except Unreadable:
            return None

    def hash(self, plain: str, *, bound_to: str) -> bytes:
        """HMAC-SHA256: the same for the same value in the same school, unlike in another."""
        return hmac.digest(self.hash_key, f"{bound_to}\0{plain}".encode(), "sha256")


@lru_cache(maxsize=4)
def key_ring(audit_keys: str, secret_key: str) -> KeyRing:
    """The ring of AUDIT_KEYS ("id:base64,…"); last on it, and alone where that is unset, a key derived from SECRET_KEY."""
    derived = derive_key(secret_key, "audit addresses")
    fingerprint = hashlib.sha256(derived).hexdigest()[:8]
    return KeyRing(
        keys=(*parse_keys(audit_keys), (f"secret-{fingerprint}", derived)),
        hash_key=derive_key(secret_key, "audit hashes"),
    )
