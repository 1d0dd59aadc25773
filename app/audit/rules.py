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

from flask_babel import gettext
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
    "session.opened": _l("Signed in"),
    "session.refused": _l("Sign-in failed"),
    "session.ended": _l("Signed out"),
}
SUBJECTS = {"Membership": _l("Person"), "Tenant": _l("School"), "Job": _l("Work")}
"""Where the name in the code is not the word for people. All others are spelled out from the name."""
FIRST_OF_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def action_words(action: str) -> str:
    """ "availability_exception.added" → "Availability exception added"."""
    return str(ACTIONS.get(action) or gettext(_sentence(action.replace(".", " "))))


def subject_words(subject_type: str) -> str:
    """ "SchoolSettings" → "School settings"."""
    return str(
        SUBJECTS.get(subject_type) or gettext(_sentence(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", subject_type).lower()))
    )


def field_words(field: str) -> str:
    """ "primary_instructor_id" → "Primary instructor"."""
    return gettext(_sentence(re.sub(r"_ids?$", "", field)))


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
