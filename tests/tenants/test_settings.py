"""A school's settings: kept, checked, audited, never overwritten unseen; and its color on every page."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.tenants.models import SchoolSettings, Tenant
from app.tenants.operations import RESERVED_SLUGS
from app.tenants.queries import school_settings
from app.tenants.rules import (
    DARK_GROUNDS,
    DARK_INK,
    LEAST_CONTRAST,
    LIGHT_GROUND,
    WHITE,
    contrast,
    for_dark_pages,
    is_readable,
    nearest_readable,
)
from tests.cast import ADA, ANA, BEA, HAL, LEO, MAX, OLGA, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.identity.mailbox import assert_snapshot, sent, take
from tests.notifications.bookings import make_booking

PATH = "/skyline/settings"


def saved() -> SchoolSettings:
    with at_school("skyline"):
        session.expire_all()
        return school_settings()


def save(client: LintingClient, page: Page | None = None, **fields: Any) -> Page:
    """Change some fields of the page and save it."""
    return (page or client.get(PATH)).form("Save settings").fill(fields).submit()


def entries() -> list[AuditEntry]:
    with at_school("skyline"):
        changed = select(AuditEntry).where(AuditEntry.action == "settings.changed").order_by(AuditEntry.id)
        return list(session.scalars(changed))


@pytest.fixture
def ana(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(ANA)


def test_the_litany(app: Flask) -> None:
    for person in (MAX, BEA, ADA, LEO):
        client = LintingClient(app).sign_in(person)
        assert client.get(PATH).status == 403, person
        assert client.post(PATH).status == 403, person
        assert client.post(f"{PATH}/test-mail").status == 403, person
    assert LintingClient(app).sign_in(HAL).get(PATH).status == 404
    assert LintingClient(app).get(PATH).status == 303
    client = LintingClient(app).sign_in(ANA)
    assert client.post(PATH, csrf=False).status == 400
    assert client.get(f"{PATH}/test-mail").location == PATH
    assert client.post(PATH).status == 422


def test_everything_is_kept_and_shown_again(ana: LintingClient) -> None:
    with at_school("skyline"):
        max_id = member(MAX).id
    page = save(
        ana, school_name="Skyline Academy", zone="America/Denver", brand_color="#7a1f5c", latitude="39.57",
        longitude="-104.85", closed_days="2026-12-25\n2026-01-01\n\n2026-12-25", registration_open=False,
        levels="Solo\n Checkride  ready ", tags="night\nifr", escalate_after_hours="12", escalate_to_ids=[str(max_id)],
        opens_0="08:00", closes_0="17:30", opens_6="10:00", closes_6="00:00",
    )  # fmt: skip
    assert "The settings are saved." in page.text
    kept = saved()
    assert kept.opening_hours == {"0": [480, 1050], "6": [600, 1440]}
    assert kept.closed_days == [date(2026, 1, 1), date(2026, 12, 25)]
    assert (kept.levels, kept.tags) == (["Solo", "Checkride ready"], ["night", "ifr"])
    assert (kept.escalate_after_hours, kept.escalate_to_ids, kept.registration_open) == (12, [max_id], False)
    assert (kept.latitude, kept.longitude, kept.version) == (39.57, -104.85, 2)
    form = ana.get(PATH).form("Save settings")
    assert (form.value("opens_0"), form.value("closes_6"), form.value("opens_1")) == ("08:00", "00:00", "")
    assert "Skyline Academy" in ana.get(PATH).text
    save(ana)
    assert saved().version == 2, "saving what is there already is no change"


def test_only_what_changed_is_audited(ana: LintingClient) -> None:
    save(ana, escalate_after_hours="9", school_name="Skyline Two")
    (entry,) = entries()
    assert entry.before == {"escalate_after_hours": 4, "school_name": "Skyline Flight School", "version": 1}
    assert entry.after == {"escalate_after_hours": 9, "school_name": "Skyline Two", "version": 2}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"brand_color": "blue"}, "Write a color as six digits"),
        ({"brand_color": "#ffee00"}, "The nearest that can is #"),
        ({"latitude": "10"}, "Give both latitude and longitude"),
        ({"longitude": "10"}, "Give both latitude and longitude"),
        ({"latitude": "91", "longitude": "1"}, "Number must be between"),
        ({"latitude": "nan", "longitude": "1"}, "Number must be between"),
        ({"opens_2": "09:00"}, "Give both times"),
        ({"opens_2": "09:00", "closes_2": "08:00"}, "closes before it opens"),
        ({"opens_2": "09:00", "closes_2": "08:00"}, "Wednesday to"),
        ({"closed_days": "Christmas"}, "“Christmas” is no day"),
        ({"escalate_after_hours": "0"}, "Number must be between"),
        ({"escalate_after_hours": "x"}, "Not a valid integer"),
        ({"levels": "x" * 41}, "Write at most"),
        ({"school_name": "  "}, "Give a name."),
    ],
)
def test_what_makes_no_sense_is_not_kept(ana: LintingClient, fields: dict[str, str], sentence: str) -> None:
    page = save(ana, **fields)
    assert page.status == 422
    assert sentence in page.text
    assert saved().version == 1


def test_somebody_who_is_no_admin_or_manager_cannot_be_told(ana: LintingClient) -> None:
    with at_school("skyline"):
        leo = member(LEO).id
    data = ana.get(PATH).form("Save settings").data()
    data.add("escalate_to_ids", str(leo))
    assert ana.post(PATH, data).status == 422


# -- two at once ---------------------------------------------------------------------------------------------------


def test_two_admins_at_once_overwrite_nothing_unseen(app: Flask, ana: LintingClient) -> None:
    olga = LintingClient(app).sign_in(OLGA)
    mine, theirs = ana.get(PATH), olga.get(PATH)
    save(olga, theirs, tags="ifr", escalate_after_hours="8")
    page = save(ana, mine, tags="night")
    assert page.status == 409
    assert "Somebody else changed the settings while you did." in page.text
    rows = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in page.find_all(".//tbody/tr")]
    assert rows == [["Escalate after hours", "8", "4"], ["Tags", "ifr", "night"]]
    assert saved().tags == ["ifr"]
    save(ana, page)
    assert (saved().tags, saved().escalate_after_hours) == (["night"], 4)


# -- the address ---------------------------------------------------------------------------------------------------


def test_a_new_address_takes_the_place_of_the_old(app: Flask, ana: LintingClient) -> None:
    form = ana.get(PATH).form("Save settings").fill(slug="skyline-west")
    answer = form.submit(follow=False)
    assert answer.location == "/skyline-west/settings"
    assert answer.follow().status == 200
    assert ana.get(PATH).status == 404


@pytest.mark.parametrize("slug", ["harbour", "Skyline", "a", "9lives", *sorted(RESERVED_SLUGS)[:3]])
def test_an_address_that_cannot_be_is_refused(ana: LintingClient, slug: str) -> None:
    page = save(ana, slug=slug)
    assert page.status == 409
    assert "school" in page.words_of("errors")
    assert ana.get(PATH).status == 200


# -- the color -----------------------------------------------------------------------------------------------------


def test_the_color_is_a_style_sheet_of_the_schools_own(app: Flask, ana: LintingClient) -> None:
    assert "brand-" not in ana.get(PATH).html
    save(ana, brand_color="7A1F5C")
    page = ana.get(PATH)
    (href,) = [e.get("href") for e in page.find_all(".//link") if "brand-" in (e.get("href") or "")]
    stranger = LintingClient(app).browser
    answer = stranger.get(href)
    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "--accent: light-dark(#7a1f5c, #" in answer.text
    assert stranger.get("/skyline/brand-0123456789ab.css").status_code == 404
    assert stranger.get(str(href).replace("skyline", "harbour")).status_code == 404
    assert stranger.post(href).status_code == 405
    with count_statements() as statements:
        ana.get(PATH)
    assert not [
        sql for sql in statements if "brand_color" in sql and "closed_days" not in sql and "token_hash" not in sql
    ]
    assert len(statements) <= 6, statements
    assert "brand-" not in LintingClient(app).sign_in(HAL).get("/harbour/settings").html


def test_what_another_process_saved_shows_on_the_next_page(app: Flask, ana: LintingClient) -> None:
    """Each process keeps what it knows of a school for a while; the sign-in lookup reads beside whether that still holds."""
    assert "brand-" not in ana.get("/skyline/profile").html
    with at_school("skyline"):
        session.execute(update(SchoolSettings).values(brand_color="#7a1f5c"))
        session.execute(update(Tenant).where(Tenant.slug == "skyline").values(name="Skyline West"))
        session.commit()
    page = ana.get("/skyline/profile")
    assert "brand-" in page.html
    assert "Skyline West" in page.text


@given(st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}"))
def test_every_color_has_a_readable_one_near_it_and_a_tint_for_dark_pages(color: str) -> None:
    near = nearest_readable(color)
    assert is_readable(near)
    assert near == color or not is_readable(color)
    assert min(contrast(near, WHITE), contrast(near, LIGHT_GROUND)) >= LEAST_CONTRAST
    tint = for_dark_pages(near)
    assert min(contrast(tint, ground) for ground in (*DARK_GROUNDS, DARK_INK)) >= LEAST_CONTRAST


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#ffffff", "#000000") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


# -- language ------------------------------------------------------------------------------------------------------


def test_who_chose_no_language_reads_in_the_schools(app: Flask, ana: LintingClient) -> None:
    """As do strangers on its pages; who chose one keeps it. The British write "Sept"."""
    with at_school("skyline"):
        member(BEA).locale = "en"
        booking = make_booking(starts_at=datetime(2037, 9, 1, 17, tzinfo=UTC)).id
        session.commit()
    save(ana, locale="en_GB")
    for person, lang, day in ((LEO, "en-GB", "Tue 1 Sept"), (BEA, "en", "Tue 1 Sep,")):
        page = LintingClient(app).sign_in(person).get(f"/skyline/bookings/{booking}")
        assert (page.tree.get("lang"), day in page.text) == (lang, True), page.text
    assert LintingClient(app).get("/skyline/register").tree.get("lang") == "en-GB"
    assert LintingClient(app).sign_in(HAL).get("/harbour/profile").tree.get("lang") == "en"


# -- mail ----------------------------------------------------------------------------------------------------------


def test_a_test_mail_is_asked_for_and_comes(app: Flask, ana: LintingClient) -> None:
    take(app)
    page = ana.get(PATH).form("Send a test mail").submit()
    assert "A test mail is on its way to admin@skyline.example." in page.text
    (mail,) = sent(app)
    assert_snapshot(mail, "test_mail")
