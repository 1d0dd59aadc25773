"""Who may see and change the week: availability, bookings, the queue."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from app.foundation.actor import Actor
from app.foundation.permissions import EVERYONE, Role, allows, explains, grants, sees
from app.scheduling.models import AvailabilityException, Booking, Resource


class Can(StrEnum):
    SEE_WEEK = "scheduling:see_week"
    SEE_ALL_BOOKINGS = "scheduling:see_all_bookings"
    SEE_BOOKINGS = "scheduling:see_bookings"
    LIST_ALL_BOOKINGS = "scheduling:list_all_bookings"
    REQUEST = "scheduling:request"
    SEE_QUEUE = "scheduling:see_queue"
    DECIDE = "scheduling:decide"
    COMPLETE = "scheduling:complete"
    CANCEL = "scheduling:cancel"
    KEEP_AVAILABILITY = "scheduling:keep_availability"
    KEEP_OWN_AVAILABILITY = "scheduling:keep_own_availability"
    KEEP_ANY_AVAILABILITY = "scheduling:keep_any_availability"
    KEEP_RESOURCES = "scheduling:keep_resources"


grants(
    {
        Can.SEE_WEEK: EVERYONE,
        Can.SEE_ALL_BOOKINGS: EVERYONE - {Role.LEARNER},
        Can.SEE_BOOKINGS: EVERYONE,
        Can.LIST_ALL_BOOKINGS: {Role.AUTHOR, Role.MANAGER, Role.ADMIN},
        Can.REQUEST: {Role.LEARNER},
        Can.SEE_QUEUE: {Role.ADMIN},
        Can.DECIDE: {Role.ADMIN},
        Can.COMPLETE: {Role.INSTRUCTOR, Role.ADMIN},
        Can.CANCEL: {Role.LEARNER, Role.INSTRUCTOR, Role.ADMIN},
        Can.KEEP_AVAILABILITY: {Role.INSTRUCTOR, Role.ADMIN},
        Can.KEEP_OWN_AVAILABILITY: {Role.INSTRUCTOR},
        Can.KEEP_ANY_AVAILABILITY: {Role.ADMIN},
        Can.KEEP_RESOURCES: {Role.ADMIN},
    }
)


@sees(Resource)
def resource_is_seen(actor: Actor, resource: Resource) -> bool:
    """Staff know every resource; a learner knows aircraft, rooms and simulators, and themself."""
    return actor.may(Can.SEE_ALL_BOOKINGS) or resource.membership_id in (None, actor.membership_id)


@sees(AvailabilityException)
def exception_is_seen(actor: Actor, exception: AvailabilityException) -> bool:
    return resource_is_seen(actor, exception.resource)


@allows(Can.KEEP_AVAILABILITY)
def availability_is_kept_by(actor: Actor, record: Resource | AvailabilityException) -> bool:
    """An instructor keeps their own hours, an admin anybody's."""
    resource = record if isinstance(record, Resource) else record.resource
    return actor.may(Can.KEEP_ANY_AVAILABILITY) or resource.membership_id == actor.membership_id


@sees(Booking)
def booking_is_seen(actor: Actor, booking: Booking) -> bool:
    """Staff know every booking, a learner their own."""
    return actor.may(Can.SEE_ALL_BOOKINGS) or booking.learner_id == actor.membership_id


@allows(Can.COMPLETE)
def booking_is_completed_by(actor: Actor, booking: Booking) -> bool:
    """Its instructor says that it took place, or an admin."""
    return actor.may(Can.DECIDE) or _teaches(actor, booking)


@allows(Can.CANCEL)
def booking_is_cancelled_by(actor: Actor, booking: Booking) -> bool:
    """Its learner or its instructor calls it off, or an admin."""
    return actor.may(Can.DECIDE) or booking.learner_id == actor.membership_id or _teaches(actor, booking)


def _teaches(actor: Actor, booking: Booking) -> bool:
    """Whether the actor is the instructor whom a booking takes for certain: to be wished for is not enough."""
    taken = (claim for claim in booking.claims if claim.role == "instructor" and claim.state == "firm")
    return any(claim.resource.membership_id == actor.membership_id for claim in taken)


explains(
    {
        Can.SEE_WEEK: _l("See the week"),
        Can.SEE_ALL_BOOKINGS: _l("See whose bookings fill the week"),
        Can.SEE_BOOKINGS: _l("See the bookings one is part of"),
        Can.LIST_ALL_BOOKINGS: _l("List everybody’s bookings"),
        Can.REQUEST: _l("Ask for an hour"),
        Can.SEE_QUEUE: _l("See the requests that wait"),
        Can.DECIDE: _l("Approve, assign and decline bookings"),
        Can.COMPLETE: _l("Mark a lesson as done"),
        Can.CANCEL: _l("Cancel a booking"),
        Can.KEEP_AVAILABILITY: _l("Open the pages of instructors’ hours"),
        Can.KEEP_OWN_AVAILABILITY: _l("Keep one’s own hours"),
        Can.KEEP_ANY_AVAILABILITY: _l("Keep any instructor’s hours"),
        Can.KEEP_RESOURCES: _l("Add, rename and retire aircraft, simulators and rooms"),
    }
)
