"""The list of notifications, the bell that counts them, and marking them read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.foundation import clock
from app.foundation.db import session, unit_of_work
from app.foundation.pages import SIZE
from app.notifications.models import Notification
from app.notifications.operations import notify
from app.notifications.queries import count_unread
from tests.cast import ANA, BEA, LEO, LOU, Person, at_school, member
from tests.client import LintingClient, count_statements
from tests.notifications.bookings import make_booking

LIST = "/skyline/notifications"


def tell(person: Person = LEO, kind: str = "booking.approved", count: int = 1) -> list[int]:
    """Notifications of one person about bookings of their own, the oldest first. Returns their ids."""
    with at_school(person.slug), unit_of_work():
        booking = make_booking(learner=person if person in (LEO, LOU) else LEO, instructor=None)
        rows = [
            Notification(
                membership_id=member(person).id, kind=kind, cause=f"{kind}:{number}", subject_id=booking.id,
                created_at=clock.now() - timedelta(minutes=count - number),
                facts={
                    "learner_id": booking.learner_id, "starts_at": (booking.starts_at + timedelta(days=number)).isoformat(),
                    "ends_at": (booking.ends_at + timedelta(days=number)).isoformat(),
                },
            )
            for number in range(count)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def unread(person: Person) -> int:
    with at_school(person.slug):
        return count_unread(member(person).id)


def test_an_empty_list_says_so(app: Flask) -> None:
    page = LintingClient(app).sign_in(LEO).get(LIST)
    assert page.h1 == "Notifications"
    assert "Nothing new" in page.text


def test_the_bell_counts_what_is_unread(app: Flask) -> None:
    tell(count=3)
    client = LintingClient(app).sign_in(LEO)
    assert 'aria-label="3 notifications waiting"' in client.get(LIST).html
    assert 'aria-label="Notifications"' in LintingClient(app).sign_in(BEA).get(LIST).html


def test_opening_one_marks_it_read_and_leads_to_its_booking(app: Flask) -> None:
    newest = tell(count=2)[-1]
    client = LintingClient(app).sign_in(LEO)
    page = client.get(LIST)
    assert "Your booking is approved" in page.text
    booking = page.form(f"{newest}/reading").submit()
    assert booking.path.startswith("/skyline/bookings/")
    assert booking.status == 200
    assert unread(LEO) == 1


def test_all_are_marked_read_but_for_what_came_meanwhile(app: Flask) -> None:
    tell(count=2)
    page = LintingClient(app).sign_in(LEO).get(LIST)
    tell(kind="booking.assigned")
    after = page.form("Mark all as read").submit()
    assert "All are marked as read." in after.text
    assert unread(LEO) == 1


def test_a_long_list_has_pages_and_asks_six_statements_at_most(app: Flask) -> None:
    tell(count=SIZE + 3)
    client = LintingClient(app).sign_in(LEO)
    with count_statements() as statements:
        page = client.get(LIST)
    assert len(statements) <= 6
    assert page.html.count('class="unread"') == SIZE
    assert page.link("Next").follow().html.count('class="unread"') == 3


def test_what_is_unread_can_be_shown_alone(app: Flask) -> None:
    read, unread_one = tell(count=2)
    client = LintingClient(app).sign_in(LEO)
    client.get(LIST).form(f"{read}/reading").submit()
    assert client.get(LIST).html.count('<li id="notification-') == 2
    page = client.get(LIST).form("Apply").fill(show="unread").submit()
    assert f'id="notification-{unread_one}"' in page.html
    assert f'id="notification-{read}"' not in page.html
    page.form("Mark all as read").submit()
    nothing = client.get(f"{LIST}?show=unread")
    assert "Nothing is unread" in nothing.text
    assert nothing.link("Show all notifications").follow().html.count('<li id="notification-') == 2
    assert client.get(f"{LIST}?show=read").status == 400


def test_the_next_page_of_what_is_unread_is_unread_too(app: Flask) -> None:
    tell(count=SIZE + 3)
    client = LintingClient(app).sign_in(LEO)
    page = client.get(f"{LIST}?show=unread").link("Next").follow()
    assert "show=unread" in page.path
    assert page.html.count('class="unread"') == 3


def test_a_kind_of_a_newer_release_is_still_shown(app: Flask) -> None:
    [odd] = tell(kind="moon.landed")
    page = LintingClient(app).sign_in(LEO).get(LIST)
    assert "Something happened" in page.text
    assert page.form(f"{odd}/reading").submit().path == LIST


def test_nobody_opens_what_is_another_persons(app: Flask) -> None:
    [mine] = tell()
    for person in (ANA, BEA):
        client = LintingClient(app).sign_in(person)
        assert client.post(f"{LIST}/{mine}/reading").status == 404
        assert client.get(f"{LIST}/{mine}/reading").status == 404
    assert unread(LEO) == 1


def test_another_school_finds_nothing(app: Flask) -> None:
    [mine] = tell()
    client = LintingClient(app).sign_in(LOU)
    assert client.get(LIST).status == 404
    assert client.post(f"{LIST}/reading").status == 404
    assert client.post(f"/harbour/notifications/{mine}/reading").status == 404
    with at_school("skyline"):
        assert session.scalars(select(Notification.read_at).where(Notification.id == mine)).one() is None


def test_marking_all_leaves_other_people_alone(app: Flask) -> None:
    tell(LEO)
    tell(ANA, kind="booking.escalated")
    LintingClient(app).sign_in(ANA).post(f"{LIST}/reading")
    assert (unread(ANA), unread(LEO)) == (0, 1)


def test_whoever_acts_as_a_person_leaves_their_notifications_unread(app: Flask) -> None:
    """The notice that somebody acted as Leo must not be gone before he has seen it."""
    [mine] = tell(LEO)
    client = LintingClient(app).sign_in(ANA)
    with at_school("skyline"):
        leo = member(LEO).id
    client.get(f"/skyline/people/{leo}/acting").form("Begin").fill(reason="Looking with his eyes").submit()
    page = client.get(LIST)
    assert "Your booking is approved" in page.text
    assert "Mark all as read" not in page.text
    opening = page.form(f"{mine}/reading")
    assert opening.submit().path.startswith("/skyline/bookings/")
    refused = client.post(f"{LIST}/reading", {"csrf_token": opening.value("csrf_token")})
    assert refused.status == 409
    assert "Leave it to them" in refused.text
    assert unread(LEO) == 1


def test_a_notice_of_having_been_acted_as_is_shown_with_the_time_in_the_readers_zone(app: Flask) -> None:
    with app.app_context(), at_school("skyline"), unit_of_work():
        facts = {"by_id": member(ANA).id, "until": "2037-11-24T17:30:00+00:00"}
        notify(member(LEO).id, "acted_as", cause="acted_as:1:x", subject_id=facts["by_id"], facts=facts)
        member(LEO).zone = "Europe/London"
    page = LintingClient(app).sign_in(LEO).get(LIST)
    assert "Ana Ruiz acted as you" in page.text
    assert "until Tue 24 Nov, 17:30 GMT" in page.text
    assert page.form("Mark as read: Ana Ruiz acted as you").submit().path == LIST
    assert unread(LEO) == 0
    assert "Ana Ruiz acted as you" not in "".join(LintingClient(app).sign_in(LEO).get(LIST).links())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{LIST}/999999/reading", 404),
        (f"{LIST}/x/reading", 404),
        (f"{LIST}?cursor=broken", 400),
        (f"{LIST}/reading", 303),
    ],
)
def test_odd_addresses(app: Flask, path: str, status: int) -> None:
    assert LintingClient(app).sign_in(LEO).get(path).status == status


def test_a_post_to_the_list_is_no_way_to_read(app: Flask) -> None:
    assert LintingClient(app).sign_in(LEO).post(LIST).status == 405


def test_a_stranger_is_asked_to_sign_in(app: Flask) -> None:
    assert LintingClient(app).get(LIST).status == 303
    assert LintingClient(app).post(f"{LIST}/reading").status == 401


def test_a_post_without_its_token_is_refused(app: Flask) -> None:
    tell()
    assert LintingClient(app).sign_in(LEO).post(f"{LIST}/reading", csrf=False).status == 400
    assert unread(LEO) == 1


def test_a_partial_answer_does_not_pay_for_the_bell(app: Flask) -> None:
    client = LintingClient(app).sign_in(LEO)
    client.get(LIST)
    with count_statements() as whole:
        client.get(LIST)
    with count_statements() as partial:
        client.partial(LIST)
    assert len(partial) == len(whole) - 1
