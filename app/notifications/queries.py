"""Every SELECT about notifications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.foundation.db import rows
from app.foundation.pages import Page, paginate
from app.foundation.prepared import Prepared
from app.notifications.models import Notification

UNREAD = Prepared(
    "select count(*) from notification where membership_id = %(reader)s and read_at is null", reader="bigint"
)
MAIL = """
select n.membership_id, n.kind, n.subject_id, n.facts, n.created_at, n.mailed_at, m.name, m.zone,
  coalesce(nullif(m.locale, ''), s.locale) as locale, coalesce(m.known_as, u.email)
from notification n join membership m on m.id = n.membership_id join user_account u on u.id = m.user_id
  join school_settings s on s.tenant_id = n.tenant_id
where n.id = %(id)s and m.status = 'active'
"""
CONCERNED = """
select b.learner_id, b.starts_at, b.ends_at, b.status, b.approved_at is not null as was_approved, b.reason, b.decided_by_id,
  max(r.membership_id) filter (where c.role = 'instructor') as instructor_id,
  max(r.name) filter (where c.role = 'aircraft') as aircraft
from booking b left join claim c on c.booking_id = b.id left join resource r on r.id = c.resource_id
where b.id = %(id)s
group by b.tenant_id, b.id
"""


@dataclass(frozen=True)
class MailFacts:
    """What the mail of a notification needs, and whether it was sent already."""

    membership_id: int
    kind: str
    subject_id: int | None
    facts: dict[str, Any]
    created_at: datetime
    mailed_at: datetime | None
    name: str
    zone: str | None
    locale: str
    email: str


@dataclass(frozen=True)
class Concerned:
    """A booking as its notifications tell of it, and whom it concerns. Ids of people are memberships."""

    learner_id: int
    starts_at: datetime
    ends_at: datetime
    status: str
    was_approved: bool
    reason: str
    decided_by_id: int | None
    instructor_id: int | None
    aircraft: str | None


def count_unread(membership_id: int) -> int:
    """How many notifications a person has not read. It runs on every page, so it is plain SQL on a partial index."""
    return int(UNREAD.value({"reader": membership_id}))


def list_notifications(membership_id: int, *, unread: bool = False, cursor: str = "") -> Page[Notification]:
    """A person's notifications, or the unread ones alone, newest first."""
    mine = select(Notification).where(Notification.membership_id == membership_id)
    if unread:
        mine = mine.where(Notification.read_at.is_(None))
    return paginate(mine, [Notification.created_at, Notification.id], cursor=cursor, descending=True)


def find_mail(notification_id: int) -> MailFacts | None:
    """What to mail and to whom; None if there is no such notification or its person is not active any more."""
    found = rows(MAIL, {"id": notification_id})
    return MailFacts(*found[0]) if found else None


def find_concerned(booking_id: int) -> Concerned | None:
    """A booking and the people it concerns, in one SELECT."""
    found = rows(CONCERNED, {"id": booking_id})
    return Concerned(*found[0]) if found else None
