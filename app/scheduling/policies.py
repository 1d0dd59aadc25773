"""Who may see and change the week: availability, bookings, the queue."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from app.foundation.actor import Actor
from app.foundation.permissions import EVERYONE, Role, allows, explains, grants, sees
from app.scheduling.models import AvailabilityException, Resource


class Can(StrEnum):
    SEE_WEEK = "scheduling:see_week"
    SEE_ALL_BOOKINGS = "scheduling:see_all_bookings"
    KEEP_OWN_AVAILABILITY = "scheduling:keep_own_availability"
    KEEP_ANY_AVAILABILITY = "scheduling:keep_any_availability"


grants(
    {
        Can.SEE_WEEK: EVERYONE,
        Can.SEE_ALL_BOOKINGS: EVERYONE - {Role.LEARNER},
        Can.KEEP_OWN_AVAILABILITY: {Role.INSTRUCTOR, Role.ADMIN},
        Can.KEEP_ANY_AVAILABILITY: {Role.ADMIN},
    }
)


@sees(Resource)
def resource_is_seen(actor: Actor, resource: Resource) -> bool:
    """Staff know every resource; a learner knows aircraft, rooms and simulators, and themself."""
    return actor.may(Can.SEE_ALL_BOOKINGS) or resource.membership_id in (None, actor.membership_id)


@sees(AvailabilityException)
def exception_is_seen(actor: Actor, exception: AvailabilityException) -> bool:
    return resource_is_seen(actor, exception.resource)


@allows(Can.KEEP_OWN_AVAILABILITY)
def availability_is_kept_by(actor: Actor, record: Resource | AvailabilityException) -> bool:
    """An instructor keeps their own hours, an admin anybody's."""
    resource = record if isinstance(record, Resource) else record.resource
    return actor.may(Can.KEEP_ANY_AVAILABILITY) or resource.membership_id == actor.membership_id


explains(
    {
        Can.SEE_WEEK: _l("See the week"),
        Can.SEE_ALL_BOOKINGS: _l("See whose bookings fill the week"),
        Can.KEEP_OWN_AVAILABILITY: _l("Keep one’s own hours"),
        Can.KEEP_ANY_AVAILABILITY: _l("Keep any instructor’s hours"),
    }
)
