"""What each deed on a booking does, leaves in the trail, announces and refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from app.audit.queries import list_entries_about
from app.foundation import clock
from app.foundation.db import session
from app.foundation.formats import clock_time
from app.foundation.models import Job, OutboxEvent
from app.foundation.refusals import Refusal
from app.scheduling.models import Booking, Claim
from app.scheduling.operations.claims import NotPossible, SlotTaken
from app.scheduling.operations.deciding import approve_booking, assign_booking, decline_booking
from app.scheduling.operations.ending import cancel_booking, complete_booking
from app.scheduling.operations.requesting import NotARequest
from app.scheduling.queries.bookings import asked_alongside, list_taken
from tests.cast import ADA, ANA, BEA, BO, LEO, MIA, OLGA, actor, at_school, member
from tests.scheduling.booking_makers import (
    aircraft,
    an_hour,
    make_assigned,
    make_request,
    move_to_the_past,
    person,
    states,
    work_only,
)


@pytest.fixture(autouse=True)
def skyline(app: Flask) -> Iterator[None]:
    with at_school("skyline"):
        yield


def announced() -> list[str]:
    session.flush()
    return [
        event.name for event in session.query(OutboxEvent).order_by(OutboxEvent.id) if "booking_id" in event.payload
    ]


def trail(booking: Booking) -> list[tuple[str, str | None, str | None]]:
    session.flush()
    entries = reversed(list_entries_about("Booking", booking.id))
    return [(e.action, (e.before or {}).get("status"), (e.after or {}).get("status")) for e in entries]


# -- asking --------------------------------------------------------------------------------------------------------


def test_a_request_claims_learner_and_instructor_softly_and_is_told() -> None:
    before = len(announced())
    booking = make_request(note="Steep turns")
    assert booking.status == "requested"
    assert booking.ends_at - booking.starts_at == timedelta(minutes=60)
    assert states(booking) == {"learner": "soft", "instructor": "soft"}
    assert trail(booking) == [("booking.requested", None, "requested")]
    assert announced()[before:] == ["BookingRequested"]
    job = session.query(Job).filter(Job.key.endswith(f"escalate:{booking.id}:1")).one()
    assert job.run_at - booking.requested_at == timedelta(hours=4)


def test_the_trail_keeps_no_words_of_the_note() -> None:
    booking = make_request(note="I feel ill")
    entry = list_entries_about("Booking", booking.id)[0]
    assert "ill" not in str(entry.after)


def test_many_may_ask_for_one_hour_and_each_is_told() -> None:
    first = make_request(LEO)
    second = make_request(MIA, at=an_hour() + timedelta(minutes=30))
    elsewhere = make_request(LEO, at=an_hour(days=1))
    with_olga = make_request(LEO, wished=OLGA)
    assert [asked_alongside(one).others for one in (first, second, elsewhere, with_olga)] == [1, 1, 0, 0]


def test_whoever_has_no_wish_rivals_everybody_at_that_time() -> None:
    make_request(LEO)
    anyone = make_request(MIA, wished=None)
    assert states(anyone) == {"learner": "soft"}
    assert asked_alongside(anyone).others == 1


def test_a_learner_may_ask_for_alternatives_at_one_time() -> None:
    first = make_request(LEO, wished=BEA)
    later = make_request(LEO, wished=None, at=an_hour() + timedelta(minutes=45))
    second = make_request(LEO, wished=BO)
    cancel_booking(make_request(LEO, wished=OLGA), reason="", actor=actor(LEO))
    make_request(LEO, wished=OLGA, at=an_hour() + timedelta(minutes=105))
    make_request(MIA, wished=OLGA)
    own = asked_alongside(second).own
    assert [(one.starts_at, one.ends_at, one.instructor) for one in own] == [
        (first.starts_at, first.ends_at, "Bea Lindgren"),
        (later.starts_at, later.ends_at, None),
    ]


def test_a_learner_who_is_booked_then_is_refused_with_the_next_free_times() -> None:
    approve_booking(make_request(minutes=90), actor=actor(ANA))
    with pytest.raises(SlotTaken) as refused:
        make_request(LEO, at=an_hour() + timedelta(minutes=60), wished=None)
    assert "You are booked then" in refused.value.sentence
    assert "The next free one is " in refused.value.sentence
    assert refused.value.next_free[0] == an_hour() + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"minutes": 15}, "30 to 180"),
        ({"minutes": 195}, "30 to 180"),
        ({"minutes": 40}, "steps of 15"),
        ({"at": an_hour() + timedelta(minutes=10)}, "quarter hour"),
        ({"at": an_hour() - timedelta(days=90)}, "passed"),
        ({"at": an_hour(days=150)}, "180 days"),
        ({"activity": "party"}, "from the list"),
        ({"wished": ADA}, "instructor"),
    ],
)
def test_what_can_be_no_booking_is_refused_by_the_deed(what: dict[str, object], sentence: str) -> None:
    with pytest.raises(NotARequest, match=sentence):
        make_request(**what)  # type: ignore[arg-type]


def test_nobody_asks_for_themself() -> None:
    with pytest.raises(NotARequest):
        make_request(BO, wished=BO)


# -- deciding ------------------------------------------------------------------------------------------------------


def test_approving_makes_firm_what_is_known() -> None:
    booking = make_request()
    before = len(announced())
    approve_booking(booking, actor=actor(ANA))
    assert booking.status == "approved"
    assert booking.decided_by_id == actor(ANA).membership_id
    assert states(booking) == {"learner": "firm", "instructor": "firm"}
    assert trail(booking)[-1] == ("booking.approved", "requested", "approved")
    assert announced()[before:] == ["BookingApproved"]
    assert session.query(Job).filter(Job.key.endswith(f"escalate:{booking.id}:2")).count() == 1


def test_nobody_is_booked_who_does_not_teach_any_more() -> None:
    booking = make_request(wished=BO)
    member(BO).status = "suspended"
    session.flush()
    with pytest.raises(NotPossible, match="does not teach here now"):
        approve_booking(booking, actor=actor(ANA))
    assert booking.status == "requested"
    assert states(booking) == {"learner": "soft", "instructor": "soft"}


def test_nothing_is_held_for_a_learner_who_is_not_let_in() -> None:
    booking = make_request()
    member(LEO).status = "suspended"
    session.flush()
    with pytest.raises(NotPossible, match="Leo Hart is not let in at the school now"):
        approve_booking(booking, actor=actor(ANA))
    with pytest.raises(NotPossible, match="Leo Hart is not let in at the school now"):
        assign_booking(booking, instructor=person(BEA), aircraft=aircraft(), actor=actor(ANA))
    assert booking.status == "requested"
    assert states(booking) == {"learner": "soft", "instructor": "soft"}
    assert decline_booking(booking, reason="Speak with the office first.", actor=actor(ANA)).status == "declined"


def test_assigning_makes_everything_firm() -> None:
    booking = approve_booking(make_request(), actor=actor(ANA))
    before = len(announced())
    assign_booking(booking, instructor=person(OLGA), aircraft=aircraft(), actor=actor(ANA))
    assert booking.status == "assigned"
    assert states(booking) == {"learner": "firm", "instructor": "firm", "aircraft": "firm"}
    assert [c.resource.name for c in booking.claims if c.role == "instructor"] == ["Olga Marsh"]
    assert trail(booking)[-1] == ("booking.assigned", "approved", "assigned")
    assert announced()[before:] == ["BookingAssigned"]
    assert list_taken([person(BEA).id], booking.starts_at, booking.ends_at) == []


def test_a_request_is_approved_and_assigned_in_one() -> None:
    booking = make_assigned()
    assert booking.approved_at == booking.assigned_at
    assert trail(booking)[-1] == ("booking.assigned", "requested", "assigned")


@pytest.mark.parametrize(("activity", "kind"), [("dual_flight", "simulator"), ("simulator", "aircraft")])
def test_a_flight_needs_an_aircraft_and_a_simulator_session_its_simulator(activity: str, kind: str) -> None:
    booking = make_request(activity=activity)
    for craft in (None, aircraft("X1", kind)):
        with pytest.raises(NotPossible, match="Choose one"):
            assign_booking(booking, instructor=person(BEA), aircraft=craft, actor=actor(ANA))
    assert booking.status == "requested"


@pytest.mark.parametrize("activity", ["ground", "briefing"])
def test_a_lesson_on_the_ground_needs_none(activity: str) -> None:
    booking = make_request(activity=activity)
    assign_booking(booking, instructor=person(BEA), aircraft=None, actor=actor(ANA))
    assert states(booking) == {"learner": "firm", "instructor": "firm"}


def test_only_somebody_who_teaches_can_be_assigned_and_nobody_to_themself() -> None:
    booking = make_request(activity="ground")
    with pytest.raises(NotPossible, match="does not teach"):
        assign_booking(booking, instructor=person(ADA), aircraft=None, actor=actor(ANA))
    with pytest.raises(NotPossible, match="themself"):
        assign_booking(booking, instructor=person(LEO), aircraft=None, actor=actor(ANA))


def test_an_aircraft_out_of_service_cannot_be_assigned() -> None:
    retired = aircraft("N9OLD")
    retired.retired_at = clock.now()
    with pytest.raises(NotPossible, match="cannot be booked"):
        assign_booking(make_request(), instructor=person(BEA), aircraft=retired, actor=actor(ANA))


def test_the_loser_of_an_hour_reads_what_is_taken_and_what_is_next() -> None:
    work_only(BEA, 9 * 60, 17 * 60)
    approve_booking(make_request(LEO, minutes=45), actor=actor(ANA))
    late = make_request(MIA)
    with pytest.raises(SlotTaken) as refused:
        approve_booking(late, actor=actor(ANA))
    clock_at = clock_time(an_hour() + timedelta(minutes=45), "America/Los_Angeles")
    assert refused.value.sentence == (
        f"That slot was booked a moment ago. The next free one is {clock_at}. Taken: Bea Lindgren."
    )
    assert refused.value.next_free == tuple(an_hour() + timedelta(minutes=45 + 15 * n) for n in range(3))
    assert states(late) == {"learner": "soft", "instructor": "soft"}
    assert late.status == "requested"


def test_one_aircraft_flies_once_at_a_time() -> None:
    make_assigned(LEO)
    with pytest.raises(SlotTaken, match="N1TEST"):
        assign_booking(make_request(MIA, wished=OLGA), instructor=person(OLGA), aircraft=aircraft(), actor=actor(ANA))


def test_back_to_back_is_no_collision() -> None:
    make_assigned(LEO)
    after = make_request(MIA, at=an_hour() + timedelta(minutes=60))
    assert assign_booking(after, instructor=person(BEA), aircraft=aircraft(), actor=actor(ANA)).status == "assigned"


def test_the_database_has_the_last_word() -> None:
    """The check before it is stepped over, as by a rival that commits in between: the constraint refuses, the deed says so."""
    from app.scheduling.operations import claims

    approve_booking(make_request(LEO), actor=actor(ANA))
    late = make_request(MIA)
    blind: Callable[..., list[object]] = lambda *_args, **_more: []  # noqa: E731
    seeing, claims.list_taken = claims.list_taken, blind  # type: ignore[assignment]
    try:
        with pytest.raises(SlotTaken, match="a moment ago"):
            approve_booking(late, actor=actor(ANA))
    finally:
        claims.list_taken = seeing
    assert states(late) == {"learner": "soft", "instructor": "soft"}


def test_declining_needs_a_reason_and_releases() -> None:
    booking = approve_booking(make_request(), actor=actor(ANA))
    with pytest.raises(NotPossible, match="reason"):
        decline_booking(booking, reason="  ", actor=actor(ANA))
    before = len(announced())
    decline_booking(booking, reason="Runway closed", actor=actor(ANA))
    assert (booking.status, booking.reason) == ("declined", "Runway closed")
    assert set(states(booking).values()) == {"released"}
    assert trail(booking)[-1] == ("booking.declined", "approved", "declined")
    assert announced()[before:] == ["BookingDeclined"]


def test_a_past_request_can_only_be_declined() -> None:
    booking = move_to_the_past(make_request())
    for deed in (
        lambda: approve_booking(booking, actor=actor(ANA)),
        lambda: assign_booking(booking, instructor=person(BEA), aircraft=aircraft(), actor=actor(ANA)),
    ):
        with pytest.raises(NotPossible, match="passed"):
            deed()
    assert decline_booking(booking, reason="Too late", actor=actor(ANA)).status == "declined"


# -- ending --------------------------------------------------------------------------------------------------------


def test_cancelling_frees_the_hour_at_once() -> None:
    booking = make_assigned(LEO)
    before = len(announced())
    cancel_booking(booking, reason="", actor=actor(LEO))
    assert booking.status == "cancelled"
    assert booking.reason
    assert set(states(booking).values()) == {"released"}
    assert trail(booking)[-1] == ("booking.cancelled", "assigned", "cancelled")
    assert announced()[before:] == ["BookingCancelled"]
    assert make_assigned(MIA).status == "assigned"


def test_a_learner_cancels_until_it_begins_and_staff_after() -> None:
    booking = move_to_the_past(make_assigned(LEO), hours=1)
    with pytest.raises(NotPossible, match="has begun"):
        cancel_booking(booking, reason="Ill", actor=actor(LEO))
    assert cancel_booking(booking, reason="Ill", actor=actor(BEA)).status == "cancelled"


def test_completing_keeps_the_claims_and_waits_for_the_beginning() -> None:
    booking = make_assigned()
    with pytest.raises(NotPossible, match="not begun"):
        complete_booking(booking, actor=actor(BEA))
    move_to_the_past(booking)
    before = len(announced())
    complete_booking(booking, actor=actor(BEA))
    assert booking.status == "completed"
    assert set(states(booking).values()) == {"firm"}
    assert trail(booking)[-1] == ("booking.completed", "assigned", "completed")
    assert announced()[before:] == ["BookingCompleted"]


# -- what is refused -----------------------------------------------------------------------------------------------

DEEDS: dict[str, Callable[[Booking], Booking]] = {
    "approved": lambda b: approve_booking(b, actor=actor(ANA)),
    "assigned": lambda b: assign_booking(b, instructor=person(BEA), aircraft=aircraft(), actor=actor(ANA)),
    "declined": lambda b: decline_booking(b, reason="No", actor=actor(ANA)),
    "cancelled": lambda b: cancel_booking(b, reason="No", actor=actor(ANA)),
    "completed": lambda b: complete_booking(b, actor=actor(ANA)),
}
ALLOWED = {
    ("requested", "approved"), ("requested", "assigned"), ("requested", "declined"), ("requested", "cancelled"),
    ("approved", "assigned"), ("approved", "declined"), ("approved", "cancelled"),
    ("assigned", "completed"), ("assigned", "cancelled"),
}  # fmt: skip


def in_status(status: str) -> Booking:
    booking = make_request()
    if status == "completed":
        return DEEDS["completed"](move_to_the_past(DEEDS["assigned"](booking)))
    return booking if status == "requested" else DEEDS[status](booking)


@pytest.mark.parametrize("status", ["requested", *DEEDS])
@pytest.mark.parametrize("wanted", DEEDS)
def test_every_transition_is_allowed_or_refused(status: str, wanted: str) -> None:
    booking = in_status(status)
    if wanted == "completed" and status == "assigned":
        move_to_the_past(booking)
    claims = states(booking)
    if (status, wanted) in ALLOWED:
        assert DEEDS[wanted](booking).status == wanted
        return
    before = len(announced())
    with pytest.raises(Refusal):
        DEEDS[wanted](booking)
    assert booking.status == status
    assert states(booking) == claims
    assert announced()[before:] == []


def test_no_deed_leaves_two_firm_claims_on_one_time() -> None:
    make_assigned(LEO)
    clashing = session.query(Claim).filter(Claim.state == "firm", Claim.resource_id == aircraft().id).count()
    assert clashing == 1
