"""Opening a school: its first admin comes in by the link that is shown once, or by the one that is mailed."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from app.console.operations import NotOpened, open_school
from app.foundation import tenancy
from app.foundation.db import session, unit_of_work
from app.foundation.refusals import Refusal
from app.identity.models import Membership
from app.identity.queries import find_user_by_email
from app.tenants.models import Tenant
from tests.cast import LEO, PASSWORD, at_school
from tests.client import LintingClient, Page
from tests.console.schools import entries, operator, operator_actor, platform_entries, tenant, user_id
from tests.identity.mailbox import assert_snapshot, sent

NEW = "/operator/schools/new"
CHOSEN = "gusting from the west"
TYPED = {
    "name": "Ridge Gliding", "slug": "ridge", "zone": "Europe/Zurich", "admin_name": "Reto Amsler",
    "admin_email": "reto@ridge.example",
}  # fmt: skip


@pytest.fixture
def no_mail(app: Flask) -> Iterator[None]:
    """An instance without a mail server."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, demo=False)
    yield
    app.config["SETTINGS"] = settings


def open_ridge(client: LintingClient, **over: str) -> Page:
    return client.get(NEW).form("Open school").fill({**TYPED, **over}).submit()


def link_on(page: Page) -> str:
    shown = re.search(r"https?://[^/\s]+(/ridge/invitation/\S+)", page.text)
    assert shown, page.text
    return shown.group(1)


def come_in(app: Flask, path: str) -> LintingClient:
    page = LintingClient(app).get(path)
    assert "Reto Amsler, you are invited as reto@ridge.example" in page.text
    page = page.form("Accept the invitation").fill(password=CHOSEN).submit()
    assert page.h1 == "Today"
    return page.client


def test_the_first_admin_comes_in_by_the_link_that_is_shown(app: Flask) -> None:
    client = operator(app)
    page = open_ridge(client)
    assert (page.status, page.h1) == (201, "Ridge Gliding is open")
    assert page.headers["Cache-Control"] == "no-store"
    admin = come_in(app, link_on(page))
    assert admin.get("/ridge/settings").status == 200
    shown = page.link("To the school").follow()
    assert shown.path == "/operator/schools/ridge"
    assert "/invitation/" not in shown.html.replace('/invitation"', "")
    assert LintingClient(app).get(link_on(page)).status == 410


def test_or_by_the_link_in_the_mail_and_then_the_shown_one_is_void(app: Flask) -> None:
    page = open_ridge(operator(app))
    (mail,) = sent(app, "ridge")
    assert mail.to == "reto@ridge.example"
    assert_snapshot(mail, "first_admin")
    assert mail.path != link_on(page)
    come_in(app, mail.path)
    assert LintingClient(app).get(link_on(page)).status == 410


def test_a_link_that_an_operator_hands_over_proves_no_mailbox(app: Flask) -> None:
    come_in(app, link_on(open_ridge(operator(app))))
    user = find_user_by_email(TYPED["admin_email"])
    assert user
    assert user.email_confirmed_at is None


def test_a_link_made_anew_voids_the_one_that_was_shown_and_none_that_was_mailed(app: Flask) -> None:
    client = operator(app)
    first = link_on(open_ridge(client))
    (mail,) = sent(app, "ridge")
    again = link_on(client.get("/operator/schools/ridge").form("New link").submit())
    assert [LintingClient(app).get(path).status for path in (first, again, mail.path)] == [410, 200, 200]


def test_where_there_is_no_mail_the_shown_link_is_the_only_one(app: Flask, no_mail: None) -> None:
    client = operator(app)
    assert "sends no mail" in client.get(NEW).text
    page = open_ridge(client)
    assert "A mail with a link" not in page.text
    assert sent(app, "ridge") == []
    come_in(app, link_on(page))


def test_both_trails_name_the_deed(app: Flask) -> None:
    open_ridge(operator(app))
    opened = platform_entries("school.created")[-1]
    school = tenant("ridge")
    assert (opened.school_id, opened.user_id) == (school.id, operator_actor().user_id)
    (made,) = entries("ridge", "school.created")
    assert made.after == {"slug": "ridge", "zone": "Europe/Zurich", "operator_id": operator_actor().user_id}
    assert [entry.action for entry in entries("ridge", "member.invited", "invitation.sent")] == [
        "member.invited",
        "invitation.sent",
    ]


