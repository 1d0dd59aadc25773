"""Pages of bookings: the list, the request form, one booking, and what is done to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.foundation import clock, formats, limits, nav, tenancy
from app.foundation.db import session
from app.foundation.once import once
from app.foundation.pages import list_query
from app.foundation.permissions import Role, access, may, requires
from app.foundation.replies import page, reply
from app.identity.models import Membership
from app.scheduling.forms.bookings import (
    USUAL_MINUTES,
    BookingForm,
    CancellationForm,
    CompletionForm,
    DeedForm,
    decision_forms,
)
from app.scheduling.models import STATUSES, Booking, Resource
from app.scheduling.operations.ending import cancel_booking, complete_booking
from app.scheduling.operations.requesting import request_booking
from app.scheduling.policies import Can
from app.scheduling.queries.assignables import Assignable, list_assignables
from app.scheduling.queries.availability import next_free_times
from app.scheduling.queries.bookings import (
    Alongside,
    BookingCard,
    asked_alongside,
    list_bookings,
    list_history,
    with_claims,
)
from app.scheduling.queries.resources import list_instructors
from app.scheduling.rules import booking_words
from app.scheduling.rules.availability import clip, starts_within
from app.scheduling.rules.bookings import FURTHEST_AHEAD, LENGTHS, may_become
from app.scheduling.rules.checks import checks_of, notices_of
from app.scheduling.rules.opening import is_open_then, opened_between
from app.scheduling.views import bp
from app.tenants.models import SchoolSettings
from app.tenants.queries import school_settings

SOURCES = ("web", "desk")
DEEDS = ("approval", "assignment", "decline", "cancellation", "completion")

nav.add(
    nav.Entry(
        _l("Bookings"), "scheduling.booking_index", "calendar-check", 22, Can.SEE_BOOKINGS, unless=Can.SEE_QUEUE,
        nouns=frozenset(DEEDS),
    )
)  # fmt: skip


@bp.app_template_filter("local_day")
def local_day(instant: datetime) -> str:
    """The calendar day of an instant for the reader, as addresses write it: 2026-11-23."""
    return instant.astimezone(ZoneInfo(formats.reader_zone())).date().isoformat()


for word in (
    booking_words.status_word, booking_words.status_state, booking_words.status_icon, booking_words.activity_word,
    booking_words.source_word, booking_words.length_word, booking_words.deed_word,
):  # fmt: skip
    bp.add_app_template_filter(word, word.__name__)


@bp.get("/bookings")
@requires(Can.SEE_BOOKINGS)
def booking_index() -> Any:
    soonest = {"soonest": _("Soonest first"), "latest": _("Latest first"), "asked": _("Newest request first")}
    latest = {name: soonest[name] for name in ("latest", "soonest", "asked")}
    query = list_query(
        sorts=latest if request.args.get("when") == "past" else soonest,
        when={"coming": _("Coming"), "past": _("Past"), "all": _("All")},
        status={status: booking_words.status_word(status).capitalize() for status in STATUSES},
        source={source: booking_words.source_word(source) for source in SOURCES},
    )
    return page(
        "scheduling/booking_index.html", bookings=list_bookings(query, actor=current_user), query=query,
        all_of_school=current_user.may(Can.LIST_ALL_BOOKINGS), staff=current_user.may(Can.SEE_ALL_BOOKINGS),
        may_request=current_user.may(Can.REQUEST),
    )  # fmt: skip


@bp.get("/bookings/new")
@requires(Can.REQUEST)
def booking_new() -> Any:
    form = _booking_form(formdata=None)
    form.suggest(_instant(request.args.get("at", "")) or _next_opening())
    _prefill(form, ("minutes", "instructor", "activity"))
    return _booking_form_page(form)


@bp.post("/bookings")
@requires(Can.REQUEST)
@once
def booking_create() -> Any:
    _spend_request()
    form = _booking_form()
    if booking := form.carry_out(lambda: _request(form)):
        return reply(url_for("scheduling.booking_show", booking_id=booking.id), said=_("Your request is in."))
    return _booking_form_page(form)


def _spend_request() -> None:
    """A learner asks so many times an hour; the desk enters as many as there are."""
    if current_user.roles == {Role.LEARNER}:
        who = ("booking-request", str(tenancy.required().id), str(current_user.membership_id))
        limits.spend(current_app.config["SETTINGS"].booking_request_limit, *who)


@bp.get("/bookings/<int:booking_id>")
@requires(Can.SEE_BOOKINGS)
def booking_show(booking_id: int) -> Any:
    return booking_page(access(Booking, booking_id, *with_claims()))


@bp.get(f"/bookings/<int:booking_id>/<any({', '.join(DEEDS)}):deed>")
@requires(Can.SEE_BOOKINGS)
def booking_deed(booking_id: int, deed: str) -> Any:
    """A deed is posted; whoever opens its address is shown the booking."""
    return redirect(url_for("scheduling.booking_show", booking_id=access(Booking, booking_id).id), 303)


@bp.post("/bookings/<int:booking_id>/cancellation")
@requires(Can.CANCEL)
def cancellation_create(booking_id: int) -> Any:
    booking = access(Booking, booking_id, *with_claims())
    form = CancellationForm(booking)
    if form.carry_out(lambda: cancel_booking(booking, reason=form.reason.data or "", actor=current_user)):
        return reply(
            url_for("scheduling.booking_show", booking_id=booking.id), said=_("Cancelled. The time is free again.")
        )
    return booking_page(booking, form)


@bp.post("/bookings/<int:booking_id>/completion")
@requires(Can.COMPLETE)
def completion_create(booking_id: int) -> Any:
    booking = access(Booking, booking_id, *with_claims())
    form = CompletionForm(booking)
    if form.carry_out(lambda: complete_booking(booking, actor=current_user)):
        return reply(url_for("scheduling.booking_show", booking_id=booking.id), said=_("Completed."))
    return booking_page(booking, form)


def booking_page(booking: Booking, refused: DeedForm | None = None) -> Any:
    """The page of one booking; with a form that was refused or invalid, its sentence and what was typed."""
    if refused:
        booking = session.get_one(Booking, booking.id, options=with_claims(), populate_existing=True)
    waits, staff = booking.waits_for_admin, current_user.may(Can.SEE_ALL_BOOKINGS)
    alongside = asked_alongside(booking) if waits else Alongside(0, ())
    card = card_of(booking, alongside.others)
    assignables = list_assignables([booking]) if waits else []
    is_open = alongside.settings is None or is_school_open(card, alongside.settings)
    return page(
        "scheduling/booking_show.html", booking=booking, card=card, refused=refused, staff=staff,
        status=refused.status if refused else 200, forms=_deed_forms(booking, card, assignables, refused),
        checks=checks_of(card, assignables, is_open=is_open) if waits and staff else [],
        notices=[] if staff or not waits else notices_of(card, assignables, alongside, is_open=is_open),
        history=list_history(booking.id) if staff else [], may_request=current_user.may(Can.REQUEST),
    )  # fmt: skip


def card_of(booking: Booking, rivals: int = 0) -> BookingCard:
    """The card of a booking whose claims are loaded."""
    by_role = {claim.role: claim.resource for claim in booking.claims}
    instructor, craft = by_role.get("instructor"), by_role.get("aircraft") or by_role.get("simulator")
    return BookingCard(
        booking.id, booking.status, booking.starts_at, booking.ends_at, booking.activity, booking.source, booking.note,
        booking.reason, booking.requested_at, booking.escalated_at, booking.escalations, booking.learner_id,
        by_role["learner"].name, instructor.id if instructor else None, instructor.name if instructor else None,
        craft.id if craft else None, craft.name if craft else None, rivals,
    )  # fmt: skip


def _deed_forms(
    booking: Booking, card: BookingCard, assignables: list[Assignable], refused: DeedForm | None
) -> dict[str, DeedForm]:
    """The forms of what this person may do to the booking now, by deed."""
    decides = current_user.may(Can.DECIDE) and booking.waits_for_admin
    forms = decision_forms(card, assignables, refused) if decides else {}
    if _may_complete(booking):
        forms["completion"] = CompletionForm(booking, formdata=None)
    own = booking.learner_id == current_user.membership_id
    if _may_cancel(booking) and (own or not decides):
        posted = isinstance(refused, CancellationForm)
        forms["cancellation"] = refused if refused and posted else CancellationForm(booking, formdata=None)
    return forms


def _may_complete(booking: Booking) -> bool:
    begun = booking.starts_at <= clock.now()
    return begun and may_become(booking.status, "completed") and may(current_user, Can.COMPLETE, booking)


def _may_cancel(booking: Booking) -> bool:
    too_late = booking.starts_at <= clock.now() and not current_user.may(Can.SEE_ALL_BOOKINGS)
    return not too_late and may_become(booking.status, "cancelled") and may(current_user, Can.CANCEL, booking)


def _booking_form(**kwargs: Any) -> BookingForm:
    return BookingForm(zone=formats.reader_zone(), instructors=_instructors(), **kwargs)


def _instructors() -> list[Any]:
    return [one for one in list_instructors() if one.membership_id != current_user.membership_id]


def _request(form: BookingForm) -> Booking:
    member = session.get_one(Membership, current_user.membership_id)
    wished = session.get_one(Resource, form.instructor.data) if form.instructor.data else None
    assert form.starts_at
    return request_booking(
        learner=member, starts_at=form.starts_at, minutes=form.minutes.data, wished_instructor=wished,
        activity=form.activity.data, note=form.note.data or "", actor=current_user,
    )  # fmt: skip


def _booking_form_page(form: BookingForm) -> Any:
    """The request form with the next free times of the instructor chosen, or of whom the refusal speaks."""
    slots = list(getattr(form.refused, "next_free", ()))
    if not slots and form.instructor.data and form.minutes.data in LENGTHS:
        slots = next_free_times([form.instructor.data], minutes=form.minutes.data, after=clock.now(), limit=6)
    return page(
        "scheduling/booking_new.html", partial="scheduling/_booking_form.html", form=form, slots=slots,
        status=form.status,
    )  # fmt: skip


def _prefill(form: BookingForm, names: tuple[str, ...]) -> None:
    """Take over what a link says of the booking wanted; what is no choice is left at its usual value."""
    for name in names:
        field = form[name]
        given = request.args.get(name, "")
        if given in {str(value) for value, _word in field.choices}:
            field.data = field.coerce(given)


def is_school_open(card: BookingCard, settings: SchoolSettings) -> bool:
    """Whether the school in force is open all the while that a booking takes."""
    zone = tenancy.required().zone
    return is_open_then(settings.opening_hours, settings.closed_days, card.starts_at, card.ends_at, zone)


def _next_opening() -> datetime:
    """From this time tomorrow on, the next quarter hour at which the school is open for a usual lesson, if it is at all."""
    tomorrow, settings = clock.now() + timedelta(days=1), school_settings()
    span = (tomorrow, tomorrow + timedelta(days=14))
    opened = opened_between(settings.opening_hours, settings.closed_days, *span, tenancy.required().zone)
    return next(starts_within([*clip(opened, *span), span], USUAL_MINUTES))


def _instant(text: str) -> datetime | None:
    """The instant of an ISO address parameter in UTC; none if it is not one, or lies where nothing can be booked."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo and abs(at - clock.now()) < 2 * FURTHEST_AHEAD else None
