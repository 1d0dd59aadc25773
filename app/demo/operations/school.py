"""How the demo's schools are set up: settings, the tree of departments, and what is known of their people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app.demo import cast
from app.demo.operations.people import actor_of_member, actor_with, members_by_email
from app.foundation import clock
from app.foundation.permissions import Role
from app.identity.models import Membership
from app.identity.operations.profile import change_profile
from app.tenants.operations import add_department, change_department, change_settings
from app.tenants.queries import list_departments, school_settings

FIRST_VERSION = 1


def seed_settings(slug: str) -> None:
    """What the school's admin decided. Settings that somebody has changed already stay as they are."""
    settings, house, people = school_settings(), cast.HOUSES[slug], members_by_email()
    if settings.version != FIRST_VERSION:
        return
    facts = {
        "opening_hours": house.hours,
        "closed_days": closed_days(house, clock.today(cast.SCHOOLS[slug].zone)),
        "latitude": house.latitude,
        "longitude": house.longitude,
        "brand_color": house.brand_color,
        "levels": list(cast.LEVELS),
        "tags": list(cast.TAGS),
        "escalate_after_hours": house.escalate_after_hours,
        "escalate_to_ids": sorted(people[email].id for email in house.told),
    }
    change_settings(facts, version=str(settings.version), actor=actor_with(slug, Role.ADMIN))


def closed_days(house: cast.House, today: date) -> list[date]:
    """The next day of each of the school's holidays, from today on."""
    years = (today.year, today.year + 1)
    return sorted(
        next(day for year in years if (day := date(year, month, number)) >= today) for month, number in house.closed
    )


def seed_departments(slug: str) -> None:
    """The departments of the cast below others. One that somebody has moved, renamed or removed is left alone."""
    admin = actor_with(slug, Role.ADMIN)
    known = {department.name: department for department in list_departments()}
    for name, below in cast.TREE.items():
        parent = known.get(name) or add_department(name, actor=admin)
        for child in (known[name] for name in below if name in known):
            if child.parent_id is None:
                change_department(child, name=child.name, parent=parent, actor=admin)


def seed_records(slug: str) -> None:
    """What admins and the people themselves wrote down, over some days. What is known already stays as it is."""
    school, admin, began = cast.SCHOOLS[slug], actor_with(slug, Role.ADMIN), clock.now()
    members = members_by_email()
    teachers = [members[person.email] for person in school.people if Role.INSTRUCTOR in person.roles]
    for number, person in enumerate(school.people):
        member = members.get(person.email)
        if member is None:
            continue
        with clock.held_at(began + timedelta(hours=(number * 7) % 60, minutes=number)):
            _add_facts(member, _own_facts(slug, number, person), by=None)
            _add_facts(member, _staff_facts(number, person, teachers), by=admin)


def _own_facts(slug: str, number: int, person: cast.Person) -> dict[str, Any]:
    """What a person tells of themself: everybody a phone, who flies also whom to call."""
    contact = cast.CONTACTS[number % len(cast.CONTACTS)]
    phone = cast.HOUSES[slug].phone
    facts: dict[str, Any] = {"phone": phone.format(number)}
    if {Role.LEARNER, Role.INSTRUCTOR} & set(person.roles):
        family = person.name.split()[-1]
        facts["emergency_contact"] = (
            f"{cast.FIRST_NAMES[number % 30]} {family} ({contact}), {phone.format(50 + number)}"
        )
    return facts


def _staff_facts(number: int, person: cast.Person, teachers: list[Membership]) -> dict[str, Any]:
    """What admins know of a person besides."""
    if Role.INSTRUCTOR in person.roles:
        return {"certificate_number": f"CFI-{30411 + number * 17}", "license_number": f"CPL-{88201 + number * 13}"}
    if person.department is None or not teachers:
        return {}
    facts: dict[str, Any] = {
        "level": cast.LEVEL_OF_DEPARTMENT[person.department],
        "certificate_number": f"ST-{104200 + number * 7}",
        "primary_instructor_id": teachers[number % len(teachers)].id,
        "tags": [cast.TAGS[number % len(cast.TAGS)]] if number % 3 == 0 else [],
    }
    if person.department in ("Instrument", "Commercial"):
        facts["license_number"] = f"PPL-{52010 + number * 11}"
    return facts


def _add_facts(member: Membership, facts: dict[str, Any], *, by: Any) -> None:
    """Write down what is not known yet; a deed of the person where nobody else does it."""
    known, settings = set(facts), school_settings()
    if facts.get("level") not in settings.levels or not set(facts.get("tags", ())) <= set(settings.tags):
        known -= {"level", "tags"}
    missing = {name: facts[name] for name in known if facts[name] and not getattr(member, name)}
    if member.id == facts.get("primary_instructor_id"):
        missing.pop("primary_instructor_id")
    if missing:
        change_profile(member, missing, actor=by or actor_of_member(member))
