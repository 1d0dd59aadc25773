"""Every write about notifications: telling a person once, mailing it once, marking it read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import cast, delete, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import rows, session
from app.foundation.jobs import schedule_jobs
from app.foundation.mail import absolute_url, can_send_mail, send_mail
from app.foundation.refusals import Refusal
from app.identity.queries import names_of_members
from app.notifications.models import Notification
from app.notifications.queries import MailFacts, find_mail
from app.notifications.rules import address_of, mail_text, people_in, words_of
from app.tenants.queries import DEPARTMENT_TREE

A_STATEMENT = 1000
"""Rows of it."""
FORGET_OTHERS = f"""
with recursive {DEPARTMENT_TREE}
delete from notification n using membership m
where m.id = n.membership_id and n.read_at is null and n.facts ? 'assignment_id' and {{whose}} and not exists (
  select from assignment a where
    case when n.kind in ('course.due', 'course.overdue')
      then a.course_id = n.subject_id and a.due_on::text = n.facts ->> 'due_on'
      else a.id = (n.facts ->> 'assignment_id')::bigint end
    and (a.membership_id = m.id or (a.membership_id is null and (a.department_id is null
      or a.department_id in (select top from department_tree where inside = m.department_id)))))
"""  # noqa: S608 — put together from constants
"""A reminder is of a course and a day, however often that is assigned; all else is of one assignment."""
WHOSE = {
    "membership_id": "m.id = %(membership_id)s",
    "department_id": "m.department_id in (select inside from department_tree where top = %(department_id)s)",
    "assignment_id": "(n.facts ->> 'assignment_id')::bigint = %(assignment_id)s",
}


@dataclass(frozen=True, slots=True)
class News:
    """What one person is told. `kind` is one of rules.KINDS, `cause` names what happened ("booking.approved:7"), `facts` are
    JSON-ready."""

    membership_id: int
    kind: str
    cause: str
    subject_id: int | None
    facts: dict[str, Any]


def notify(membership_id: int, kind: str, *, cause: str, subject_id: int | None, facts: dict[str, Any]) -> bool:
    """Tell a person something, in the app and by mail. False if this cause was told them before: nothing is written then."""
    return bool(notify_all([News(membership_id, kind, cause, subject_id, facts)]))


def notify_all(news: Sequence[News]) -> int:
    """Tell several people something, a thousand a statement. Returns how much of it had not been told before."""
    told: list[int] = []
    for begin in range(0, len(news), A_STATEMENT):
        values = [
            {**asdict(one), "tenant_id": tenancy.required().id, "created_at": clock.now()}
            for one in news[begin : begin + A_STATEMENT]
        ]
        row = insert(Notification).values(values)
        new = row.on_conflict_do_nothing(index_elements=["tenant_id", "membership_id", "cause"])
        told += session.execute(new.returning(Notification.id)).scalars()
    if can_send_mail():
        mails: list[tuple[str, dict[str, int | str]]] = [
            (f"mail:notification:{made}", {"notification_id": made}) for made in told
        ]
        schedule_jobs("notifications.mail_notification", mails)
    return len(told)


def mail_notification(notification_id: int) -> bool:
    """Mail a notification to its person, unless it was mailed or they are not active any more. Returns whether it went out.

    The mail's key is the notification's own: a try that is repeated because the worker died after sending is the same mail.
    """
    mail = find_mail(notification_id)
    if mail is None or mail.mailed_at is not None:
        return False
    _send(notification_id, mail)
    session.execute(update(Notification).where(Notification.id == notification_id).values(mailed_at=clock.now()))
    return True


class NotTheirs(Refusal):
    """Somebody who acts as a person would hide from them what they have not seen."""


def mark_read(notification: Notification, *, actor: Actor) -> Notification:
    """Note that its person has seen a notification; the first time counts. Whoever acts as them leaves it unread."""
    if not actor.is_acting:
        notification.read_at = notification.read_at or clock.now()
    return notification


def mark_all_read(*, actor: Actor, newest_id: int | None = None) -> int:
    """Mark all of a person's notifications read, up to the newest they were shown. Returns how many were unread.

    Raises NotTheirs for somebody who acts as them: the very notice of that is among them.
    """
    if actor.is_acting:
        raise NotTheirs(_("You act as %(name)s. Leave it to them to mark what they have read.", name=actor.name))
    unread = update(Notification).where(
        Notification.membership_id == actor.membership_id, Notification.read_at.is_(None)
    )
    if newest_id is not None:
        unread = unread.where(Notification.id <= newest_id)
    return int(session.execute(unread.values(read_at=clock.now())).rowcount)  # type: ignore[attr-defined]


def forget_what_is_not_theirs(**whose: int) -> None:
    """Take back what was told of assignments that are not their reader's any more, and was not read: mails that wait find nothing
    to send. Of a member (`membership_id`), of all in a department and below it (`department_id`), or of one `assignment_id`."""
    [(name, value)] = whose.items()
    session.flush()
    rows(FORGET_OTHERS.format(whose=WHOSE[name]), {name: value})


def forget_other_days(assignment_id: int, *, kind: str, but: str) -> None:
    """Take back what nobody has read of the days that an assignment had before: its reminders, and all of one `kind` but of the
    cause `but`."""
    forget_what_is_not_theirs(assignment_id=assignment_id)
    of_it = Notification.facts["assignment_id"].as_integer() == assignment_id
    moves = delete(Notification).where(of_it, Notification.kind == kind, Notification.cause != but)
    session.execute(moves.where(Notification.read_at.is_(None)))


def forget_reasons(learner_id: int) -> None:
    """Blank the reasons that bookings of a learner gave, in whosever notifications they stand."""
    about = Notification.facts["learner_id"].as_integer() == learner_id
    without = Notification.facts.op("||")(cast({"reason": ""}, JSONB))
    session.execute(update(Notification).where(about).values(facts=without))


def _send(notification_id: int, mail: MailFacts) -> None:
    tenant = tenancy.required()
    endpoint, values = address_of(mail.kind, mail.subject_id)
    link = absolute_url(endpoint, **values)
    with force_locale(mail.locale):
        words = words_of(
            mail.kind, mail.facts, names=names_of_members(people_in(mail.facts)), reader_id=mail.membership_id,
            zone=mail.zone or tenant.zone,
        )  # fmt: skip
        send_mail(
            to=mail.email,
            subject=words.title,
            text=mail_text(words, name=mail.name, link=link, school=tenant.name),
            key=f"notification:{tenant.id}:{notification_id}:{mail.created_at.isoformat()}",
        )
