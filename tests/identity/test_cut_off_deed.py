"""A post that was cut off is done right after sign-in by the same person, once, and never for anybody else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, request
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select, update

from app.foundation import clock
from app.foundation.db import session
from app.foundation.once import once
from app.foundation.permissions import signed_in
from app.foundation.replies import reply
from app.identity.models import Membership, UserSession
from app.identity.queries import find_session, find_user_by_email
from tests.cast import ADA, ANA, BO, LEO, PASSWORD, at_school, member
from tests.client import PARTIAL, Form, LintingClient, Page

REASON = "Fees & forms, “since May”"


def leo_id() -> int:
    with at_school("skyline"):
        return member(LEO).id


def status_of_leo(leo: int) -> str | None:
    with at_school("skyline"):
        return session.scalar(select(Membership.status).where(Membership.id == leo))


def token_of(client: LintingClient, name: str = "token") -> str:
    with client.browser.session_transaction() as cookie:
        return str(cookie[name])


def rest_too_long(client: LintingClient) -> None:
    opened = find_session(token_of(client))
    assert opened
    rested = clock.now() - timedelta(hours=13)
    session.execute(update(UserSession).where(UserSession.id == opened.id).values(seen_at=rested))
    session.commit()


def suspension(client: LintingClient) -> Form:
    return client.get(f"/skyline/people/{leo_id()}").form("/suspension").fill(reason=REASON)


def sign_in_on(page: Page, email: str = ANA.email, *, follow: bool = True) -> Page:
    return page.form("/login").fill(email=email, password=PASSWORD).submit(follow=follow)


def test_the_deed_is_done_at_once_after_a_rest(app: Flask) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    form = suspension(client)
    rest_too_long(client)
    cut_off = form.submit()
    assert (cut_off.status, status_of_leo(leo)) == (401, "active")
    assert "what you typed is kept" in cut_off.text

    done = sign_in_on(cut_off, follow=False)
    assert (done.status, done.location) == (303, f"/skyline/people/{leo}")
    assert status_of_leo(leo) == "suspended"
    assert done.follow().status == 200  # with the new session's cookie
    with at_school("skyline"):
        assert session.scalar(select(Membership.standing_reason).where(Membership.id == leo)) == REASON


def test_the_answers_flash_comes_along(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    form = suspension(client)
    rest_too_long(client)
    cut_off = form.submit()
    with client.browser.session_transaction() as cookie:
        secret = cookie["csrf_token"]
    page = sign_in_on(cut_off)
    assert page.by_id("flash") is not None
    assert "suspended" in page.words_of("flash")
    with client.browser.session_transaction() as cookie:
        assert cookie["csrf_token"] != secret


def test_it_is_done_also_when_another_tab_signed_out(app: Flask) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    form = suspension(client)
    client.post("/logout")
    sign_in_on(form.submit())
    assert status_of_leo(leo) == "suspended"


def test_a_mistyped_password_loses_nothing(app: Flask) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    form = suspension(client)
    rest_too_long(client)
    again = form.submit().form("/login").fill(email=ANA.email, password="mistyped").submit()
    assert again.status == 422
    sign_in_on(again)
    assert status_of_leo(leo) == "suspended"


def test_a_post_by_htmx_is_kept_as_well(app: Flask) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    form = suspension(client)
    rest_too_long(client)
    cut_off = form.submit(partial=True)
    assert (cut_off.status, cut_off.headers["HX-Retarget"]) == (401, "#main")
    assert sign_in_on(cut_off).status == 200
    assert status_of_leo(leo) == "suspended"


def test_another_person_does_nothing_and_is_told(app: Flask) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    form = suspension(client)
    rest_too_long(client)
    page = sign_in_on(form.submit(), ADA.email)
    assert "It was not sent." in page.text
    assert status_of_leo(leo) == "active"


def test_a_refused_deed_leaves_the_person_signed_in(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    form = suspension(client).fill(reason="")
    rest_too_long(client)
    refused = sign_in_on(form.submit())
    assert refused.status == 422
    assert "Give a reason." in refused.text
    assert client.get("/account").status == 200


def resume_field(page: Page) -> str:
    return page.form("/login").value("resume")


def send_resume(app: Flask, resume: str, email: str = ANA.email) -> Page:
    client = LintingClient(app)
    token = client.csrf_token()
    return client.post("/login", {"email": email, "password": PASSWORD, "resume": resume, "csrf_token": token})


@pytest.mark.parametrize(
    "bend", [lambda s: s[:-2] + "xx", lambda s: "x" + s, lambda s: s.partition(".")[0], lambda s: ""]
)
def test_a_bent_blob_does_nothing(app: Flask, bend: Callable[[str], str]) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    form = suspension(client)
    rest_too_long(client)
    answer = send_resume(app, bend(resume_field(form.submit())))
    assert answer.status == 303
    assert status_of_leo(leo) == "active"


def test_a_blob_of_another_key_or_another_kind_does_nothing(app: Flask) -> None:
    leo = leo_id()
    ana = find_user_by_email(ANA.email)
    assert ana
    deed = {"path": f"/skyline/people/{leo}/suspension", "fields": [["reason", REASON]], "user": ana.id}
    for secret, salt in (("another key" * 4, "cut-off-post"), (str(app.secret_key), "known-device")):
        answer = send_resume(app, URLSafeTimedSerializer(secret, salt=salt).dumps(deed))
        assert answer.status == 303
    assert send_resume(app, json.dumps(deed)).h1 == "You are signed in again"  # unsigned: shown, not done
    assert status_of_leo(leo) == "active"


@pytest.mark.parametrize("path", ["//evil.example/x", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_a_path_to_another_site_is_not_followed(app: Flask, path: str) -> None:
    answer = send_resume(app, json.dumps({"path": path, "fields": []}))
    assert (answer.status, answer.location) == (303, "/skyline/")


def test_fields_of_another_site_are_neither_done_nor_shown(app: Flask) -> None:
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    rest_too_long(client)
    evil = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    cut_off = client.post(f"/skyline/people/{leo}/suspension", {"reason": REASON, "csrf_token": "guess"}, headers=evil)
    assert (cut_off.status, resume_field(cut_off)) == (401, "")


def test_another_sessions_token_proves_nothing(app: Flask) -> None:
    """Bo knows a valid token of Bo's own and puts it into a form that Ana's browser sends."""
    bo = LintingClient(app).sign_in(BO, school="")
    client, leo = LintingClient(app).sign_in(ANA), leo_id()
    rest_too_long(client)
    fields = {"reason": REASON, "csrf_token": bo.csrf_token()}
    cut_off = client.post(f"/skyline/people/{leo}/suspension", fields)
    assert sign_in_on(cut_off).h1 == "You are signed in again"  # from our own origin: shown, not done
    assert status_of_leo(leo) == "active"


def test_a_cut_off_sign_out_does_not_sign_out_after_sign_in(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    form = client.get("/schools?stay=1").form("/logout")
    rest_too_long(client)
    sign_in_on(form.submit())
    assert client.get("/account").status == 200


def test_passwords_and_files_are_never_carried(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    token = client.csrf_token()
    rest_too_long(client)
    fields = {
        "current": "my secret",
        "password": "a new one",
        "csrf_token": token,
        "file": (io.BytesIO(b"pdf"), "a.pdf"),
    }
    answer = client.browser.post("/account/password", data=fields, headers={"Origin": "http://localhost"})
    kept = re.search(r'name="resume"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    assert kept
    read = URLSafeTimedSerializer(str(app.secret_key), salt="cut-off-post").loads(kept.group(1))
    assert read["fields"] == []


def test_a_form_with_a_one_use_key_is_done_once(throwaway: Flask) -> None:
    done: list[str] = []

    @throwaway.post("/<tenant>/notes", endpoint="notes_create")
    @signed_in
    @once
    def notes_create() -> Any:
        done.append(request.form["note"])
        return reply("/skyline/")

    client = LintingClient(throwaway).sign_in(LEO)
    fields = {"note": "rain", "once": "k" * 32, "csrf_token": client.csrf_token()}
    rest_too_long(client)
    first, second = client.post("/skyline/notes", fields), client.post("/skyline/notes", fields)
    assert sign_in_on(first, LEO.email, follow=False).location == "/skyline/"
    kept = resume_field(second)
    token = client.csrf_token()
    again = client.post("/login", {"email": LEO.email, "password": PASSWORD, "resume": kept, "csrf_token": token})
    assert again.location == "/skyline/"
    assert done == ["rain"]


def test_a_page_read_by_htmx_without_a_session_leads_to_sign_in(app: Flask) -> None:
    answer = LintingClient(app).get("/skyline/people", headers=PARTIAL)
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login?next=/skyline/people")


def test_doing_it_again_leaves_one_session_open(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    ana = find_user_by_email(ANA.email)
    assert ana
    open_ones = select(func.count()).where(UserSession.user_id == ana.id, UserSession.ended_at.is_(None))
    before = session.scalar(open_ones)
    form = suspension(client)
    rest_too_long(client)
    sign_in_on(form.submit())
    assert session.scalar(open_ones) == before
