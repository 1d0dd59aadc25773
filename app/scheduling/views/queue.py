"""The admin's queue: what waits for a decision, and the decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.foundation import nav
from app.foundation.db import session
from app.foundation.pages import as_left, list_query
from app.foundation.permissions import access, requires
from app.foundation.replies import page, reply, wants_partial
from app.scheduling.forms.bookings import QUEUE, ApprovalForm, AssignmentForm, DeclineForm, DeedForm, decision_forms
from app.scheduling.models import Booking, Resource
from app.scheduling.operations.deciding import approve_booking, assign_booking, decline_booking
from app.scheduling.policies import Can
from app.scheduling.queries.assignables import Assignable, list_assignables
from app.scheduling.queries.bookings import ESCALATED, BookingCard, find_card, list_queue, waiting_counts, with_claims
from app.scheduling.rules.checks import Check, checks_of
from app.scheduling.views import bp
from app.scheduling.views.bookings import DEEDS, booking_page, card_of, is_school_open
from app.tenants.models import SchoolSettings
from app.tenants.queries import school_settings

nav.add(
    nav.Entry(
        _l("Requests"), "scheduling.request_index", "inbox", 25, Can.SEE_QUEUE, nouns=frozenset({"booking", *DEEDS})
    )
)


@bp.get("/requests")
@requires(Can.SEE_QUEUE)
def request_index() -> Any:
    query = list_query(
        sorts={"asked": _("Oldest request first"), "soonest": _("Next lesson first")},
        status={"requested": _("To approve"), "approved": _("To assign"), ESCALATED: _("Escalated")},
    )
    queue = list_queue(query)
    assignables, settings = list_assignables(queue.rows), school_settings()
    return page(
        "scheduling/queue.html", queue=queue, query=query, counts=waiting_counts(),
        cards=[_waiting(card, assignables, settings) for card in queue.rows],
    )  # fmt: skip


@bp.post("/bookings/<int:booking_id>/approval")
@requires(Can.DECIDE)
def approval_create(booking_id: int) -> Any:
    booking = access(Booking, booking_id, *with_claims())
    form = ApprovalForm(booking)
    if form.carry_out(lambda: approve_booking(booking, actor=current_user)):
        return _decided(booking, form, _("Approved. Now assign an instructor and an aircraft."))
    return _undecided(booking, form) if wants_partial() else _refused(booking, form)


@bp.post("/bookings/<int:booking_id>/assignment")
@requires(Can.DECIDE)
def assignment_create(booking_id: int) -> Any:
    booking = access(Booking, booking_id, *with_claims())
    form = AssignmentForm(booking)
    form.offer(card_of(booking), list_assignables([booking]))
    if form.carry_out(lambda: _assign(booking, form)):
        return _decided(booking, form, _("Assigned. The learner and the instructor are told."))
    return _undecided(booking, form)


@bp.post("/bookings/<int:booking_id>/decline")
@requires(Can.DECIDE)
def decline_create(booking_id: int) -> Any:
    booking = access(Booking, booking_id, *with_claims())
    form = DeclineForm(booking)
    if form.carry_out(lambda: decline_booking(booking, reason=form.reason.data or "", actor=current_user)):
        return _decided(booking, form, _("Declined. The learner is told why."))
    return _undecided(booking, form)


def _assign(booking: Booking, form: AssignmentForm) -> Booking:
    """The form's choices are ids of resources that were offered just now."""
    instructor = session.get_one(Resource, form.instructor.data)
    craft = session.get_one(Resource, form.craft.data) if form.craft.data else None
    return assign_booking(booking, instructor=instructor, aircraft=craft, actor=current_user)


def _decided(booking: Booking, form: DeedForm, said: str) -> Any:
    """In the queue the card shows its new state; elsewhere the booking's page is shown again."""
    if not form.is_of_the_queue:
        return reply(url_for("scheduling.booking_show", booking_id=booking.id), said=said)
    stream = "scheduling/booking_decided.stream.html"
    parts = _fresh_parts(booking) if wants_partial() else {}
    return reply(as_left(url_for("scheduling.request_index")), stream=stream, said=said, **parts)


def _undecided(booking: Booking, form: DeedForm) -> Any:
    """What was typed, with the sentence: in the card of the queue, else on the booking's page."""
    if form.is_of_the_queue and wants_partial():
        parts = _fresh_parts(booking, refused=form)
        return page("scheduling/_request.html", partial="scheduling/_request.html", status=form.status, **parts)
    return booking_page(booking, form)


def _refused(booking: Booking, form: DeedForm) -> Any:
    """Without script a refused approval, where nothing was typed, is a page of its own: the sentence and where to go."""
    return page(
        "scheduling/booking_refused.html", status=form.status, booking=booking, card=card_of(booking), refused=form,
        may_request=current_user.may(Can.REQUEST),
    )  # fmt: skip


@dataclass(frozen=True)
class WaitingCard:
    """A booking of the queue with all that its card shows, by which it is kept; the forms are made when it is drawn.

    `offers` says of all that may be assigned: id, name, kind, whether it teaches, and whether it is taken and open then.
    """

    card: BookingCard
    checks: tuple[Check, ...]
    offers: tuple[tuple[int, str, str, bool, bool, bool], ...]
    assignables: list[Assignable] = field(compare=False)

    @property
    def forms(self) -> dict[str, DeedForm]:
        return decision_forms(self.card, self.assignables, back=QUEUE)


def _waiting(card: BookingCard, assignables: list[Assignable], settings: SchoolSettings) -> WaitingCard:
    offers = tuple(
        (one.id, one.name, one.kind, one.teaches, one.is_taken(card), one.is_open(card)) for one in assignables
    )
    checks = checks_of(card, assignables, is_open=is_school_open(card, settings))
    return WaitingCard(card, tuple(checks), offers, assignables)


def _fresh_parts(booking: Booking, refused: DeedForm | None = None) -> dict[str, Any]:
    card = find_card(booking.id)
    assert card
    return {**_parts_of(card, list_assignables([card]), refused), "counts": waiting_counts()}


def _parts_of(card: BookingCard, assignables: list[Assignable], refused: DeedForm | None = None) -> dict[str, Any]:
    """What the card of one booking needs: its checks and the forms of what may be decided."""
    forms = decision_forms(card, assignables, refused, back=QUEUE) if card.waits_for_admin else {}
    checks = []
    if card.waits_for_admin:
        checks = checks_of(card, assignables, is_open=is_school_open(card, school_settings()))
    return {"card": card, "checks": checks, "forms": forms, "refused": refused}