def test_somebody_who_has_an_account_keeps_their_password(app: Flask) -> None:
    page = open_ridge(operator(app), admin_email=LEO.email, admin_name="Leo Hart")
    form = LintingClient(app).get(link_on(page)).form("Accept the invitation")
    assert "password" not in form.names()
    assert form.submit().status == 422, "the operator holds the link too, and would accept in their name"
    form.fill(current=PASSWORD).submit()
    assert "Ridge Gliding" in LintingClient(app).sign_in(LEO).get("/schools").text


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"slug": "skyline"}, "There is a school at “skyline” already."),
        ({"slug": "login"}, "“login” cannot be a school's address"),
        ({"slug": "operator"}, "“operator” cannot be a school's address"),
        ({"slug": "No Slug"}, "cannot be a school's address"),
        ({"slug": "-ridge"}, "cannot be a school's address"),
        ({"slug": ""}, "Give an address."),
        ({"name": " "}, "Give a name."),
        ({"admin_name": ""}, "Give a name."),
        ({"admin_email": "reto"}, "This does not read like an e-mail address."),
        ({"zone": ""}, "Choose the zone"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_what_was_typed_is_kept(
    app: Flask, over: dict[str, str], sentence: str
) -> None:
    page = open_ridge(operator(app), **over)
    assert page.status == 422
    assert sentence in page.text
    form = page.form("Open school")
    assert form.value("admin_email") == {**TYPED, **over}["admin_email"]
    assert session.query(Tenant).filter_by(name="Ridge Gliding").count() == 0
    assert form.fill(TYPED).submit().status == 201


def test_a_zone_that_is_none_is_refused(app: Flask) -> None:
    client = operator(app)
    page = client.post("/operator/schools", {**TYPED, "zone": "Mars/Olympus", "once": uuid.uuid4().hex})
    assert page.status == 422
    assert "Choose a time zone from the list." in page.text


def test_a_form_sent_twice_opens_one_school(app: Flask) -> None:
    client = operator(app)
    form = client.get(NEW).form("Open school").fill(TYPED)
    assert form.submit().status == 201
    again = form.submit()
    assert again.path == "/operator/schools/ridge"
    assert "Ridge Gliding is open already" in again.text
    assert len(platform_entries("school.created")) == 3
    assert len(sent(app, "ridge")) == 1
    other = client.get(NEW).form("Open school").fill(TYPED).submit()
    assert other.status == 422


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_a_form_without_its_key_is_refused(app: Flask, key: str) -> None:
    client = operator(app)
    assert client.post("/operator/schools", {**TYPED, "once": key}).status == 400
    assert session.query(Tenant).filter_by(slug="ridge").count() == 0


def test_two_operators_take_one_address_at_once_and_one_gets_it(committing_app: Flask) -> None:
    who = operator_actor()
    session.rollback()
    start, opened, refused = threading.Barrier(2), [], []

    def take(name: str) -> None:
        with committing_app.app_context(), tenancy.tenant_scope(None):
            try:
                with unit_of_work():
                    start.wait(10)
                    open_school(
                        slug="ridge", name=name, zone="Europe/Zurich", admin_name="Reto", key=uuid.uuid4().hex,
                        admin_email=f"{name}@ridge.example", actor=who,
                    )  # fmt: skip
                opened.append(name)
            except Refusal as refusal:
                refused.append(refusal)

    threads = [threading.Thread(target=take, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(opened) == len(refused) == 1
    assert isinstance(refused[0], NotOpened)
    with at_school("ridge"):
        assert session.scalars(select(Membership.status)).all() == ["invited"]


# -- a link that was lost ------------------------------------------------------------------------------------------


def test_an_invited_admin_gets_a_new_link(app: Flask) -> None:
    client = operator(app)
    first = link_on(open_ridge(client))
    assert len(sent(app, "ridge")) == 1
    page = client.get("/operator/schools/ridge").form("New link").submit()
    assert (page.status, page.h1) == (200, "A new link for Reto Amsler")
    assert page.headers["Cache-Control"] == "no-store"
    assert link_on(page) != first
    come_in(app, link_on(page))
    (noted,) = platform_entries("invitation.sent")
    assert (noted.user_id, noted.school_id) == (operator_actor().user_id, tenant("ridge").id)


def test_nobody_else_gets_one(app: Flask) -> None:
    client = operator(app)
    with at_school("skyline"):
        ids = dict(session.execute(select(Membership.user_id, Membership.id)).all())
    leo, ana = ids[user_id(LEO)], None
    assert client.post(f"/operator/schools/skyline/admins/{leo}/invitation").status == 404
    assert client.post("/operator/schools/skyline/admins/99999999/invitation").status == 404
    assert client.post(f"/operator/schools/harbour/admins/{leo}/invitation").status == 404
    page = client.get("/operator/schools/skyline")
    assert "New link" not in page.text
    with at_school("skyline"):
        ana = session.scalars(select(Membership.id).where(Membership.name == "Ana Ruiz")).one()
    refused = client.post(f"/operator/schools/skyline/admins/{ana}/invitation")
    assert refused.status == 409
    assert "is not waiting for an invitation" in refused.text
    assert platform_entries("invitation.sent") == []
