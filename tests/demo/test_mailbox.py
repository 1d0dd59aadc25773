"""The demo's mailbox: what would have been mailed, readable by anybody, and no other file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app.demo.rules import with_links
from app.foundation.mail import mail_folder, send_mail
from app.foundation.pages import SIZE
from tests.cast import ANA, LEO
from tests.client import LintingClient

MAILBOX = "/demo/mailbox"


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Iterator[Path]:
    """A mail folder of this test's own."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, data_dir=tmp_path)
    yield mail_folder(app.config["SETTINGS"])
    app.config["SETTINGS"] = settings


def send(app: Flask, key: str, *, subject: str = "Hello", text: str = "Hello Leo") -> None:
    with app.app_context():
        send_mail(to=LEO.email, subject=subject, text=text, key=key)


def test_an_empty_mailbox_says_what_to_do(app: Flask, folder: Path) -> None:
    page = LintingClient(app).get(MAILBOX)
    assert page.status == 200
    assert "No mail yet" in page.text


def test_mail_is_listed_newest_first_and_read_by_a_stranger(app: Flask, folder: Path) -> None:
    send(app, "one", subject="The first")
    first = next(folder.glob("*.eml"))
    os.utime(first, (1, 1))
    send(app, "two", subject="The second", text="See http://127.0.0.1:8000/skyline/bookings/7.")
    page = LintingClient(app).get(MAILBOX)
    assert page.text.index("The second") < page.text.index("The first")
    mail = page.link("The second").follow()
    assert mail.h1 == "The second"
    assert LEO.email in mail.text
    assert 'href="http://127.0.0.1:8000/skyline/bookings/7"' in mail.html


def test_a_signed_in_person_reads_it_too(app: Flask, folder: Path) -> None:
    send(app, "one")
    assert "Hello" in LintingClient(app).sign_in(ANA).get(MAILBOX).text


def test_markup_in_a_mail_is_only_text(app: Flask, folder: Path) -> None:
    send(
        app,
        "one",
        subject="<b>bold</b>",
        text="<script>alert(1)</script> javascript:alert(1) https://x.example/?a=1&b=2",
    )
    page = LintingClient(app).get(MAILBOX).link("bold").follow()
    assert "<script>alert" not in page.html
    assert "<b>" not in page.html
    assert 'href="https://x.example/?a=1&amp;b=2"' in page.html
    assert 'href="javascript' not in page.html


@pytest.mark.parametrize(
    "name",
    [
        "0" * 31,
        "0" * 33,
        "0" * 32,
        "A" * 32,
        "..%2f..%2fetc%2fpasswd",
        "../secret",
        "0" * 32 + ".eml",
        "0" * 32 + "%0a",
    ],
)
def test_no_other_file_can_be_named(app: Flask, folder: Path, name: str) -> None:
    send(app, "one")
    (folder.parent / f"{'0' * 32}.eml").write_text("Subject: secret\n\nsecret")
    answer = app.test_client().get(f"{MAILBOX}/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_the_oldest_mail_is_reached_page_by_page(app: Flask, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(2 * SIZE + 3):
        path = folder / f"{number:032x}.eml"
        path.write_text(f"To: leo@x.example\nSubject: Mail {number:03}\n\n")
        os.utime(path, (1_000 + number // 2,) * 2)  # Two were written at the same instant.
    (folder / f"{7:032x}.part").write_text("half written")
    page, seen = LintingClient(app).get(MAILBOX), []
    for _ in range(3):
        seen.append([link for link in page.links() if link.startswith("Mail ")])
        page = page.link("Next").follow() if "Next" in page.links() else page
    assert [len(names) for names in seen] == [SIZE, SIZE, 3]
    assert len({name for names in seen for name in names}) == 2 * SIZE + 3
    assert seen[-1][-1] in {"Mail 000", "Mail 001"}
    back = page.link("Previous").follow()
    assert [link for link in back.links() if link.startswith("Mail ")] == seen[1]


def test_a_mail_is_found_by_its_address_and_by_its_subject(app: Flask, folder: Path) -> None:
    send(app, "one", subject="Your booking is approved")
    send(app, "two", subject="Välkommen")
    client = LintingClient(app)
    page = client.get(MAILBOX).form("Apply").fill(search="valkommen").submit()
    assert "Välkommen" in page.text
    assert "approved" not in page.text
    both = client.get(f"{MAILBOX}?search={LEO.email.upper()}").text
    assert "Välkommen" in both
    assert "approved" in both
    nothing = client.get(f"{MAILBOX}?search=nobody")
    assert "No mail like that" in nothing.text
    assert "approved" in nothing.link("Show all mails").follow().text
    assert client.get(f"{MAILBOX}?cursor=x").status == 400


def test_a_post_is_refused(app: Flask, folder: Path) -> None:
    assert LintingClient(app).post(MAILBOX).status == 405


def test_outside_a_demo_there_is_no_mailbox(app: Flask) -> None:
    from app.factory import create_app
    from app.foundation import db

    bind = db.session.session_factory.kw["bind"]
    engine = db.engine()
    try:
        school = create_app(replace(app.config["SETTINGS"], demo=False))
        assert school.test_client().get(MAILBOX).status_code == 404
    finally:
        db.engine().dispose()
        db._engine = engine
        db.session.remove()
        db.session.configure(bind=bind)


def test_links_end_where_the_sentence_goes_on() -> None:
    assert str(with_links("See (https://a.example/x), then http://b.example.")) == (
        'See (<a href="https://a.example/x" rel="noopener noreferrer">https://a.example/x</a>), '
        'then <a href="http://b.example" rel="noopener noreferrer">http://b.example</a>.'
    )
