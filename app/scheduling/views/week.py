"""The school's week: all of it for staff, for a learner their own bookings and when others are busy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.foundation import clock, formats, nav, tenancy
from app.foundation.pages import list_query
from app.foundation.permissions import requires
from app.foundation.refusals import BadRequest
from app.foundation.replies import page
from app.scheduling.models import Resource
from app.scheduling.policies import Can
from app.scheduling.queries.availability import open_spans
from app.scheduling.queries.resources import list_shared_resources
from app.scheduling.queries.week import Busy, WeekBooking, WeekFilter, list_week, list_week_of_learner
from app.scheduling.rules.availability import Span
from app.scheduling.rules.booking_words import activity_word, status_icon, status_state, status_word
from app.scheduling.rules.opening import opened_between
from app.scheduling.rules.week import Entry, monday_of, span_of_week
from app.scheduling.rules.week_words import draw_week
from app.scheduling.views import bp
from app.tenants.queries import school_settings

YEARS = range(2000, 2200)
nav.add(nav.Entry(_l("Schedule"), "scheduling.week", "calendar-days", 20, Can.SEE_WEEK))


@bp.get("/week")
@requires(Can.SEE_WEEK)
def week() -> Any:
    zone = ZoneInfo(formats.reader_zone())
    resources = list_shared_resources()
    query = list_query(sorts={"time": ""}, resource=_names(resources), kind=_kinds(), view=_views())
    monday = monday_of(_chosen_day(zone))
    chosen = next((one for one in resources if str(one.id) == query.get("resource")), None)
    span = span_of_week(monday, zone)
    entries = _entries(span, WeekFilter(chosen.id if chosen else None, query.get("kind")))
    drawn = draw_week(monday, zone, clock.now(), entries, _opened(chosen, span), _school_opened(span))
    return page("scheduling/week.html", week=drawn, query=query, chosen=chosen)


def _opened(chosen: Resource | None, span: Span) -> list[Span]:
    """The open hours to show behind the week: those of the one person it is narrowed to."""
    return open_spans([chosen.id], *span)[chosen.id] if chosen and chosen.kind == "person" else []


def _school_opened(span: Span) -> list[Span]:
    """When the school in force is open in the week and around it."""
    settings = school_settings()
    return opened_between(settings.opening_hours, settings.closed_days, *span, tenancy.required().zone)


def _entries(span: Span, wanted: WeekFilter) -> list[Entry]:
    """What this reader may see of the week."""
    if current_user.may(Can.SEE_ALL_BOOKINGS):
        return [_entry(booking, booking.taken.get("learner", "")) for booking in list_week(*span, wanted)]
    own, busy = list_week_of_learner(current_user.membership_id, *span, wanted)
    return [_entry(booking, activity_word(booking.activity)) for booking in own] + _seen_of_others(busy)


def _entry(booking: WeekBooking, title: str) -> Entry:
    instructor = booking.taken.get("instructor") or _("no instructor yet")
    things = [name for role, name in booking.taken.items() if role not in ("learner", "instructor")]
    return Entry(
        booking.starts_at,
        booking.ends_at,
        state="mute" if booking.status == "completed" else status_state(booking.status),
        word=status_word(booking.status),
        icon=status_icon(booking.status),
        title=title,
        parts=(instructor, *things),
        href=url_for("scheduling.booking_show", booking_id=booking.id),
        is_firm=booking.status != "requested",
    )


def _seen_of_others(busy: Iterable[Busy]) -> list[Entry]:
    """One block for all that others take from one instant to another, so that nothing tells who flies with whom."""
    taken: dict[Span, list[str]] = {}
    for one in busy:
        taken.setdefault((one.starts_at, one.ends_at), []).append(one.name)
    word = _("Busy")
    return [Entry(*span, "busy", word, word, tuple(sorted(names))) for span, names in taken.items()]


def _chosen_day(zone: ZoneInfo) -> date:
    """The day in the URL, else today."""
    wanted = request.args.get("day", "")
    if not wanted:
        return clock.today(zone)
    try:
        day = date.fromisoformat(wanted)
    except ValueError as error:
        raise BadRequest(_("“%(day)s” is no day. Write it like 2026-11-23.", day=wanted[:40])) from error
    if day.year not in YEARS:
        raise BadRequest(_("There is no week to show that far away."))
    return day


def _names(resources: list[Resource]) -> dict[str, str]:
    return {str(one.id): f"{one.name} · {one.detail}" if one.detail else one.name for one in resources}


def _kinds() -> dict[str, str]:
    return {"instructor": _("Instructors"), "aircraft": _("Aircraft"), "simulator": _("Simulators")}


def _views() -> dict[str, str]:
    return {"grid": _("Days beside hours"), "list": _("List")}
