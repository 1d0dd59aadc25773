"""A person's notifications: the list, and marking them read. The bell in the bar counts those that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation.formats import reader_zone
from app.foundation.pages import list_query
from app.foundation.permissions import access, signed_in
from app.foundation.replies import page, reply
from app.identity.queries import names_of_members
from app.notifications import policies as _policies  # noqa: F401
from app.notifications.models import Notification
from app.notifications.operations import mark_all_read, mark_read
from app.notifications.queries import count_unread, list_notifications
from app.notifications.rules import Words, address_of, kind_of, people_in, words_of

bp = Blueprint("notifications", __name__, url_prefix="/<tenant>/notifications")


@bp.get("")
@signed_in
def notification_index() -> Any:
    wanted = list_query(sorts={"newest": ""}, show={"unread": _("Unread")})
    unread = wanted.get("show") == "unread"
    found = list_notifications(current_user.membership_id, unread=unread, cursor=wanted.cursor)
    return page("notifications/index.html", page=found, notes=shown(found.rows), wanted=wanted)


@bp.post("/reading")
@signed_in
def reading_create_all() -> Any:
    mark_all_read(actor=current_user, newest_id=request.form.get("newest", type=int))
    return reply(url_for("notifications.notification_index"), said=_("All are marked as read."))


@bp.post("/<int:notification_id>/reading")
@signed_in
def reading_create(notification_id: int) -> Any:
    return redirect(subject_url(mark_read(access(Notification, notification_id), actor=current_user)), 303)


@bp.get("/reading")
@signed_in
def reading_index() -> Any:
    return redirect(url_for("notifications.notification_index"), 303)


@bp.get("/<int:notification_id>/reading")
@signed_in
def reading_show(notification_id: int) -> Any:
    access(Notification, notification_id)
    return redirect(url_for("notifications.notification_index"), 303)


@dataclass(frozen=True)
class Note:
    """A notification as its list shows it."""

    id: int
    words: Words
    icon: str
    state: str
    href: str
    created_at: datetime
    is_unread: bool
    leads: bool
    """Whether it has a page to open besides this list."""


def shown(rows: list[Notification]) -> list[Note]:
    """Notifications with their words, for the person reading; one SELECT finds all names."""
    names = names_of_members(set().union(*(people_in(row.facts) for row in rows)))
    return [_note(row, names) for row in rows]


def subject_url(notification: Notification) -> str:
    """The page of what a notification is about."""
    endpoint, values = address_of(notification.kind, notification.subject_id)
    return url_for(endpoint, **values)


@bp.app_context_processor
def bell() -> dict[str, Callable[[], int]]:
    """What the bar's bell asks for. It is asked only where the bell is drawn, so that a partial answer does not pay for it."""

    def unread() -> int:
        membership_id = current_user.membership_id
        return count_unread(membership_id) if membership_id else 0

    return {"unread": unread}


def _note(row: Notification, names: dict[int, str]) -> Note:
    kind = kind_of(row.kind)
    words = words_of(row.kind, row.facts, names=names, reader_id=row.membership_id, zone=reader_zone())
    return Note(
        row.id, words, kind.icon, kind.state, subject_url(row), row.created_at, row.read_at is None, bool(kind.argument)
    )
