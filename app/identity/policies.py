"""Who may know of whom, and who decides about people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from app.foundation.actor import Actor
from app.foundation.permissions import Role, allows, explains, grants, never_while_acting, sees
from app.identity.models import Membership, PeopleImport, UserSession


class Can(StrEnum):
    SEE_PEOPLE = "identity:see_people"
    DECIDE_STANDING = "identity:decide_standing"
    CHANGE_ROLES = "identity:change_roles"
    EDIT_PEOPLE = "identity:edit_people"
    ADD_PEOPLE = "identity:add_people"
    ERASE_PEOPLE = "identity:erase_people"
    ACT_AS = "identity:act_as"


grants(
    {
        Can.SEE_PEOPLE: {Role.MANAGER, Role.ADMIN},
        Can.DECIDE_STANDING: {Role.ADMIN},
        Can.CHANGE_ROLES: {Role.ADMIN},
        Can.EDIT_PEOPLE: {Role.ADMIN},
        Can.ADD_PEOPLE: {Role.ADMIN},
        Can.ERASE_PEOPLE: {Role.ADMIN},
        Can.ACT_AS: {Role.ADMIN},
    }
)
never_while_acting(Can.DECIDE_STANDING, Can.CHANGE_ROLES, Can.ADD_PEOPLE, Can.ERASE_PEOPLE, Can.ACT_AS)
explains(
    {
        Can.SEE_PEOPLE: _l("Find people and read what the school knows of them"),
        Can.DECIDE_STANDING: _l("Approve, decline, suspend and reinstate people"),
        Can.CHANGE_ROLES: _l("Change people’s roles"),
        Can.EDIT_PEOPLE: _l("Change people’s department, level and numbers"),
        Can.ADD_PEOPLE: _l("Add or invite people, and import lists of them"),
        Can.ERASE_PEOPLE: _l("Hand out what is kept about a person, and erase them for good"),
        Can.ACT_AS: _l("Act as a person for half an hour, with a reason"),
    }
)


@sees(Membership)
def member_is_seen(actor: Actor, member: Any) -> bool:
    """Staff see everybody of their school, a learner themself."""
    return actor.membership_id == member.id or actor.roles != {"learner"}


@allows(Can.ACT_AS)
def may_act_as(actor: Actor, member: Any) -> bool:
    """Nobody acts as themself; only the platform's operators act as an admin."""
    return member.id != actor.membership_id and (actor.is_operator or Role.ADMIN not in member.roles)


@sees(UserSession)
def session_is_seen(actor: Actor, opened: Any) -> bool:
    """Where a person is signed in is nobody else's to know."""
    return bool(actor.user_id == opened.user_id)


@sees(PeopleImport)
def import_is_seen(actor: Actor, _draft: Any) -> bool:
    """A list that waits for its review is for whoever may add people."""
    return actor.may(Can.ADD_PEOPLE)
