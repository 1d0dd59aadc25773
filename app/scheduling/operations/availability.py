"""Every write about hours: a person's week as a whole, and single days besides it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy import delete, select

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.refusals import Refusal
from app.scheduling.events import AvailabilityChanged
from app.scheduling.models import AvailabilityException, AvailabilityRule, Resource
from app.scheduling.queries.availability import list_exceptions, list_rules
from app.scheduling.rules.availability import DAY_MINUTES, ROWS_A_DAY, Hours, overlapping, too_many_rows

FURTHEST_DAYS = 730


class NotAWeek(Refusal):
    """These rows are no week: one ends before it begins, two overlap, or there is no such zone."""

    status = 422


class NotADay(Refusal):
    """This day cannot be added: it has passed, lies too far ahead, or its times make no sense."""

    status = 422


class DayAlreadySet(Refusal):
    """The same time of that day is there already."""


def set_week(resource: Resource, hours: Iterable[Hours], zone: str, *, actor: Actor) -> Resource:
    """Replace a person's weekly hours, in wall time of an IANA zone. An unchanged week leaves no trace. Raises NotAWeek."""
    wanted = sorted(set(hours))
    _check_week(wanted, zone)
    _lock(resource)
    rules = list_rules([resource.id])
    before = {"hours": [[r.weekday, r.start_minute, r.end_minute] for r in rules], "zone": _zone_of(rules)}
    after = {"hours": [list(row) for row in wanted], "zone": zone if wanted else None}
    if before == after:
        return resource
    session.execute(delete(AvailabilityRule).where(AvailabilityRule.resource_id == resource.id))
    session.add_all(
        AvailabilityRule(resource_id=resource.id, weekday=weekday, start_minute=start, end_minute=end, zone=zone)
        for weekday, start, end in wanted
    )
    session.flush()
    audit("availability.changed", actor=actor, subject=resource, before=before, after=after)
    announce(AvailabilityChanged(resource.id))
    return resource


def add_exception(
    resource: Resource,
    *,
    day: date,
    is_open: bool,
    minutes: tuple[int, int] | None,
    zone: str,
    note: str,
    actor: Actor,
) -> AvailabilityException:
    """Mark a day on which a person is away, or works besides their week (`is_open`).

    `minutes` are from and to after midnight in the zone's wall time; None is the whole day, and only for being away.
    Raises NotADay and DayAlreadySet.
    """
    _check_day(day, is_open, minutes, zone)
    _lock(resource)
    _check_not_set(resource, day, is_open, minutes)
    start, end = minutes or (None, None)
    single = AvailabilityException(
        resource_id=resource.id, resource=resource, day=day, is_open=is_open, start_minute=start, end_minute=end,
        zone=zone, note=note,
    )  # fmt: skip
    session.add(single)
    session.flush()
    audit("availability_exception.added", actor=actor, subject=single, after=_recorded(single))
    announce(AvailabilityChanged(resource.id))
    return single


def remove_exception(single: AvailabilityException, *, actor: Actor) -> AvailabilityException:
    """Take a day away or extra hours back: the week holds again on that day."""
    audit("availability_exception.removed", actor=actor, subject=single, before=_recorded(single))
    session.delete(single)
    session.flush()
    announce(AvailabilityChanged(single.resource_id))
    return single


def _check_week(wanted: list[Hours], zone: str) -> None:
    if zone not in _zones():
        raise NotAWeek(_("“%(zone)s” is no time zone. Choose one from the list.", zone=zone))
    if any(weekday not in range(7) or not 0 <= start < end <= DAY_MINUTES for weekday, start, end in wanted):
        raise NotAWeek(_("Each row must end after it begins, on the same day."))
    if overlapping(wanted):
        raise NotAWeek(_("Two rows of one day overlap. Make them one."))
    if too_many_rows(wanted):
        raise NotAWeek(_("A day has %(count)d rows at most.", count=ROWS_A_DAY))


def _check_day(day: date, is_open: bool, minutes: tuple[int, int] | None, zone: str) -> None:
    if zone not in _zones():
        raise NotADay(_("“%(zone)s” is no time zone. Choose one from the list.", zone=zone))
    ahead = (day - clock.today(zone)).days
    if ahead < 0:
        raise NotADay(_("This day has passed. Choose a later one."))
    if ahead > FURTHEST_DAYS:
        raise NotADay(_("Choose a day within the next two years."))
    if minutes is None and is_open:
        raise NotADay(_("Say from when to when you work on this day."))
    if minutes and not 0 <= minutes[0] < minutes[1] <= DAY_MINUTES:
        raise NotADay(_("The time must end after it begins, on the same day."))


def _check_not_set(resource: Resource, day: date, is_open: bool, minutes: tuple[int, int] | None) -> None:
    start, end = minutes or (0, DAY_MINUTES)
    for other in list_exceptions([resource.id], since=day, until=day):
        first, last = other.start_minute or 0, other.end_minute or DAY_MINUTES
        if other.is_open == is_open and first < end and start < last:
            raise DayAlreadySet(_("That time of the day is in the list already. Remove it first to change it."))


def _lock(resource: Resource) -> None:
    """Two that save at once do so one after the other."""
    session.execute(select(Resource.id).where(Resource.id == resource.id).with_for_update(key_share=True))


def _zone_of(rules: list[AvailabilityRule]) -> str | None:
    return rules[0].zone if rules else None


def _recorded(single: AvailabilityException) -> dict[str, Any]:
    return {
        "resource_id": single.resource_id,
        "day": single.day.isoformat(),
        "is_open": single.is_open,
        "start_minute": single.start_minute,
        "end_minute": single.end_minute,
        "note": single.note,
    }


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
