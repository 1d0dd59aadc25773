"""The demo's schools and people, and how its other parts find them."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select

from app.demo import cast
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM, Actor
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership, User
from app.identity.operations.accounts import add_member, add_user, name_operator
from app.identity.queries import find_membership_of_user, find_user_by_email
from app.scheduling.models import Resource
from app.tenants.operations import add_department, create_school
from app.tenants.queries import find_school, list_departments


def seed_people(slug: str) -> None:
    """A school with its departments and its people, all with the demo's password."""
    school = cast.SCHOOLS[slug]
    tenancy.enter(create_school(slug=slug, name=school.name, zone=school.zone, actor=SYSTEM))
    find_school().created_at = clock.now()
    for name in school.departments:
        add_department(name, actor=SYSTEM)
    departments = {department.name: department for department in list_departments()}
    for person in school.people:
        user = find_user_by_email(person.email) or add_user(person.email, password=cast.PASSWORD, cost=password_cost())
        user.email_confirmed_at = user.email_confirmed_at or clock.now()
        member = add_member(
            user, name=person.name, roles=person.roles, actor=SYSTEM,
            department=departments[person.department] if person.department else None,
        )  # fmt: skip
        user.created_at = member.created_at = clock.now()


def seed_operator() -> None:
    """Who runs the platform, of no school."""
    user = add_user(cast.OPERATOR, password=cast.PASSWORD, cost=password_cost())
    user.created_at = user.email_confirmed_at = clock.now()
    name_operator(user)


def password_cost() -> int:
    """bcrypt's cost for the password that the README tells everybody; outside a demo as for all others."""
    settings = current_app.config["SETTINGS"]
    return cast.DEMO_COST if settings.demo else int(settings.bcrypt_cost)


def actor_with(slug: str, role: Role) -> Actor:
    """The first person of the cast who has a role at a school, as the actor of a deed there."""
    person = next(person for person in cast.SCHOOLS[slug].people if role in person.roles)
    user = find_user_by_email(person.email)
    member = find_membership_of_user(user.id) if user else None
    if member is None:
        raise LookupError(f"{person.email} is not at {slug}: the step that makes the people has not run")
    return actor_of_member(member, email=person.email)


def actor_of_member(member: Membership, *, email: str = "") -> Actor:
    """A member as the actor of their own deeds."""
    return Actor(
        user_id=member.user_id, membership_id=member.id, name=member.name, email=email, roles=frozenset(member.roles),
        zone=tenancy.required().zone,
    )  # fmt: skip


def members_by_email() -> dict[str, Membership]:
    """The active people of the school in force."""
    people = select(User.email, Membership).join(Membership, Membership.user_id == User.id)
    return dict(session.execute(people.where(Membership.status == "active")).all())


def resources_by_email() -> dict[str, Resource]:
    """The resources that people of the school in force are."""
    people = select(User.email, Resource).join(Membership, Membership.user_id == User.id)
    return dict(session.execute(people.join(Resource, Resource.membership_id == Membership.id)).all())


def actor_of(resource: Resource) -> Actor:
    """The member whom a person's resource stands for, as the actor of their own deeds."""
    return Actor(membership_id=resource.membership_id, name=resource.name, zone=tenancy.required().zone)
