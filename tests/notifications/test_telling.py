"""What happens to a booking reaches the people it concerns: once in the app, once by mail, however often it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.foundation import db, jobs
from app.foundation.db import session, unit_of_work
from app.foundation.events import Event, announce
from app.foundation.models import Job
from app.identity.events import ActedAs, JoinRequested
from app.identity.models import Membership
from app.identity.queries import list_admin_ids
from app.notifications import operations
from app.notifications.models import Notification
from app.notifications.operations import notify
from app.notifications.queries import count_unread
from app.notifications.rules import words_of
from app.scheduling.events import (
    BookingApproved,
    BookingAssigned,
    BookingCancelled,
    BookingDeclined,
    BookingEscalated,
)
from app.scheduling.models import Booking
from app.scheduling.operations.deciding import assign_booking
from app.scheduling.operations.resources import ensure_person_resource
from app.tenants.queries import school_settings
from jobs import notifications as _jobs  # noqa: F401
from tests.cast import ANA, BEA, BO, HAL, LEO, MAX, OLGA, Person, actor, at_school, member
from tests.notifications.bookings import make_booking

SNAPSHOTS = Path(__file__).parent / "snapshots"


def happen(app: Flask, *events: Event) -> None:
    """Announce, relay, react and mail, as the worker does."""
    with app.app_context(), at_school("skyline") as school:
        with unit_of_work():
            for event in events:
                announce(event)
        jobs.drain_tenant(school.id)


def send_and_die(notification_id: int) -> None:
    """The worker is killed between handing the mail over and committing."""
    with unit_of_work():
        assert operations.mail_notification(notification_id)
        raise KeyboardInterrupt


def told(kind: str) -> list[int]:
    """The memberships that were told, in order."""
    return sorted(session.scalars(select(Notification.membership_id).where(Notification.kind == kind)))


def mails(folder: Path) -> list[str]:
    """Who got mail."""
    return sorted(message_from_bytes(f.read_bytes(), policy=policy.default)["To"] for f in folder.glob("*.eml"))


def booked(**over: object) -> tuple[int, dict[Person, int]]:
    """A booking at skyline: its id, and the memberships of the people who matter."""
    with at_school("skyline"), unit_of_work():
        booking = make_booking(**over)  # type: ignore[arg-type]
        return booking.id, {person: member(person).id for person in (ANA, BEA, LEO, OLGA)}


@pytest.mark.parametrize(
    ("status", "event", "kind"),
    [
        ("approved", BookingApproved, "booking.approved"),
        ("assigned", BookingAssigned, "booking.assigned"),
        ("cancelled", BookingCancelled, "booking.cancelled"),
    ],
)
def test_learner_and_instructor_are_told_once_however_often_it_is_announced(
    app: Flask, mailbox: Path, status: str, event: type[BookingApproved], kind: str
) -> None:
    booking_id, ids = booked(status=status, approved_at=None if status == "requested" else "2026-11-20T00:00Z")
    happen(app, event(booking_id=booking_id, actor_id=ids[ANA]))
    happen(app, event(booking_id=booking_id, actor_id=ids[ANA]), event(booking_id=booking_id, actor_id=ids[ANA]))
    with at_school("skyline"):
        assert told(kind) == sorted([ids[LEO], ids[BEA]])
    assert mails(mailbox) == [BEA.email, LEO.email]


def test_whoever_did_it_is_not_told(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked(status="cancelled", approved_at="2026-11-20T00:00Z")
    happen(app, BookingCancelled(booking_id=booking_id, actor_id=ids[LEO]))
    with at_school("skyline"):
        assert told("booking.cancelled") == [ids[BEA]]


def test_an_instructor_who_was_only_wished_for_is_not_told(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked(status="declined")
    happen(app, BookingDeclined(booking_id=booking_id, actor_id=ids[ANA]))
    with at_school("skyline"):
        assert told("booking.declined") == [ids[LEO]]


def test_an_escalation_reaches_each_active_admin_of_that_school_only(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked()
    happen(app, BookingEscalated(booking_id=booking_id, number=1))
    happen(app, BookingEscalated(booking_id=booking_id, number=1))
    with at_school("skyline"):
        assert told("booking.escalated") == sorted([ids[ANA], ids[OLGA]])
    with at_school("harbour"):
        assert session.scalars(select(Notification)).all() == []
        assert count_unread(member(HAL).id) == 0
    assert mails(mailbox) == [ANA.email, OLGA.email]


def name_whom_to_tell(*people: Person) -> None:
    with at_school("skyline"), unit_of_work():
        school_settings().escalate_to_ids = [member(person).id for person in people]


def test_an_escalation_reaches_whom_the_school_named_and_nobody_else(app: Flask, mailbox: Path) -> None:
    booking_id, _ids = booked()
    name_whom_to_tell(MAX, OLGA)
    happen(app, BookingEscalated(booking_id=booking_id, number=1), BookingEscalated(booking_id=booking_id, number=1))
    with at_school("skyline"):
        assert told("booking.escalated") == sorted([member(MAX).id, member(OLGA).id])
    assert mails(mailbox) == [MAX.email, OLGA.email]


def test_where_nobody_is_left_of_whom_the_school_named_the_admins_hear_of_it(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked()
    name_whom_to_tell(MAX)
    with at_school("skyline"), unit_of_work():
        session.execute(update(Membership).where(Membership.id == member(MAX).id).values(status="suspended"))
    happen(app, BookingEscalated(booking_id=booking_id, number=1))
    with at_school("skyline"):
        assert told("booking.escalated") == sorted([ids[ANA], ids[OLGA]])


def test_the_second_escalation_is_news_again(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked(status="approved")
    happen(app, BookingEscalated(booking_id=booking_id, number=1), BookingEscalated(booking_id=booking_id, number=2))
    with at_school("skyline"):
        assert told("booking.escalated") == sorted([ids[ANA], ids[OLGA]] * 2)


def test_an_admin_suspended_in_the_meantime_gets_neither_row_nor_mail(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked()
    with at_school("skyline"), unit_of_work():
        session.execute(update(Membership).where(Membership.id == ids[OLGA]).values(status="suspended"))
    happen(app, BookingEscalated(booking_id=booking_id, number=1))
    with at_school("skyline"):
        assert told("booking.escalated") == [ids[ANA]]


def test_a_person_suspended_after_the_row_gets_no_mail(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked(status="approved")
    with app.app_context(), at_school("skyline") as school:
        with unit_of_work():
            notify(ids[LEO], "booking.approved", cause="x", subject_id=booking_id, facts=facts_of(booking_id))
            session.execute(update(Membership).where(Membership.id == ids[LEO]).values(status="suspended"))
        jobs.drain_tenant(school.id)
    assert mails(mailbox) == []


def test_a_worker_that_dies_after_sending_sends_no_second_mail(app: Flask, mailbox: Path) -> None:
    booking_id, ids = booked(status="approved")
    with app.app_context(), at_school("skyline") as school:
        with unit_of_work():
            notify(ids[LEO], "booking.approved", cause="x", subject_id=booking_id, facts=facts_of(booking_id))
            made = session.scalars(select(Notification.id)).one()
        with pytest.raises(KeyboardInterrupt):
            send_and_die(made)
        first = [path.read_bytes() for path in mailbox.glob("*.eml")]
        assert session.scalars(select(Notification.mailed_at)).one() is None
        jobs.drain_tenant(school.id)
        assert session.scalars(select(Notification.mailed_at)).one() is not None
    assert [path.read_bytes() for path in mailbox.glob("*.eml")] == first
    assert len(first) == 1


def test_no_mail_is_promised_where_none_can_be_sent(app: Flask, mailbox: Path) -> None:
    from dataclasses import replace

    booking_id, ids = booked(status="approved")
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, demo=False, smtp_url="")
    try:
        happen(app, BookingApproved(booking_id=booking_id, actor_id=ids[ANA]))
        with at_school("skyline"):
            assert told("booking.approved") == sorted([ids[LEO], ids[BEA]])
            assert session.scalars(select(Job.id).where(Job.kind == "notifications.mail_notification")).all() == []
    finally:
        app.config["SETTINGS"] = settings


def test_what_a_job_wrote_before_it_builds_an_address_is_kept(app: Flask) -> None:
    """Building an absolute address must not end the session of the job in hand."""
    from app.foundation.mail import absolute_url

    with app.app_context(), at_school("skyline"):
        with unit_of_work():
            session.execute(update(Membership).where(Membership.id == member(LEO).id).values(phone="555"))
            assert absolute_url("notifications.notification_index").endswith("/skyline/notifications")
        db.session.remove()
        assert member(LEO).phone == "555"


@pytest.mark.parametrize(
    ("name", "status", "event", "who"),
    [
        ("approved_learner", "approved", BookingApproved, LEO),
        ("approved_instructor", "approved", BookingApproved, BEA),
        ("assigned_learner", "assigned", BookingAssigned, LEO),
        ("assigned_instructor", "assigned", BookingAssigned, BEA),
        ("declined_learner", "declined", BookingDeclined, LEO),
        ("cancelled_instructor", "cancelled", BookingCancelled, BEA),
        ("escalated_request", "requested", BookingEscalated, ANA),
        ("escalated_assignment", "approved", BookingEscalated, ANA),
    ],
)
def test_the_mail_reads_as_agreed(app: Flask, mailbox: Path, name: str, status: str, event: type, who: Person) -> None:
    over = {"approved_at": "2026-11-20T00:00Z"} if status in {"approved", "cancelled"} else {}
    aircraft = "N123AB" if status == "assigned" else None
    booking_id, ids = booked(status=status, aircraft=aircraft, **over)
    more = {"number": 2 if status == "approved" else 1} if event is BookingEscalated else {"actor_id": ids[OLGA]}
    happen(app, event(booking_id=booking_id, **more))
    assert mail_to(who, mailbox, booking_id).rstrip() == (SNAPSHOTS / f"{name}.txt").read_text().rstrip()


def mail_to(who: Person, folder: Path, booking_id: int = 0) -> str:
    """The one mail that a person got, as snapshots hold it: the booking in it is number 1."""
    written = [message_from_bytes(f.read_bytes(), policy=policy.default) for f in folder.glob("*.eml")]
    [mail] = [m for m in written if m["To"] == who.email]
    said = f"To: {mail['To']}\nSubject: {mail['Subject']}\n\n{mail.get_content()}"
    return said.replace(f"/bookings/{booking_id}", "/bookings/1")


def test_a_mail_is_written_in_its_readers_language_else_the_schools(app: Flask, mailbox: Path) -> None:
    with at_school("skyline"), unit_of_work():
        school_settings().locale = "en_GB"
        member(BEA).locale = "en"
    booking_id, ids = booked(status="approved", starts_at=datetime(2037, 9, 1, 17, tzinfo=UTC))
    happen(app, BookingApproved(booking_id=booking_id, actor_id=ids[ANA]))
    assert "Tue 1 Sept, 10:00" in mail_to(LEO, mailbox)
    assert "Tue 1 Sep, 10:00" in mail_to(BEA, mailbox)


def test_an_instructor_who_is_replaced_is_told_that_their_time_is_free(app: Flask, mailbox: Path) -> None:
    """Bo had agreed to it; an admin then gives it to Bea."""
    with app.test_request_context(), at_school("skyline") as school:
        with unit_of_work():
            booking = make_booking(instructor=BO, status="approved")
            booking.activity = "ground"
            session.flush()
            assign_booking(booking, instructor=ensure_person_resource(member(BEA)), aircraft=None, actor=actor(ANA))
            number = booking.id
        jobs.drain_tenant(school.id)
        jobs.drain_tenant(school.id)
        assert told("booking.reassigned") == [member(BO).id]
        assert told("booking.assigned") == sorted([member(BEA).id, member(LEO).id])
    assert mail_to(BO, mailbox, number).rstrip() == (SNAPSHOTS / "reassigned_instructor.txt").read_text().rstrip()


def test_an_instructor_who_was_only_wished_for_is_not_replaced(app: Flask, mailbox: Path) -> None:
    with app.test_request_context(), at_school("skyline") as school:
        with unit_of_work():
            booking = make_booking(instructor=BO)
            booking.activity = "ground"
            session.flush()
            assign_booking(booking, instructor=ensure_person_resource(member(BEA)), aircraft=None, actor=actor(ANA))
        jobs.drain_tenant(school.id)
        assert told("booking.reassigned") == []


@pytest.mark.parametrize(("name", "by"), [("acted_as", ANA), ("acted_as_by_operator", None)])
def test_whoever_is_acted_as_is_told_once_each_time(app: Flask, mailbox: Path, name: str, by: Person | None) -> None:
    with at_school("skyline"):
        who, by_id = member(LEO).id, member(by).id if by else None
    once, again = "2037-11-24T17:30:00+00:00", "2037-11-24T19:30:00+00:00"
    happen(app, ActedAs(who, by_id, 7, once), ActedAs(who, by_id, 7, once))
    with at_school("skyline"):
        assert told("acted_as") == [who]
    assert mail_to(LEO, mailbox).rstrip() == (SNAPSHOTS / f"{name}.txt").read_text().rstrip()
    happen(app, ActedAs(who, by_id, 7, again))
    with at_school("skyline"):
        assert told("acted_as") == [who, who]


def facts_of(booking_id: int) -> dict[str, object]:
    booking = session.get(Booking, booking_id)
    assert booking
    return {
        "learner_id": booking.learner_id, "instructor_id": None, "aircraft": None, "reason": "",
        "starts_at": booking.starts_at.isoformat(), "ends_at": booking.ends_at.isoformat(),
    }  # fmt: skip


def test_each_admin_is_told_once_who_waits_to_be_let_in(app: Flask) -> None:
    with at_school("skyline"), unit_of_work():
        leo = member(LEO)
        leo.status = "pending"
        waiting = leo.id
    happen(app, JoinRequested(waiting))
    happen(app, JoinRequested(waiting))
    with at_school("skyline"):
        assert told("member.waiting") == sorted(list_admin_ids())
        kept = session.scalars(select(Notification).where(Notification.kind == "member.waiting")).first()
        assert kept
        words = words_of(kept.kind, kept.facts, names={waiting: "Leo Hart"}, reader_id=kept.membership_id, zone="UTC")
        assert words.title == "Leo Hart waits to be let in"


def test_nobody_is_told_of_who_was_let_in_meanwhile(app: Flask) -> None:
    with at_school("skyline"):
        happen(app, JoinRequested(member(LEO).id))
    with at_school("skyline"):
        assert told("member.waiting") == []
