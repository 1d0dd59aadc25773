"""Every write about schools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.exc import IntegrityError

from app.audit.operations import audit, audit_on_platform
from app.foundation.actor import Actor
from app.foundation.db import after_commit, session
from app.foundation.events import announce
from app.foundation.jobs import replay_job
from app.foundation.meanwhile import changed_by
from app.foundation.models import Job
from app.foundation.refusals import Refusal
from app.foundation.tenancy import SLUG, TenantRef, forget_tenants, tenant_scope
from app.identity.queries import count_people_in
from app.tenants.events import DepartmentMoved, SchoolChanged
from app.tenants.models import Department, SchoolSettings, Tenant
from app.tenants.queries import (
    count_departments_in,
    department_ids_below,
    find_school,
    list_departments,
    parents_of_departments,
    school_settings,
    take_the_schools_turn,
)
from app.tenants.rules import depth_of, height_of

RESERVED_SLUGS = frozenset(
    {
        *("login", "logout", "schools", "static", "healthz", "readyz", "metrics", "demo", "theme", "api", "admin"),
        *("operator", "console", "register", "invitation", "password", "certificates", "feeds", "webhooks"),
        *("well-known", "setup", "help", "status", "account", "acting"),
    }
)
MOST_DEPARTMENTS, DEEPEST = 500, 8
"""More than this nobody finds their way in, and pages that show the whole tree become slow."""


class SettingsChanged(Refusal):
    """Somebody else changed the settings since they were read."""


class SlugNotFree(Refusal):
    """The slug is taken, is a path of ours, or is none."""


def create_school(*, slug: str, name: str, zone: str, actor: Actor) -> TenantRef:
    """Make a school with its settings. `zone` is an IANA name. Refuses a slug that is taken or is also a path."""
    _check_slug(slug)
    if zone not in available_timezones():
        raise Refusal(_("“%(zone)s” is no time zone. Choose one like America/Los_Angeles.", zone=zone))
    tenant = Tenant(slug=slug, name=name, zone=zone)
    _flush_slug(slug, tenant)
    forget_tenants()
    after_commit(forget_tenants)
    reference = TenantRef(tenant.id, slug, name, zone)
    with tenant_scope(reference):
        session.add(SchoolSettings())
        session.flush()
        audit("school.created", actor=actor, subject=tenant, after={"slug": slug, "zone": zone})
        audit_on_platform("school.created", user_id=actor.user_id, school_id=tenant.id)
        session.flush()
    return reference


def change_settings(facts: dict[str, Any], *, version: str, actor: Actor) -> SchoolSettings:
    """Change how the school in force works. `facts` holds every field of `facts_of`; `version` is the one they were typed over.

    Refuses if somebody changed the settings since, and a slug that is taken or is also a path.
    """
    take_the_schools_turn()
    school, settings = find_school(), school_settings()
    session.refresh(settings)
    session.refresh(school)
    if version != str(settings.version):
        raise SettingsChanged(_("Somebody else changed the settings while you did. Compare, then save again."))
    was = facts_of(school, settings)
    changed = {name for name, value in facts.items() if value != was[name]}
    if not changed:
        return settings
    if "slug" in changed:
        _check_slug(facts["slug"])
    for name in changed:
        row, column = (school, _OF_TENANT[name]) if name in _OF_TENANT else (settings, name)
        setattr(row, column, facts[name])
    settings.version += 1
    _flush_slug(school.slug)
    audit(
        "settings.changed", actor=actor, subject=settings,
        before=_plain({name: was[name] for name in changed}, settings.version - 1),
        after=_plain({name: facts[name] for name in changed}, settings.version),
    )  # fmt: skip
    announce(SchoolChanged(settings.version, ",".join(sorted(changed))))
    after_commit(forget_tenants)
    return settings


def facts_of(school: Tenant, settings: SchoolSettings) -> dict[str, Any]:
    """What a school decided, by the names of the form's fields."""
    return {
        "school_name": school.name,
        "slug": school.slug,
        "zone": school.zone,
        **{name: getattr(settings, name) for name in _OF_SETTINGS},
    }


_OF_TENANT = {"school_name": "name", "slug": "slug", "zone": "zone"}
_OF_SETTINGS = (
    *("locale", "brand_color", "latitude", "longitude", "opening_hours", "closed_days", "registration_open"),
    *("admins_need_second_factor", "levels", "tags", "escalate_after_hours", "escalate_to_ids"),
)


def _plain(facts: dict[str, Any], version: int) -> dict[str, Any]:
    """JSON-ready values; the version lets a later reader tell which changes they have not seen."""
    days = {name: [str(day) for day in value] for name, value in facts.items() if name == "closed_days"}
    return {**facts, **days, "version": version}


def _check_slug(slug: str) -> None:
    if slug in RESERVED_SLUGS:
        raise SlugNotFree(
            _("“%(slug)s” cannot be a school's address: Groundschool has a page there. Choose another.", slug=slug)
        )
    if not SLUG.fullmatch(slug):
        raise SlugNotFree(
            _("“%(slug)s” cannot be a school's address. Use 3 to 40 letters, digits and dashes.", slug=slug)
        )
    if session.query(Tenant.id).filter_by(slug=slug).first():
        raise SlugNotFree(_("There is a school at “%(slug)s” already.", slug=slug))


