"""The admin's decisions: approve, assign, decline."""

from __future__ import annotations

from flask_babel import gettext as _

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.identity.models import Membership
from app.scheduling.events import BookingApproved, BookingAssigned, BookingDeclined
from app.scheduling.models import Booking, Resource
from app.scheduling.operations.claims import NotPossible, claimed, lock_booking, make_firm, release
from app.scheduling.operations.escalating import schedule_escalation
from app.scheduling.queries.resources import find_instructor
from app.scheduling.rules.bookings import CRAFT_KINDS, CRAFT_NEEDED


def approve_booking(booking: Booking, *, actor: Actor) -> Booking:
    """Say yes: what is known of it, learner and wished instructor, is taken firmly. Raises NotPossible, SlotTaken."""
    booking = lock_booking(booking, wanted="approved")
    _refuse_if_over(booking)
    _refuse_absent_learner(booking)
    if wished := claimed(booking, "instructor"):
        _refuse_wrong_instructor(booking, wished)
    before = _trail(booking)
    make_firm(booking, [(claim.role, claim.resource) for claim in booking.claims], zone=actor.zone)
    booking.status, booking.approved_at, booking.decided_by_id = "approved", clock.now(), actor.membership_id
    session.flush()
    schedule_escalation(booking, number=2, since=booking.approved_at)
    audit("booking.approved", actor=actor, subject=booking, before=before, after=_trail(booking))
    announce(BookingApproved(booking.id, actor.membership_id))
    return booking


def assign_booking(booking: Booking, *, instructor: Resource, aircraft: Resource | None, actor: Actor) -> Booking:
    """Give the booking its instructor and its aircraft or simulator, all firmly; a request is approved by the same deed.

    Raises NotPossible, and SlotTaken where any of them is booked then.
    """
    booking = lock_booking(booking, wanted="assigned")
    _refuse_if_over(booking)
    _refuse_absent_learner(booking)
    _refuse_wrong_instructor(booking, instructor)
    _refuse_wrong_craft(booking, aircraft)
    before, replaced_id = _trail(booking), _replaced_by(booking, instructor)
    learner = claimed(booking, "learner")
    assert learner
    wanted = [("learner", learner), ("instructor", instructor)]
    make_firm(booking, [*wanted, *([(aircraft.kind, aircraft)] if aircraft else [])], zone=actor.zone)
    now = clock.now()
    booking.status, booking.assigned_at, booking.decided_by_id = "assigned", now, actor.membership_id
    booking.approved_at = booking.approved_at or now
    session.flush()
    audit("booking.assigned", actor=actor, subject=booking, before=before, after=_trail(booking))
    announce(BookingAssigned(booking.id, actor.membership_id, replaced_id))
    return booking


def decline_booking(booking: Booking, *, reason: str, actor: Actor) -> Booking:
    """Say no, with a reason that the learner reads. Its claims are released. Raises NotPossible."""
    booking = lock_booking(booking, wanted="declined")
    if not reason.strip():
        raise NotPossible(_("Give a reason. The learner will read it."))
    before = _trail(booking)
    release(booking)
    booking.status, booking.reason, booking.ended_at = "declined", reason.strip(), clock.now()
    booking.decided_by_id = actor.membership_id
    session.flush()
    audit("booking.declined", actor=actor, subject=booking, before=before, after=_trail(booking))
    announce(BookingDeclined(booking.id, actor.membership_id))
    return booking


def _replaced_by(booking: Booking, instructor: Resource) -> int | None:
    """The member who teaches this booking for certain as yet, if it is another than the one to teach it now."""
    firm = (claim.resource for claim in booking.claims if claim.role == "instructor" and claim.state == "firm")
    return next((one.membership_id for one in firm if one.id != instructor.id), None)


def _refuse_if_over(booking: Booking) -> None:
    if booking.ends_at <= clock.now():
        raise NotPossible(_("This time has passed. Decline the request instead."))


def _refuse_absent_learner(booking: Booking) -> None:
    """Whoever is suspended would stand before a closed door, and hold an instructor and an aircraft meanwhile."""
    learner = session.get_one(Membership, booking.learner_id)
    if learner.status != "active":
        raise NotPossible(
            _("%(name)s is not let in at the school now. Let them in again, or decline.", name=learner.name)
        )


def _refuse_wrong_instructor(booking: Booking, instructor: Resource) -> None:
    if instructor.membership_id == booking.learner_id:
        raise NotPossible(_("Nobody teaches themself. Choose another instructor."))
    if find_instructor(instructor.id) is None:
        raise NotPossible(_("%(name)s does not teach here now. Choose another instructor.", name=instructor.name))


def _refuse_wrong_craft(booking: Booking, craft: Resource | None) -> None:
    needed = CRAFT_NEEDED.get(booking.activity)
    if needed and (craft is None or craft.kind != needed):
        raise NotPossible(
            _("A dual flight needs an aircraft. Choose one.")
            if needed == "aircraft"
            else _("A simulator session needs a simulator. Choose one.")
        )
    if craft and (craft.kind not in CRAFT_KINDS or craft.retired_at):
        raise NotPossible(_("%(name)s cannot be booked. Choose another aircraft.", name=craft.name))


def _trail(booking: Booking) -> dict[str, object]:
    """What the audit trail keeps of a booking before and after a decision."""
    firm = sorted(claim.resource_id for claim in booking.claims if claim.state == "firm")
    return {"status": booking.status, "reason": booking.reason, "takes": firm}
