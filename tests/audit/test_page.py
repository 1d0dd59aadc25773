"""The admins' page: who sees it, what its filters find, and how an entry reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from app.audit.models import AuditEntry
from app.audit.operations import audit
from app.courses.models import Course
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.tenants.models import Department
from tests.cast import ADA, ANA, BEA, HAL, LEO, MAX, actor, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.scheduling.bookings import make_booking


def record(action: str, who: object = BEA, *, at: datetime | None = None, **over: object) -> AuditEntry:
    """An entry of Skyline, committed as far as the test goes."""
    with at_school("skyline"), time_machine.travel(at or clock.now(), tick=False):
        person = who if isinstance(who, Actor) else actor(who)  # type: ignore[arg-type]
        audit(action, actor=person, subject=over.pop("subject", None) or member(LEO), **over)  # type: ignore[arg-type]
        session.commit()
        return session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()  # type: ignore[return-value]


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


def lines(page: Page) -> list[str]:
    """The closed lines of the trail, in their order."""
    return [" ".join("".join(summary.itertext()).split()) for summary in page.find_all(".//ol//summary")]


def test_an_admin_reads_what_was_done(app: Flask, ana: LintingClient) -> None:
    record("booking.approved", before={"status": "requested", "phone": "1"}, after={"status": "approved", "phone": "2"})
    page = ana.get("/skyline/audit")
    assert page.h1 == "Audit trail"
    assert "Booking approved Leo Hart Bea Lindgren" in lines(page)[0]
    assert "Status requested approved" in page.text
    assert "Phone changed changed" in page.text
    assert "Signed in Ana Ruiz Ana Ruiz" in lines(page)[1]
    assert "127.0.0.1" in page.text
    assert "/skyline/audit" in LintingClient(app).sign_in(ANA).get("/skyline/school").links().values()


@pytest.mark.parametrize("path", ["/skyline/audit", "/skyline/audit.csv", "/skyline/audit.jsonl"])
def test_the_litany(app: Flask, path: str) -> None:
    assert LintingClient(app).sign_in(ANA).get(path).status == 200
    for person in (MAX, BEA, ADA, LEO):
        assert LintingClient(app).sign_in(person).get(path).status == 403, person
    assert LintingClient(app).sign_in(HAL).get(path).status == 404
    assert LintingClient(app).get(path).status == 303
    assert LintingClient(app).sign_in(ANA).post(path).status == 405


def test_each_school_reads_its_own(app: Flask, ana: LintingClient) -> None:
    record("booking.approved")
    there = LintingClient(app).sign_in(HAL).get("/harbour/audit")
    assert there.status == 200
    assert not [line for line in lines(there) if "Booking approved" in line or "Bea" in line]


def test_filters_find_by_person_action_and_subject(app: Flask, ana: LintingClient) -> None:
    record("booking.approved", BEA)
    record("booking.declined", MAX)
    with at_school("skyline"):
        leo, bea = member(LEO).id, member(BEA).id

    def found(**over: object) -> list[str]:
        page = ana.get("/skyline/audit").form("Apply").fill(over).submit()
        assert page.status == 200
        return [line.split(" ", 5)[-1] for line in lines(page)]

    assert found(person="lindg") == ["Booking approved Leo Hart Bea Lindgren"]
    assert found(person="LINDG", action="booking.declined") == []
    assert len(found(person="%")) == 0
    assert found(action="booking.declined") == ["Booking declined Leo Hart Max Abara"]
    assert set(found(subject="Membership", number=leo)) >= {"Booking declined Leo Hart Max Abara"}
    page = ana.get(f"/skyline/audit?member={bea}")
    assert [line.split(" ", 5)[-1] for line in lines(page)] == ["Booking approved Leo Hart Bea Lindgren"]
    assert "Only what Bea Lindgren did" in page.text
    assert page.link("Show everybody").follow().status == 200


def test_days_are_the_schools_days(app: Flask, ana: LintingClient) -> None:
    """23:30 on the 9th in Los Angeles is the 10th in Greenwich."""
    record("night.flown", at=datetime(2026, 11, 10, 7, 30, tzinfo=UTC))
    record("day.flown", at=datetime(2026, 11, 10, 8, 0, tzinfo=UTC))
    on_the_9th = ana.get("/skyline/audit?since=2026-11-09&until=2026-11-09")
    on_the_10th = ana.get("/skyline/audit?since=2026-11-10&until=2026-11-10")
    assert [line.split("PST ")[1].split(" Leo")[0] for line in lines(on_the_9th)] == ["Night flown"]
    assert [line.split("PST ")[1].split(" Leo")[0] for line in lines(on_the_10th)] == ["Day flown"]
    assert "Mon 9 Nov, 23:30 PST" in on_the_9th.text
    assert "2026-11-09 23:30:00.000 PST" in on_the_9th.text


def test_one_request_is_found_by_its_code_and_one_address_by_itself(app: Flask, ana: LintingClient) -> None:
    page = ana.get("/skyline/audit")
    code = next(words for words in page.links() if len(words) == 32)
    assert len(lines(ana.get(f"/skyline/audit?code={code}"))) == 1
    assert len(lines(ana.get("/skyline/audit?address=127.0.0.1"))) >= 1
    assert lines(ana.get("/skyline/audit?address=10.9.9.9")) == []
    assert "Nothing like that was done" in ana.get("/skyline/audit?address=10.9.9.9").text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=yesterday", "Not a valid date value."),
        ("since=2026-11-10&until=2026-11-09", "The last day is before the first."),
        ("until=9999-12-31", "Choose a day of this century."),
        ("since=0001-01-01", "Choose a day of this century."),
        ("number=x", "Not a valid integer value."),
        (f"number={2**64}", "Number must be between"),
        ("person=" + "x" * 200, "longer than 100"),
    ],
)
def test_a_filter_that_makes_no_sense_is_shown_with_what_to_mend(ana: LintingClient, query: str, sentence: str) -> None:
    page = ana.get(f"/skyline/audit?{query}")
    assert page.status == 422
    assert "Nothing was saved" not in page.text
    assert sentence in page.text
    assert ana.get(f"/skyline/audit.csv?{query}").status == 400


def test_broken_cursors_and_odd_bytes_are_no_accident(ana: LintingClient) -> None:
    assert ana.get("/skyline/audit?cursor=nonsense").status == 400
    for field in ("person", "action", "subject", "code", "address"):
        assert ana.get(f"/skyline/audit?{field}=%00%F0%9F%92%A9'--").status in (200, 422)


def test_pages_follow_each_other_without_gap_or_double(app: Flask, ana: LintingClient) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for n in range(60):
        record(f"step{n:02}.done", at=start + timedelta(minutes=n // 3))
    page = ana.get("/skyline/audit?until=2026-11-02")
    seen = lines(page)
    while "Next" in page.links():
        page = page.link("Next").follow()
        assert "Previous" in page.links()
        seen += lines(page)
    steps = [line.split("Step")[1][:2] for line in seen if "Step" in line]
    assert steps == [f"{n:02}" for n in reversed(range(60))]


def test_acting_as_another_names_both(app: Flask, ana: LintingClient) -> None:
    with at_school("skyline"):
        leo, max_ = member(LEO).id, member(MAX).id
    acting = Actor(user_id=1, membership_id=leo, real_membership_id=max_, acting_until=clock.now())
    entry = record("booking.requested", acting)
    assert (entry.actor_id, entry.on_behalf_of_id) == (max_, leo)
    assert "Booking requested Leo Hart Max Abara as Leo Hart" in lines(ana.get("/skyline/audit"))[0]
    for person in ("abara", "leo hart"):
        assert "as Leo Hart" in lines(ana.get(f"/skyline/audit?person={person}&action=booking.requested"))[0]


def test_an_operator_is_named_on_the_platforms_trail(app: Flask, ana: LintingClient) -> None:
    from app.audit.models import PlatformEntry

    with at_school("skyline"):
        leo = member(LEO).id
    entry = record(
        "booking.requested", Actor(user_id=77, membership_id=leo, is_operator=True, acting_until=clock.now())
    )
    assert (entry.actor_id, entry.on_behalf_of_id) == (None, leo)
    assert entry.operator_id == 77
    assert "An operator (77) as Leo Hart" in lines(ana.get("/skyline/audit"))[0]
    noted = session.query(PlatformEntry).filter_by(action="booking.requested").one()
    assert (noted.user_id, noted.school_id, noted.email_hash) == (77, entry.tenant_id, None)
    assert (noted.on_behalf_of_id, noted.subject_type, noted.subject_id) == (leo, "Membership", leo)


def test_an_export_is_recorded_without_what_was_looked_for(app: Flask, ana: LintingClient) -> None:
    for ending in ("csv", "jsonl"):
        assert ana.get(f"/skyline/audit.{ending}?person=leo&since=2026-01-01").status == 200
    with at_school("skyline"):
        found = session.query(AuditEntry).filter_by(action="trail.exported").order_by(AuditEntry.id).all()
        assert [entry.after for entry in found] == [
            {"kind": "csv", "filters": ["person", "since"]},
            {"kind": "jsonl", "filters": ["person", "since"]},
        ]
        assert {entry.actor_id for entry in found} == {member(ANA).id}


def test_values_read_as_people_say_them(app: Flask, ana: LintingClient) -> None:
    record(
        "booking.moved",
        before={"starts_at": "2026-11-24T17:00:00+00:00", "is_open": True, "department_id": None},
        after={
            "starts_at": "2026-11-24T18:00:00+00:00",
            "is_open": False,
            "department_id": 1000000003,
            "tags": ["a", "b"],
            "opening_hours": {"6": [600, 1440], "0": [480, 1050]},
        },
    )
    text = ana.get("/skyline/audit?action=booking.moved").text
    assert "Starts at Tue 24 Nov, 09:00 PST 2026 Tue 24 Nov, 10:00 PST 2026" in text
    assert "Is open yes no" in text
    assert "Department – 1000000003" in text
    assert "Tags – a, b" in text
    assert "Opening hours – Monday 08:00–17:30, Sunday 10:00–24:00" in text


def test_records_are_called_by_their_names_and_not_by_numbers(app: Flask, ana: LintingClient) -> None:
    with at_school("skyline"):
        booking = make_booking(LEO, datetime(2027, 6, 15, 16, tzinfo=UTC), 60, BEA, "N123AB")
        bea = next(claim.resource_id for claim in booking.claims if claim.role == "instructor")
        flight = session.query(Department).order_by(Department.id).first()
        course = session.query(Course).filter_by(slug="weather-for-pilots").one()
        assert flight
        session.flush()
    after = {"takes": [bea], "wished_instructor_id": bea, "department_id": flight.id, "primary_instructor_id": 10**9}
    record("booking.assigned", subject=booking, after=after)
    record("course.published", subject=course)
    page = ana.get("/skyline/audit")
    assert "Course published Weather for Private Pilots" in lines(page)[0]
    assert "Booking assigned Tue 15 Jun, 09:00 PDT 2027" in lines(page)[1]
    assert "Takes – Bea Lindgren" in page.text
    assert "Wished instructor – Bea Lindgren" in page.text
    assert f"Department – {flight.name}" in page.text
    assert f"Primary instructor – {10**9}" in page.text  # Who is gone, or of another school, has only a number.


def test_text_from_people_stays_text(app: Flask, ana: LintingClient) -> None:
    record("booking.moved", after={"title": "<script>alert(1)</script>"})
    page = ana.get("/skyline/audit")
    assert "<script>alert(1)" not in page.html
    assert "<script>alert(1)</script>" in page.text


def test_a_page_takes_few_statements_however_many_people_it_names(app: Flask, ana: LintingClient) -> None:
    for who in (BEA, MAX, ADA, LEO):
        record("booking.approved", who)
    with at_school("skyline"):
        course = session.query(Course).first()
    record("course.published", subject=course, after={"department_id": 1, "takes": [1, 2]})
    ana.get("/skyline/audit")
    with count_statements() as sent:
        assert ana.get("/skyline/audit?person=a").status == 200
    assert len(sent) <= 6, sent


def test_a_partial_answer_holds_the_list(ana: LintingClient) -> None:
    page = ana.partial("/skyline/audit?person=ana")
    assert page.status == 200
    assert page.by_id("list") is not None
