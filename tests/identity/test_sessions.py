"""Sessions: new at each sign-in, over after rest or age, listed in words, ended from anywhere."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.audit.models import AuditEntry
from app.foundation import clock, csrf
from app.foundation.db import session
from app.identity.models import UserSession
from app.identity.operations.sessions import forget_ended_sessions
from app.identity.queries import find_session
from app.identity.rules import device_words
from tests.cast import BO, LEO, LOU, PASSWORD, at_school
from tests.client import LintingClient, Page

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
PAGE = "/account/sessions"


def signed_in(app: Flask, agent: str = FIREFOX, *, remembered: bool = False, person=LEO) -> LintingClient:  # type: ignore[no-untyped-def]
    client = LintingClient(app)
    client.browser.environ_base["HTTP_USER_AGENT"] = agent
    form = client.get("/login?next=/").form("/login")
    answer = form.fill(email=person.email, password=PASSWORD, tenant="", remembered=remembered).submit(follow=False)
    assert answer.status == 303
    return client


def token_of(client: LintingClient) -> str:
    with client.browser.session_transaction() as cookie:
        return str(cookie["token"])


def row_of(client: LintingClient) -> UserSession:
    found = find_session(token_of(client))
    assert found
    return found


def change(opened: UserSession, **values: object) -> None:
    session.execute(update(UserSession).where(UserSession.id == opened.id).values(**values))
    session.commit()


def is_in(client: LintingClient) -> bool:
    return client.get("/account").status == 200


def cards(page: Page) -> list[str]:
    return [" ".join("".join(e.itertext()).split()) for e in page.find_all(".//li[@class='card']")]


def test_signing_in_again_brings_another_token_and_secret_and_ends_the_old_session(app: Flask) -> None:
    client = signed_in(app)
    first, old = row_of(client), token_of(client)
    with client.browser.session_transaction() as cookie:
        secret = cookie["csrf_token"]
    assert first.csrf_hash == csrf._hash(secret)

    client.post("/login", {"email": LEO.email, "password": PASSWORD})  # from a tab that still shows the form
    assert token_of(client) != old
    second = row_of(client)
    assert second.csrf_hash != first.csrf_hash
    ended = find_session(old)
    assert ended
    assert (ended.ended_reason, second.ended_at) == ("replaced", None)


def test_a_token_fixed_before_sign_in_is_worth_nothing_after_it(app: Flask) -> None:
    client = LintingClient(app)
    with client.browser.session_transaction() as cookie:
        cookie["token"], cookie["csrf_token"] = "planted", "planted"
    client.get("/login?next=/").form("/login").fill(email=LEO.email, password=PASSWORD).submit(follow=False)
    with client.browser.session_transaction() as cookie:
        assert cookie["token"] != "planted"
        assert cookie["csrf_token"] != "planted"


def test_a_session_ends_after_resting_unless_it_is_remembered(app: Flask) -> None:
    plain, remembered = signed_in(app), signed_in(app, remembered=True)
    assert is_in(plain)
    for client in (plain, remembered):
        change(row_of(client), seen_at=clock.now() - timedelta(hours=12, minutes=1))
    assert not is_in(plain)
    assert is_in(remembered)


def test_a_session_ends_by_age_whether_it_rests_or_not(app: Flask) -> None:
    plain, remembered = signed_in(app), signed_in(app, remembered=True)
    assert timedelta(days=13) < row_of(plain).expires_at - clock.now() <= timedelta(days=14)
    assert timedelta(days=59) < row_of(remembered).expires_at - clock.now() <= timedelta(days=60)
    for client in (plain, remembered):
        change(row_of(client), expires_at=clock.now() - timedelta(seconds=1))
        assert not is_in(client)


def test_only_a_remembered_cookie_outlives_the_browser_and_is_not_prolonged(app: Flask) -> None:
    for remembered in (False, True):
        client = LintingClient(app)
        form = client.get("/login?next=/").form("/login").fill(email=LEO.email, password=PASSWORD)
        answer = form.fill(remembered=remembered).submit(follow=False)
        ours = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("groundschool="))
        assert ("Expires=" in ours) is remembered
        assert not [c for c in client.get(PAGE).headers.getlist("Set-Cookie") if "Expires=" in c]


def test_the_page_names_devices_in_words_and_marks_this_one(app: Flask) -> None:
    signed_in(app, SAFARI)
    here = signed_in(app)
    page = here.get(PAGE)
    assert page.h1 == "Where you are signed in"
    this = next(card for card in cards(page) if "This device" in card)
    assert this.startswith("Firefox on Windows")
    assert any(card.startswith("Safari on iPhone") for card in cards(page))


def test_one_session_is_ended_from_another(app: Flask) -> None:
    there, here = signed_in(app, SAFARI), signed_in(app)
    ended = here.get(PAGE).form(f"/account/sessions/{row_of(there).id}/end").submit()
    assert "It is signed out there." in ended.text
    assert not any("iPhone" in card for card in cards(ended))
    assert is_in(here)
    assert not is_in(there)
    with at_school("skyline"):
        actions = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "session.ended")
        assert session.scalar(actions) == 1


def test_all_others_are_ended_and_this_one_stays(app: Flask) -> None:
    there, here = signed_in(app, SAFARI), signed_in(app)
    page = here.get(PAGE).form("End all others").submit()
    assert "signed out everywhere else" in page.text
    assert len(cards(page)) == 1
    assert (is_in(here), is_in(there)) == (True, False)


def test_signing_out_everywhere_ends_this_one_too(app: Flask) -> None:
    there, here = signed_in(app, SAFARI), signed_in(app)
    page = here.get(PAGE).form("Sign out everywhere now").submit()
    assert page.h1 == "Sign in"
    assert (is_in(here), is_in(there)) == (False, False)


def test_another_persons_session_is_not_there(app: Flask) -> None:
    lou, leo = signed_in(app, person=LOU), signed_in(app)
    assert leo.post(f"/account/sessions/{row_of(lou).id}/end").status == 404
    assert is_in(lou)
    assert leo.post("/account/sessions/99999999/end").status == 404
    assert leo.get(f"/account/sessions/{row_of(lou).id}/end").status == 405


def test_the_deeds_ask_for_a_session_and_a_token(app: Flask) -> None:
    assert LintingClient(app).get(PAGE).location.startswith("/login?next=")
    client = signed_in(app)
    for path in ("end-others", "end-all", f"{row_of(client).id}/end"):
        assert client.post(f"{PAGE}/{path}", csrf=False).status == 400
    assert is_in(client)


def test_times_read_in_a_zone_and_a_person_of_two_schools_is_audited_in_both(app: Flask) -> None:
    client = signed_in(app, person=BO)
    assert "UTC" in cards(client.get(PAGE))[0]
    client.post(f"{PAGE}/end-others")
    for slug in ("skyline", "harbour"):
        with at_school(slug):
            ended = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "sessions.ended")
            assert session.scalar(ended) == 1


def test_ended_sessions_are_forgotten_after_ninety_days(app: Flask) -> None:
    fresh, old, idle = signed_in(app), signed_in(app), signed_in(app)
    change(row_of(fresh), ended_at=clock.now() - timedelta(days=89))
    change(row_of(old), ended_at=clock.now() - timedelta(days=91))
    change(row_of(idle), expires_at=clock.now() - timedelta(days=91))
    assert not forget_ended_sessions()
    session.commit()
    assert find_session(token_of(fresh))
    assert not find_session(token_of(old))
    assert not find_session(token_of(idle))


def test_devices_in_words(app: Flask) -> None:
    with app.test_request_context():
        assert device_words(SAFARI) == "Safari on iPhone"
        assert device_words("Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36") == "Chrome on Linux"
        assert device_words("Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36 Edg/141.0") == "Edge on Windows"
        assert device_words("curl/8") == "An unknown device"


@pytest.mark.parametrize("way", ["/logout", "end-all", "this one"])
def test_signing_out_has_the_browser_forget_its_pages(app: Flask, way: str) -> None:
    client = signed_in(app)
    path = {"end-all": f"{PAGE}/end-all", "this one": f"{PAGE}/{row_of(client).id}/end"}.get(way, way)
    page = client.post(path, follow=True)
    (address,) = re.findall(r'href="(/logout/[^"]+)"', page.html)
    sheet = client.browser.get(address)
    assert (sheet.status_code, sheet.headers["Clear-Site-Data"]) == (200, '"cache"')
    assert sheet.headers["Cache-Control"] == "no-store"
    assert address not in client.get("/login").html
