"""Whatever is done in whatever order, no two firm claims overlap, and what ends early frees its time."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.foundation.db import session
from app.foundation.refusals import Refusal
from app.scheduling.models import Booking, Claim
from app.scheduling.operations.deciding import approve_booking, assign_booking, decline_booking
from app.scheduling.operations.ending import cancel_booking
from app.scheduling.queries.availability import next_free_times
from app.scheduling.queries.bookings import list_taken
from tests.cast import ANA, BEA, BO, LEO, MIA, OLGA, actor, at_school
from tests.scheduling.booking_makers import aircraft, an_hour, make_request, person

DEEDS = ("approve", "assign", "decline", "cancel")
requests = st.lists(
    st.tuples(st.sampled_from([LEO, MIA]), st.integers(0, 8), st.sampled_from([30, 60, 90]), st.sampled_from([BEA, BO, None])),
    min_size=2, max_size=5,
)  # fmt: skip
deeds = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(DEEDS), st.sampled_from([BEA, OLGA])), min_size=3, max_size=10
)


def do(deed: str, booking: Booking, instructor: object) -> None:
    try:
        with session.begin_nested():
            if deed == "approve":
                approve_booking(booking, actor=actor(ANA))
            elif deed == "assign":
                assign_booking(booking, instructor=person(instructor), aircraft=aircraft(), actor=actor(ANA))  # type: ignore[arg-type]
            elif deed == "decline":
                decline_booking(booking, reason="No", actor=actor(ANA))
            else:
                cancel_booking(booking, reason="", actor=actor(ANA))
    except Refusal:
        pass


def firm_overlaps() -> list[tuple[object, object]]:
    taken = defaultdict(list)
    rows = select(Claim.resource_id, func.lower(Claim.during), func.upper(Claim.during)).where(Claim.state == "firm")
    for resource_id, start, end in session.execute(rows):
        taken[resource_id].append((start, end))
    return [(one, two) for spans in taken.values() for one, two in pairwise(sorted(spans)) if two[0] < one[1]]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=requests, done=deeds)
def test_no_order_of_deeds_books_anything_twice(app: Flask, asked: list, done: list) -> None:  # type: ignore[type-arg]
    with at_school("skyline"), session.begin_nested() as attempt:
        bookings = []
        for learner, quarter, minutes, wished in asked:
            try:
                at = an_hour() + timedelta(minutes=15 * quarter)
                bookings.append(make_request(learner, at=at, minutes=minutes, wished=wished))
            except Refusal:
                continue
        for number, deed, instructor in done:
            if bookings:
                do(deed, bookings[number % len(bookings)], instructor)
        session.flush()
        assert firm_overlaps() == []
        for booking in bookings:
            states = {claim.state for claim in booking.claims}
            expected = {"requested": {"soft"}, "approved": {"firm"}, "assigned": {"firm"}}.get(
                booking.status, {"released"}
            )
            assert states == expected
        for booking in bookings:
            do("cancel", booking, None)
        session.flush()
        resources = [person(who).id for who in (LEO, MIA, BEA, OLGA)] + [aircraft().id]
        assert list_taken(resources, an_hour(), an_hour() + timedelta(hours=5)) == []
        assert next_free_times([aircraft().id], minutes=60, after=an_hour() - timedelta(minutes=15))[0] == an_hour()
        attempt.rollback()