def _flush_slug(slug: str, *added: Tenant) -> None:
    """Two schools may ask for one address at the same instant: the constraint has the last word."""
    try:
        with session.begin_nested():
            session.add_all(added)
            session.flush()
    except IntegrityError as error:
        raise SlugNotFree(_("There is a school at “%(slug)s” already.", slug=slug)) from error


# -- departments ---------------------------------------------------------------------------------------------------


def add_department(name: str, *, actor: Actor, parent: Department | None = None) -> Department:
    """Make a department of the school in force, below another one or at the top.

    Refuses a name that is taken, a place below one that was removed meanwhile, and more than MOST_DEPARTMENTS or DEEPEST.
    """
    take_the_schools_turn()
    parents = parents_of_departments()
    if len(parents) >= MOST_DEPARTMENTS:
        raise Refusal(_("A school may have %(most)s departments. Remove one first.", most=MOST_DEPARTMENTS))
    _check_place(parents, parent, height=1)
    _check_name(name)
    department = Department(name=name, parent_id=parent.id if parent else None)
    _flush_department(department)
    audit("department.added", actor=actor, subject=department, after=_told(facts_of_department(department)))
    return department


def facts_of_department(department: Department) -> dict[str, Any]:
    """What a department is, by field."""
    return {"name": department.name, "parent_id": department.parent_id}


def change_department(
    department: Department, *, name: str, parent: Department | None, actor: Actor, read: Mapping[str, Any] | None = None
) -> Department:
    """Rename or move a department; of a form that was made with the values `read`, what differs from them.

    Refuses a name that is taken, a place below itself or below the DEEPEST, what is gone, and what somebody else changed meanwhile.
    """
    take_the_schools_turn()
    parents = parents_of_departments()
    if department.id not in parents:
        raise Refusal(_("This department is not there any more."))
    session.refresh(department)
    before = facts_of_department(department)
    mine = changed_by({"name": name, "parent_id": parent.id if parent else None}, read or {}, before)
    after = {**before, **mine}
    if after == before:
        return department
    if parent and after["parent_id"] != before["parent_id"]:
        if parent.id in set(session.scalars(department_ids_below(department.id))):
            raise Refusal(_("A department cannot lie below itself. Choose another place."))
        _check_place(parents, parent, height=height_of(parents, department.id))
    if after["name"] != before["name"]:
        _check_name(after["name"], but=department.id)
    department.name, department.parent_id = after["name"], after["parent_id"]
    _flush_department(department)
    audit("department.changed", actor=actor, subject=department, before=_told(before), after=_told(after))
    if after["parent_id"] != before["parent_id"]:
        announce(DepartmentMoved(department.id))
    return department


def remove_department(department: Department, *, actor: Actor) -> Department:
    """Remove a department in which nobody and nothing is. Refuses otherwise, and says what is."""
    take_the_schools_turn()
    # Who is about to join it waits for this lock, and then finds it gone.
    session.refresh(department, with_for_update=True)
    people, below = count_people_in(department.id), count_departments_in(department.id)
    if people or below:
        inside = [
            ngettext("%(num)d person", "%(num)d people", people) if people else "",
            ngettext("%(num)d department", "%(num)d departments", below) if below else "",
        ]
        words = _(" and ").join(part for part in inside if part)
        raise Refusal(_("%(name)s still holds %(inside)s. Move them first.", name=department.name, inside=words))
    audit("department.removed", actor=actor, subject=department, before={"called": department.name})
    _flush_removal(department)
    return department


def _flush_removal(department: Department) -> None:
    """What features above say of a department, they hold by a key: it would be another thing without it."""
    name = department.name
    try:
        with session.begin_nested():
            session.delete(department)
            session.flush()
    except IntegrityError as error:
        held_by: Any = error.orig
        is_assigned = "assignment" in str(held_by.diag.constraint_name)
        raise Refusal(
            _(
                "A course is assigned to %(name)s. Take that back under Assignments first: it may be among all.",
                name=name,
            )
            if is_assigned
            else _("A course is kept for %(name)s. Choose whom it is for under Authoring first.", name=name)
        ) from error


def _check_place(parents: Mapping[int, int | None], parent: Department | None, *, height: int) -> None:
    """Whether what is `height` departments high may lie below another one; `parents` is each one's parent by id."""
    if parent is None:
        return
    if parent.id not in parents:
        raise Refusal(_("The department above is not there any more. Choose another place."))
    if depth_of(parents, parent.id) + height > DEEPEST:
        raise Refusal(_("Departments lie %(most)s deep at most. Choose a place further up.", most=DEEPEST))


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """As the trail keeps it: what a department is called is nobody's name."""
    return {"called": facts["name"], "parent_id": facts["parent_id"]}


def _check_name(name: str, *, but: int | None = None) -> None:
    """Refuse a name that another department has: people tell no small letters from capitals. The caller has the school's turn."""
    others = {other.name.casefold(): other.name for other in list_departments() if other.id != but}
    if twin := others.get(name.casefold()):
        raise Refusal(_("There is a department “%(name)s” already.", name=twin))


def _flush_department(department: Department) -> None:
    name = department.name
    try:
        with session.begin_nested():
            session.add(department)
            session.flush()
    except IntegrityError as error:
        raise Refusal(_("There is a department “%(name)s” already.", name=name)) from error


def replay_stuck_work(job: Job, *, actor: Actor) -> Job:
    """Give work that was parked its tries back."""
    audit("work.replayed", actor=actor, subject=job, after={"kind": job.kind})
    replay_job(job)
    return job
