"""A person's home: one page, with a section for each of their roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from flask import Blueprint, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.foundation import nav
from app.foundation.formats import when
from app.foundation.permissions import Role, signed_in
from app.foundation.replies import page
from app.home.queries import Figures, find_home
from app.identity.queries import ASKS_ERASURE

MOST_NUMBERS = 5

bp = Blueprint("home", __name__, url_prefix="/<tenant>")
nav.add(nav.Entry(_l("Today"), "home.show", "house", 10))


@bp.get("/")
@signed_in
def show() -> Any:
    home, locale = find_home(current_user), str(get_locale() or "en")
    labels = day_labels(home.activity.days, locale) if home.activity else ()
    steps = first_steps(home.first_steps)
    return page("home/show.html", home=home, labels=labels, steps=steps, zone=current_user.zone)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that leads to the rows behind it. `state` is its color where it asks for something."""

    value: int
    label: str
    href: str
    as_of: str
    state: str | None = None


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Something a new school needs before its first lesson, and where it is done."""

    is_done: bool
    deed: str
    why: str
    href: str


def first_steps(done: tuple[bool, ...]) -> tuple[FirstStep, ...]:
    """The steps that a new school's admin is led through; none once they are no longer asked about, or all are done."""
    if all(done):
        return ()
    steps = (
        (
            _("Say when you are open"),
            _("Opening hours, closed days and your time zone. Without hours you are always open."),
            "tenants.settings_edit",
        ),
        (_("Add what you fly"), _("Aircraft, simulators and rooms that can be booked."), "scheduling.resource_index"),
        (_("Bring in your instructors"), _("One by one, or many from a list."), "people.new"),
        (_("Enter when they teach"), _("Learners then see free times with them."), "scheduling.availability_index"),
        (_("Bring in your learners"), _("Or let them register themselves and approve them."), "people.imports_new"),
        (
            _("Publish a course"),
            _("The desk says how a course comes in; learners find it in the catalog."),
            "courses.desk_index",
        ),
    )
    return tuple(
        FirstStep(is_done, deed, why, url_for(endpoint))
        for is_done, (deed, why, endpoint) in zip(done, steps, strict=True)
    )


@bp.app_template_filter("as_numbers")
def numbers_of(figures: Figures, as_of: str) -> list[Number]:
    """The numbers of a person's roles, five at most, what asks for a deed first. `as_of` is the time of day they are of."""
    now = _("as of %(time)s", time=as_of)
    of_roles = [NUMBERS[role](figures, now) for role in NUMBERS if role in figures.roles]
    return [number for numbers in of_roles for number in numbers][:MOST_NUMBERS]


@lru_cache(maxsize=256)
def day_labels(days: tuple[date, ...], locale: str) -> tuple[str, ...]:
    """How the chart names its columns: "Tue 24"."""
    return tuple(format_date(day, "EEE d", locale=locale) for day in days)


def _queue(status: str) -> str:
    return url_for("scheduling.request_index", status=status)


def _of_admin(figures: Figures, now: str) -> list[Number]:
    requests, unassigned, escalations, stuck = (
        figures[name] for name in ("requests", "unassigned", "escalations", "stuck")
    )
    numbers = [
        Number(requests, ngettext("request to approve", "requests to approve", requests), _queue("requested"), now),
        Number(unassigned, _("approved, not assigned yet"), _queue("approved"), now, "wait" if unassigned else None),
        Number(
            escalations, ngettext("unread escalation", "unread escalations", escalations),
            url_for("notifications.notification_index", show="unread"), now, "stop" if escalations else None,
        ),
    ]  # fmt: skip
    if joining := figures["joining"]:
        label = ngettext("person waits to be let in", "people wait to be let in", joining)
        numbers.append(Number(joining, label, url_for("people.index", status="pending"), now, "wait"))
    if asking := figures["asking_erasure"]:
        label = ngettext("person asks to be erased", "people ask to be erased", asking)
        numbers.append(Number(asking, label, url_for("people.index", status=ASKS_ERASURE), now, "wait"))
    if stuck:
        numbers.append(
            Number(
                stuck,
                ngettext("piece of stuck work", "pieces of stuck work", stuck),
                url_for("tenants.stuck_work_index"),
                now,
                "stop",
            )
        )
    return numbers


def _of_instructor(figures: Figures, now: str) -> list[Number]:
    today, coming = figures.lessons_today, figures["coming"]
    waiting, asking = figures["to_complete"], figures["asking"]
    return [
        Number(today, ngettext("lesson today", "lessons today", today), "#lessons", now),
        Number(waiting, _("to complete"), "#waiting", now, "wait" if waiting else None),
        Number(asking, ngettext("request for you", "requests for you", asking), "#waiting", now),
        Number(
            coming,
            ngettext("lesson in the next 7 days", "lessons in the next 7 days", coming),
            url_for("scheduling.booking_index"),
            now,
        ),
    ]


def _of_manager(figures: Figures, now: str) -> list[Number]:
    assert figures.activity
    counted = _("as of %(time)s", time=when(figures.activity.as_of)) if figures.activity.as_of else _("not counted yet")
    learners, lessons = figures["learners"], figures.activity.total("lessons.completed")
    overdue = figures["overdue"]
    flown = figures.activity.total("bookings.completed")
    lessons_label = ngettext("lesson completed in 14 days", "lessons completed in 14 days", lessons)
    flown_label = ngettext("booking completed in 14 days", "bookings completed in 14 days", flown)
    return [
        Number(
            overdue, ngettext("assignment overdue", "assignments overdue", overdue),
            url_for("learning.assignment_index", state="overdue"), now, "stop" if overdue else None,
        ),
        Number(learners, ngettext("learner", "learners", learners), "#departments", now),
        Number(figures["learning"], _("learned in the last 7 days"), "#learners", now),
        Number(lessons, lessons_label, "#days", counted),
        Number(flown, flown_label, "#days", counted),
    ]  # fmt: skip


def _of_author(figures: Figures, now: str) -> list[Number]:
    desk = url_for("courses.desk_index")
    drafts, published, changed = (figures[name] for name in ("drafts", "published", "changed"))
    return [
        Number(drafts, ngettext("draft", "drafts", drafts), f"{desk}?status=draft", now),
        Number(
            published, ngettext("published course", "published courses", published), f"{desk}?status=published", now
        ),
        Number(changed, _("changed since publishing"), f"{desk}?status=changed", now, "wait" if changed else None),
    ]


def _of_learner(figures: Figures, now: str) -> list[Number]:
    ahead, going, lessons = figures.bookings_ahead, figures.courses_going, figures.lessons_completed
    return [
        Number(ahead, ngettext("booking ahead", "bookings ahead", ahead), url_for("scheduling.booking_index"), now),
        Number(going, ngettext("course in progress", "courses in progress", going), "#courses", now),
        Number(lessons, ngettext("lesson completed", "lessons completed", lessons), "#courses", now),
    ]


NUMBERS = {
    Role.ADMIN: _of_admin,
    Role.INSTRUCTOR: _of_instructor,
    Role.MANAGER: _of_manager,
    Role.AUTHOR: _of_author,
    Role.LEARNER: _of_learner,
}
