"""Acting as a person: to see what they see, for half an hour, with a reason, and never unseen.

That somebody acts stands in the row of their session. However it ends (stopped, by time, by signing out, by what either of
the two may be or do any more), the school's trail says so once: whoever clears the row writes the entry.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select

from app.audit.operations import audit, audit_on_platform
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.refusals import Refusal
from app.foundation.tenancy import TenantRef
from app.identity.events import ActedAs
from app.identity.models import Membership, UserSession
from app.tenants.queries import find_tenant_by_id, school_settings

ACTING_LIFE = timedelta(minutes=30)
BATCH = 500


class NotActive(Refusal):
    """The person has no access themself."""


class ActsAlready(Refusal):
    """The one who asks acts as somebody already."""


class NeedsSecondFactor(Refusal):
    """The school asks its admins for a second factor, and so whoever acts there."""


def begin_acting(member: Membership, *, reason: str, actor: Actor) -> Membership:
    """Let this session act as a person of the school in force. The reason is kept in the audit trail; the person is told.

    Whom the session acted as at another school, that is over.
    """
    if actor.is_acting:
        raise ActsAlready(_("You act as somebody already. Stop first."))
    school, until = tenancy.required(), clock.now() + ACTING_LIFE
    if school.is_suspended:
        raise NotActive(_("%(school)s is suspended: nobody has access just now.", school=school.name))
    if not member.is_active:
        raise NotActive(_("%(name)s has no access just now, so there is nothing to see.", name=member.name))
    opened = _lock(UserSession.id == actor.session_id)
    if school_settings().admins_need_second_factor and not any(row.second_factor_at for row in opened):
        raise NeedsSecondFactor(
            _("%(school)s asks its admins for a second factor, and whoever acts there. Set yours up first.",
              school=school.name)
        )  # fmt: skip
    for row in opened:
        _end(row, "replaced")
        row.acting_tenant_id, row.acting_membership_id, row.acting_until = school.id, member.id, until
    audit(
        "acting.begun", actor=actor, subject=member, after={"acting_reason": reason, "until": until.isoformat(timespec="minutes")}
    )  # fmt: skip
    if actor.membership_id is None:
        audit_on_platform("acting.begun", user_id=actor.user_id, school_id=school.id, subject=member)
    announce(ActedAs(member.id, actor.membership_id, actor.session_id or 0, until.isoformat(timespec="seconds")))
    session.flush()  # an operator asks from outside the school: its rows are written while it is in force
    return member


def end_acting(*, actor: Actor) -> Membership | None:
    """Be oneself again. Returns whom one acted as; None if it had ended by itself."""
    if not actor.is_acting:
        return None
    for opened in _lock(UserSession.id == actor.session_id):
        _end(opened, "stopped")
    return session.get(Membership, actor.membership_id or 0)


def end_acting_of(session_id: int | None, how: str) -> None:
    """Have a session act as nobody any more: "signed_out", or "access" where either of the two may not any more."""
    for opened in _lock(UserSession.id == session_id):
        _end(opened, how)


def end_acting_at(school: TenantRef) -> None:
    """Nobody acts as a person of this school any more."""
    for opened in _lock(UserSession.acting_tenant_id == school.id):
        _end(opened, "school_suspended")


def end_acting_that_is_over(*, batch: int = BATCH) -> bool:
    """End what is over by time, or with its session, and was not noticed. Whether there may be more."""
    over = or_(UserSession.acting_until <= clock.now(), UserSession.ended_at.is_not(None))
    found = _lock(over & UserSession.acting_tenant_id.is_not(None), limit=batch)
    for opened in found:
        _end(opened, "session_over")
    return len(found) >= batch


def _lock(which: ColumnElement[bool], *, limit: int | None = None) -> list[UserSession]:
    """Sessions as they are now, held until the transaction ends: of two who end the same, one finds nothing left to end."""
    rows = select(UserSession).where(which).order_by(UserSession.id).limit(limit).with_for_update()
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def _end(opened: UserSession, how: str) -> None:
    """Clear the row, and record it at the school under both names; "time" goes before any other reason."""
    school = find_tenant_by_id(opened.acting_tenant_id) if opened.acting_tenant_id else None
    if school and opened.acting_membership_id and opened.acting_until:
        is_by_time = opened.acting_until <= min(clock.now(), opened.ended_at or clock.now())
        with tenancy.tenant_scope(school):
            member = session.get(Membership, opened.acting_membership_id)
            audit("acting.ended", actor=_both(opened), subject=member, after={"how": "time" if is_by_time else how})
            session.flush()
    opened.acting_tenant_id = opened.acting_membership_id = opened.acting_until = None
    session.flush()


def _both(opened: UserSession) -> Actor:
    """Whoever holds a session as the person they act as there."""
    own = select(Membership.id).where(Membership.user_id == opened.user_id)
    until: datetime | None = opened.acting_until
    return Actor(
        user_id=opened.user_id, session_id=opened.id, membership_id=opened.acting_membership_id, acting_until=until,
        real_membership_id=session.scalar(own),
    )  # fmt: skip
