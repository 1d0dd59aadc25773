"""What is kept about a person: changing it, and telling it to them."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from app.audit.operations import audit
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.refusals import Refusal
from app.foundation.zones import known_zones
from app.identity.events import ProfileChanged
from app.identity.models import Membership
from app.identity.operations.people import hold_member
from app.identity.queries import find_user, list_sessions_told
from app.tenants.models import Department
from app.tenants.queries import school_settings

OWN_FIELDS = frozenset({"name", "phone", "zone", "locale", "emergency_contact"})
"""What a person changes about themself."""
STAFF_FIELDS = frozenset(
    {"department_id", "level", "tags", "primary_instructor_id", "certificate_number", "license_number"}
)
"""What admins change besides."""


def change_profile(member: Membership, changes: dict[str, Any], *, actor: Actor) -> Membership:
    """Change facts about a person: any of OWN_FIELDS and STAFF_FIELDS, each with its column's type; empty text counts as none,
    an empty locale as the school's.

    Refuses a zone, department, instructor, level or tag that there is not, and who was erased a moment ago. Raises ValueError
    for another field.
    """
    if unknown := changes.keys() - OWN_FIELDS - STAFF_FIELDS:
        raise ValueError(f"a profile has no {sorted(unknown)}")
    hold_member(member)
    if member.erased_at:
        raise Refusal(_("This person is erased already."))
    wanted = {name: None if value == "" and name != "locale" else value for name, value in changes.items()}
    changed = {name: value for name, value in wanted.items() if value != getattr(member, name)}
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
    announce(ProfileChanged(member.id))
    return member


def tell_account(member: Membership, *, actor: Actor) -> dict[str, Any]:
    """What is kept about a person's account, JSON-ready: the beginning of an export, which is recorded. Their rows follow."""
    user, school = find_user(member.user_id), tenancy.required()
    assert user
    audit("profile.exported", actor=actor, subject=member)
    return {
        "school": {"name": school.name, "address": f"/{school.slug}/"},
        "told_at": clock.now().isoformat(),
        "account": {
            "email": user.email,
            "email_confirmed_at": user.email_confirmed_at,
            "second_factor": user.totp_confirmed_at is not None,
            "created_at": user.created_at,
            "signed_in": list_sessions_told(user.id),
        },
    }


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
