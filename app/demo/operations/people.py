"""The demo's schools and people, and how its other parts find them."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select

from app.demo import cast
from app.foundation import tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership, User
from app.identity.operations.accounts import add_member, add_user
from app.identity.queries import find_membership_of_user, find_user_by_email
from app.scheduling.models import Resource
from app.tenants.operations import add_department, create_school
from app.tenants.queries import list_departments


def seed_people(slug: str) -> None:
    """A school with its departments and its people, all with the demo's password."""
    school = cast.SCHOOLS[slug]
    tenancy.enter(create_school(slug=slug, name=school.name, zone=school.zone, actor=SYSTEM))
    for name in school.departments:
        add_department(name, actor=SYSTEM)
    departments = {department.name: department for department in list_departments()}
    cost = current_app.config["SETTINGS"].bcrypt_cost if not current_app.config["SETTINGS"].demo else cast.DEMO_COST
    for person in school.people:
        user = find_user_by_email(person.email) or add_user(person.email, password=cast.PASSWORD, cost=cost)
        add_member(
            user, name=person.name, roles=person.roles, actor=SYSTEM,
            department=departments[person.department] if person.department else None,
        )  # fmt: skip


def actor_with(slug: str, role: Role) -> Actor:
    """The first person of the cast who has a role at a school, as the actor of a deed there."""
    person = next(person for person in cast.SCHOOLS[slug].people if role in person.roles)
    user = find_user_by_email(person.email)
    member = find_membership_of_user(user.id) if user else None
    if member is None:
        raise LookupError(f"{person.email} is not at {slug}: the step that makes the people has not run")
    return Actor(
        user_id=member.user_id, membership_id=member.id, name=member.name, email=person.email,
        roles=frozenset(member.roles), zone=cast.SCHOOLS[slug].zone,
    )  # fmt: skip


def resources_by_email() -> dict[str, Resource]:
    """The resources that people of the school in force are."""
    people = select(User.email, Resource).join(Membership, Membership.user_id == User.id)
    return dict(session.execute(people.join(Resource, Resource.membership_id == Membership.id)).all())


def actor_of(resource: Resource) -> Actor:
    """The member whom a person's resource stands for, as the actor of their own deeds."""
    return Actor(membership_id=resource.membership_id, name=resource.name, zone=tenancy.required().zone)
