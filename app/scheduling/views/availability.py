"""Pages of the hours: an instructor's own, and for admins everybody's."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.orm import joinedload

from app.foundation import clock, nav, tenancy
from app.foundation.db import session
from app.foundation.formats import clock_time
from app.foundation.once import once
from app.foundation.permissions import Role, access, requires
from app.foundation.replies import page, reply
from app.identity.models import Membership
from app.scheduling.forms.availability import WEEKDAYS, ExceptionForm, WeekForm, blank_week_form
from app.scheduling.models import AvailabilityException, AvailabilityRule, Resource
from app.scheduling.operations.availability import add_exception, remove_exception, set_week
from app.scheduling.operations.resources import ensure_person_resource
from app.scheduling.policies import Can
from app.scheduling.queries.availability import list_exceptions, list_firm_bookings, list_rules
from app.scheduling.queries.resources import list_instructors, person_resource_of
from app.scheduling.rules.availability import bookings_outside, hours_of, weekly_minutes
from app.scheduling.views import bp

nav.add(nav.Entry(_l("Availability"), "scheduling.availability_own", "calendar-clock", 40, Can.KEEP_OWN_AVAILABILITY))
nav.add(
    nav.Entry(
        _l("Instructors’ hours"), "scheduling.availability_index", "calendar-clock", 40, Can.KEEP_ANY_AVAILABILITY,
        unless=Can.KEEP_OWN_AVAILABILITY,
    )
)  # fmt: skip
nav.add_card(
    nav.Card(
        _l("Instructors’ hours"), _l("When each instructor teaches, and their days away."),
        "scheduling.availability_index", "calendar-clock", 50, Can.KEEP_ANY_AVAILABILITY,
    )
)  # fmt: skip


@bp.get("/availability")
@requires(Can.KEEP_AVAILABILITY)
def availability_own() -> Any:
    if not _teaches():
        return redirect(url_for("scheduling.availability_index"), 303)
    return _editor(_own_resource())


@bp.post("/availability")
@requires(Can.KEEP_AVAILABILITY)
def availability_own_update() -> Any:
    return _save(_own_resource() if _teaches() else abort(403))


@bp.get("/availability/instructors")
@requires(Can.KEEP_ANY_AVAILABILITY)
def availability_index() -> Any:
    instructors = list_instructors()
    rules = list_rules([one.id for one in instructors])
    weeks = {one.id: [rule for rule in rules if rule.resource_id == one.id] for one in instructors}
    lengths = {key: weekly_minutes(hours_of(week)) for key, week in weeks.items()}
    return page(
        "scheduling/availability_index.html", instructors=instructors, weeks=weeks, lengths=lengths, weekdays=WEEKDAYS
    )


@bp.get("/availability/<int:resource_id>")
@requires(Can.KEEP_AVAILABILITY)
def availability_show(resource_id: int) -> Any:
    return _editor(_instructor(resource_id))


@bp.post("/availability/<int:resource_id>")
@requires(Can.KEEP_AVAILABILITY)
def availability_update(resource_id: int) -> Any:
    return _save(_instructor(resource_id))


@bp.post("/availability/<int:resource_id>/exceptions")
@requires(Can.KEEP_AVAILABILITY)
@once
def availability_exception_create(resource_id: int) -> Any:
    resource = _instructor(resource_id)
    zone = _zone(list_rules([resource.id]))
    form = ExceptionForm()
    if form.carry_out(lambda: _add_day(resource, form, zone)):
        return reply(_page_of(resource), said=_("Saved %(time)s", time=clock_time(clock.now())))
    return _editor(resource, exception_form=form)


@bp.post("/availability/exceptions/<int:exception_id>/removal")
@requires(Can.KEEP_AVAILABILITY)
def availability_exception_destroy(exception_id: int) -> Any:
    single = access(AvailabilityException, exception_id, joinedload(AvailabilityException.resource))
    remove_exception(single, actor=current_user)
    return reply(_page_of(single.resource), said=_("Removed. The weekly hours hold again on that day."))


@bp.get("/availability/<int:resource_id>/exceptions")
@requires(Can.KEEP_AVAILABILITY)
def availability_exception_index(resource_id: int) -> Any:
    return redirect(_page_of(_instructor(resource_id)), 303)


@bp.get("/availability/exceptions/<int:exception_id>/removal")
@requires(Can.KEEP_AVAILABILITY)
def availability_exception_back(exception_id: int) -> Any:
    single = access(AvailabilityException, exception_id, joinedload(AvailabilityException.resource))
    return redirect(_page_of(single.resource), 303)


def _save(resource: Resource) -> Any:
    form = WeekForm()
    if form.carry_out(lambda: set_week(resource, form.hours, form.zone.data or "", actor=current_user)):
        return reply(_page_of(resource), said=_("Saved %(time)s", time=clock_time(clock.now())))
    return _editor(resource, form=form)


def _add_day(resource: Resource, form: ExceptionForm, zone: str) -> AvailabilityException:
    assert form.day.data, "the form was valid"
    return add_exception(
        resource, day=form.day.data, is_open=form.kind.data == "open", minutes=form.minutes, zone=zone,
        note=form.note.data or "", actor=current_user,
    )  # fmt: skip


def _editor(resource: Resource, form: WeekForm | None = None, exception_form: ExceptionForm | None = None) -> Any:
    """The page of one person's hours, with what was typed if it was refused, and the bookings that lie outside."""
    rules = list_rules([resource.id])
    zone = _zone(rules)
    exceptions = list_exceptions([resource.id], since=clock.today(zone))
    coming = list_firm_bookings(resource.id, after=clock.now())
    exception_form = exception_form or ExceptionForm(formdata=None)
    return page(
        "scheduling/availability.html",
        status=max(form.status if form else 200, exception_form.status),
        resource=resource,
        own=resource.membership_id == current_user.membership_id,
        save_url=_page_of(resource),
        form=form,
        blank_form=blank_week_form,
        hours=tuple(hours_of(rules)),
        exception_form=exception_form,
        exceptions=exceptions,
        zone=zone,
        keeps_hours=bool(rules),
        outside=bookings_outside(coming, rules, exceptions),
    )


def _instructor(resource_id: int) -> Resource:
    """The instructor behind a URL id; what is no instructor keeps no hours, and is not found."""
    resource = access(Resource, resource_id, joinedload(Resource.member))
    if resource.member is None or Role.INSTRUCTOR not in resource.member.roles:
        abort(404)
    return resource


def _own_resource() -> Resource:
    membership_id = current_user.membership_id
    return person_resource_of(membership_id) or ensure_person_resource(session.get_one(Membership, membership_id))


def _teaches() -> bool:
    return bool(current_user.may(Can.KEEP_OWN_AVAILABILITY))


def _page_of(resource: Resource) -> str:
    if resource.membership_id == current_user.membership_id:
        return url_for("scheduling.availability_own")
    return url_for("scheduling.availability_show", resource_id=resource.id)


def _zone(rules: list[AvailabilityRule]) -> str:
    """The zone that the hours are kept in, else the school's."""
    return rules[0].zone if rules else tenancy.required().zone
