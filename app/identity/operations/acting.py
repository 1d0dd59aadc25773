"""Acting as a person: to see what they see, for half an hour, with a reason, and never unseen."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import update

from app.audit.operations import audit, audit_on_platform
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.refusals import Refusal
from app.foundation.tenancy import TenantRef
from app.identity.events import ActedAs
from app.identity.models import Membership, UserSession

ACTING_LIFE = timedelta(minutes=30)


class NotActive(Refusal):
    """The person has no access themself."""


class ActsAlready(Refusal):
    """The one who asks acts as somebody already."""


def begin_acting(member: Membership, *, reason: str, actor: Actor) -> Membership:
    """Let this session act as a person of the school in force. The reason is kept in the audit trail; the person is told."""
    if actor.is_acting:
        raise ActsAlready(_("You act as somebody already. Stop first."))
    school, until = tenancy.required(), clock.now() + ACTING_LIFE
    if school.is_suspended:
        raise NotActive(_("%(school)s is suspended: nobody has access just now.", school=school.name))
    if not member.is_active:
        raise NotActive(_("%(name)s has no access just now, so there is nothing to see.", name=member.name))
    _write(actor, acting_tenant_id=school.id, acting_membership_id=member.id, acting_until=until)
    audit(
        "acting.begun", actor=actor, subject=member, after={"acting_reason": reason, "until": until.isoformat(timespec="minutes")}
    )  # fmt: skip
    if actor.membership_id is None:
        audit_on_platform("acting.begun", user_id=actor.user_id, school_id=school.id)
    announce(ActedAs(member.id, actor.membership_id, actor.session_id or 0, until.isoformat(timespec="seconds")))
    session.flush()  # an operator asks from outside the school: its rows are written while it is in force
    return member


def end_acting(*, actor: Actor) -> Membership | None:
    """Be oneself again. Returns whom one acted as; None if it had ended by itself."""
    if not actor.is_acting:
        return None
    member = session.get(Membership, actor.membership_id or 0)
    _write(actor, acting_tenant_id=None, acting_membership_id=None, acting_until=None)
    audit("acting.ended", actor=actor, subject=member)
    return member


def end_acting_at(school: TenantRef) -> None:
    """Nobody acts as a person of this school any more."""
    session.execute(
        update(UserSession)
        .where(UserSession.acting_tenant_id == school.id)
        .values(acting_tenant_id=None, acting_membership_id=None, acting_until=None)
    )


def _write(actor: Actor, **values: object) -> None:
    session.execute(update(UserSession).where(UserSession.id == actor.session_id).values(**values))
