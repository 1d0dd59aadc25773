"""Every write about schools."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask_babel import gettext as _

from app.audit.operations import audit
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.jobs import replay_job
from app.foundation.models import Job
from app.foundation.refusals import Refusal
from app.foundation.tenancy import SLUG, TenantRef, forget_tenants, tenant_scope
from app.tenants.models import Department, SchoolSettings, Tenant

RESERVED_SLUGS = frozenset(
    {
        *("login", "logout", "schools", "static", "healthz", "readyz", "metrics", "demo", "theme", "api", "admin"),
        *("operator", "console", "register", "invitation", "password", "certificates", "feeds", "webhooks"),
        *("well-known", "setup", "help", "status", "account"),
    }
)


class SlugNotFree(Refusal):
    """The slug is taken, is a path of ours, or is none."""


def create_school(*, slug: str, name: str, zone: str, actor: Actor) -> TenantRef:
    """Make a school with its settings. `zone` is an IANA name. Refuses a slug that is taken or is also a path."""
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        raise SlugNotFree(
            _("“%(slug)s” cannot be a school's address. Use 3 to 40 letters, digits and dashes.", slug=slug)
        )
    if zone not in available_timezones():
        raise Refusal(_("“%(zone)s” is no time zone. Choose one like America/Los_Angeles.", zone=zone))
    if session.query(Tenant.id).filter_by(slug=slug).first():
        raise SlugNotFree(_("There is a school at “%(slug)s” already.", slug=slug))
    tenant = Tenant(slug=slug, name=name, zone=zone)
    session.add(tenant)
    session.flush()
    forget_tenants()
    reference = TenantRef(tenant.id, slug, name, zone)
    with tenant_scope(reference):
        session.add(SchoolSettings())
        session.flush()
        audit("school.created", actor=actor, subject=tenant, after={"slug": slug, "zone": zone})
        session.flush()
    return reference


def add_department(name: str, *, actor: Actor, parent: Department | None = None) -> Department:
    """Make a department of the school in force."""
    department = Department(name=name, parent_id=parent.id if parent else None)
    session.add(department)
    session.flush()
    audit("department.added", actor=actor, subject=department, after={"name": name})
    return department


def replay_stuck_work(job: Job, *, actor: Actor) -> Job:
    """Give work that was parked its tries back."""
    audit("work.replayed", actor=actor, subject=job, after={"kind": job.kind})
    replay_job(job)
    return job
