"""What is kept about a person: changing it, and telling it to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.audit.operations import audit, keys_of_app
from app.audit.rules import PLATFORM, KeyRing
from app.foundation import clock, personal_data, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.mail import can_send_mail
from app.foundation.meanwhile import changed_by, chosen_by
from app.foundation.refusals import Refusal
from app.foundation.tenancy import TenantRef
from app.foundation.zones import known_zones
from app.identity.events import ProfileChanged
from app.identity.models import Membership, User
from app.identity.operations.people import hold_member
from app.identity.queries import find_user
from app.tenants.models import Department
from app.tenants.queries import school_settings

OWN_FIELDS = frozenset({"name", "phone", "zone", "locale", "emergency_contact"})
"""What a person changes about themself."""
STAFF_FIELDS = frozenset(
    {"department_id", "level", "tags", "primary_instructor_id", "certificate_number", "license_number"}
)
"""What admins change besides."""


def facts_of(member: Membership) -> dict[str, Any]:
    """What admins say about a person, by field."""
    return {name: getattr(member, name) for name in sorted(STAFF_FIELDS)}


def change_profile(
    member: Membership, changes: dict[str, Any], *, actor: Actor, read: Mapping[str, Any] | None = None
) -> Membership:
    """Change facts about a person: any of OWN_FIELDS and STAFF_FIELDS, each with its column's type; empty text counts as none,
    an empty locale as the school's. Of a form that was made with the values `read`, what differs from them is changed.

    Refuses what somebody else changed meanwhile, a zone, department, instructor, level or tag that there is not, and who was
    erased a moment ago. Raises ValueError for another field.
    """
    if unknown := changes.keys() - OWN_FIELDS - STAFF_FIELDS:
        raise ValueError(f"a profile has no {sorted(unknown)}")
    hold_member(member)
    if member.erased_at:
        raise Refusal(_("This person is erased already."))
    wanted = {name: None if value == "" and name != "locale" else value for name, value in changes.items()}
    now, read = {name: getattr(member, name) for name in wanted}, dict(read or {})
    if "tags" in wanted and isinstance(read.get("tags"), list):
        wanted["tags"] = _boxes(list(wanted["tags"] or ()), read.pop("tags"), member.tags)
    mine = changed_by(wanted, read, now)
    changed = {name: value for name, value in mine.items() if value != now[name]}
    if not changed:
        return member
    _check(member, changed)
    before = {name: getattr(member, name) for name in changed}
    for name, value in changed.items():
        setattr(member, name, value)
    if "name" in changed:
        member.name_key = sort_key(member.name)
    session.flush()
    audit("profile.changed", actor=actor, subject=member, before=before, after=changed)
    announce(ProfileChanged(member.id, ",".join(sorted(changed))))
    return member


def _boxes(typed: list[str], read: list[str], now: list[str]) -> list[str]:
    """What tags are once those that were ticked and cleared are so, in their order as it is; the new ones come last."""
    chosen = chosen_by(typed, read, now)
    return [tag for tag in dict.fromkeys([*now, *typed]) if tag in chosen]


@dataclass(frozen=True)
class Told:
    """What is told of a person: JSON-ready, first of their account, then row by row with each table's name."""

    account: dict[str, Any]
    rows: Iterator[tuple[str, dict[str, Any]]]


def tell(member: Membership, *, actor: Actor) -> Told:
    """What is kept about a person, which is recorded: for themself, or as the school keeps it, for an admin to hand over.

    Where an account signed in, from which addresses, and what stands on the platform's trail is its person's alone to know.
    """
    user, school = find_user(member.user_id), tenancy.required()
    assert user
    is_self = actor.user_id == user.id
    audit("profile.exported", actor=actor, subject=member)
    account: dict[str, Any] = {"email": user.email if is_self else member.known_as or user.email}
    if is_self:
        account |= {
            "email_confirmed_at": user.email_confirmed_at,
            "second_factor": user.totp_confirmed_at is not None,
            "created_at": user.created_at,
        }
    head = {"name": school.name, "address": f"/{school.slug}/"}
    return Told(
        {"school": head, "told_at": clock.now().isoformat(), "account": account},
        _rows(member.id, school, keys_of_app(), account_id=user.id if is_self else None),
    )


def expect_proven(member: Membership) -> None:
    """Refuse a person who has not come in, and whose account may be somebody else's.

    Anybody may have registered with the address that an admin typed: they are not told what the school wrote down of its owner.
    """
    user = find_user(member.user_id)
    if user and not is_proven(member, user):
        raise Refusal(
            _("Confirm your e-mail first: open the link that was mailed to you.")
            if can_send_mail()
            else _("Accept the invitation first: until then nobody knows that it is you.")
        )


def is_proven(member: Membership, user: User) -> bool:
    """Whether the account is known to be of the person whom the school means."""
    if user.email_confirmed_at:
        return True
    if member.link_awaited:
        return False
    return member.is_active or (member.status != "invited" and not can_send_mail())


def _rows(
    member_id: int, school: TenantRef, ring: KeyRing, *, account_id: int | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of an export, with the network addresses of the person's own deeds, if it is they who read it.

    Of what others did to them, or anybody may have in their name, where those did it from is not told: it is about those others.
    """
    for table, row in personal_data.stream(member_id, school, account_id=account_id):
        if table in _BOUND_TO:
            cipher, key_id = row.pop("ip_cipher"), row.pop("ip_key_id")
            is_others = table == "audit_entry" and row["actor_id"] != member_id
            if is_others or row["action"] in _BY_ANYBODY:
                row.pop("user_agent", None)
            elif account_id:
                bound_to = _BOUND_TO[table] or str(school.id)
                row["ip"] = ring.read(bytes.fromhex(cipher[2:]) if cipher else None, key_id, bound_to=bound_to)
        yield table, row


_BOUND_TO = {"audit_entry": "", "platform_entry": PLATFORM}
"""The tables that keep encrypted addresses, and what those are bound to; empty for the school."""
_BY_ANYBODY = frozenset({"password.reset_asked", "session.refused", "second_factor.refused"})
"""What stands in a person's trail though nobody was signed in as them."""


def _check(member: Membership, changed: dict[str, Any]) -> None:
    if "name" in changed and not changed["name"]:
        raise Refusal(_("A person has a name."))
    if changed.get("zone") and changed["zone"] not in known_zones():
        raise Refusal(_("Choose a time zone from the list."))
    if changed.get("department_id") and session.get(Department, changed["department_id"]) is None:
        raise Refusal(_("This department is not there any more. Choose another."))
    if changed.get("primary_instructor_id"):
        _check_instructor(member, changed["primary_instructor_id"])
    if {"level", "tags"} & changed.keys():
        _check_words(member, changed)


def _check_instructor(member: Membership, instructor_id: int) -> None:
    instructor = session.get(Membership, instructor_id)
    if instructor is None or not instructor.is_active or "instructor" not in instructor.roles:
        raise Refusal(_("This person is no instructor here. Choose another."))
    if instructor.id == member.id:
        raise Refusal(_("Nobody is their own instructor. Choose another."))


def _check_words(member: Membership, changed: dict[str, Any]) -> None:
    """A level or tag that the school took off its list stays with those who have it."""
    school = school_settings()
    if changed.get("level") and changed["level"] not in school.levels:
        raise Refusal(_("The school has no level “%(level)s”.", level=changed["level"]))
    if strange := set(changed.get("tags") or ()) - set(school.tags) - set(member.tags):
        raise Refusal(_("The school has no tag “%(tag)s”.", tag=min(strange)))
