"""CSV and JSON lines: the same entries as the page, streamed, and never in the way of another school's request."""

from __future__ import annotations

import csv
import io
import json

from app.audit.models import AuditEntry
from app.audit.operations import audit
from app.audit.queries import trail as trail_queries
from app.courses.models import Course
from app.foundation import tenancy
from app.foundation.db import session
from tests.audit.committed import Committed
from tests.cast import ANA, HAL, LEO, actor, member
from tests.client import LintingClient

EVIL = '=HYPERLINK("http://x")'


def record(own: Committed, slug: str, count: int, **over: object) -> None:
    with own.at(slug):
        person = ANA if slug == "skyline" else HAL
        for n in range(count):
            audit("booking.approved", actor=actor(person), subject=member(person), after={"n": n, **over})


def test_the_csv_holds_what_the_page_finds_and_no_formula(own: Committed) -> None:
    record(own, "skyline", 3)
    with own.at("skyline"):
        session.query(type(member(LEO))).filter_by(id=member(LEO).id).update({"name": EVIL})
        audit("=cmd", actor=actor(LEO), subject=member(LEO), after={"title": "=1+1"})
        audit("course.read", actor=actor(LEO), subject=session.query(Course).filter_by(slug="weather-for-pilots").one())
    client = LintingClient(own.app).sign_in(ANA)
    page = client.get("/skyline/audit.csv?since=2020-01-01")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"].startswith('attachment; filename="audit-skyline-2')
    assert "no-store" in page.headers["Cache-Control"]
    raw = page.answer.get_data().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(raw)))
    evil = next(row for row in rows if row["action"] == "'=cmd")
    assert evil["person"] == f"'{EVIL}"
    assert not [cell for row in rows for cell in row.values() if cell[:1] in set("=+-@\t\r")]
    assert [row["action"] for row in rows][:4] == ["trail.exported", "session.opened", "course.read", "'=cmd"]
    assert [row["subject"] for row in rows][2:4] == ["Weather for Private Pilots", f"'{EVIL}"]
    assert rows[0]["person"] == "Ana Ruiz"
    assert rows[0]["address"] == "127.0.0.1"
    assert rows[0]["at"].endswith(("-08:00", "-07:00"))
    only = client.get("/skyline/audit.csv?action=booking.approved")
    assert len(list(csv.reader(io.StringIO(only.html)))) == 4


def test_json_lines_carry_the_seal(own: Committed) -> None:
    record(own, "skyline", 2)
    page = LintingClient(own.app).sign_in(ANA).get("/skyline/audit.jsonl?action=booking.approved")
    rows = [json.loads(line) for line in page.answer.get_data(as_text=True).splitlines()]
    assert [row["after"] for row in rows] == [{"n": 1}, {"n": 0}]
    assert rows[0]["seq"] == rows[1]["seq"] + 1
    assert len(rows[0]["hash"]) == 64
    assert page.headers["Content-Type"] == "application/x-ndjson"


def test_a_stream_longer_than_a_batch_is_whole(own: Committed) -> None:
    record(own, "skyline", trail_queries.BATCH + 7)
    page = LintingClient(own.app).sign_in(ANA).get("/skyline/audit.jsonl?action=booking.approved")
    numbers = [json.loads(line)["after"]["n"] for line in page.answer.get_data(as_text=True).splitlines()]
    assert numbers == list(reversed(range(trail_queries.BATCH + 7)))


def test_a_half_read_stream_leaves_no_stamp_for_the_next_request_of_its_thread(own: Committed) -> None:
    """Skyline's export is read by halves; meanwhile and after it Harbour is served on the same thread."""
    record(own, "skyline", trail_queries.BATCH * 2)
    record(own, "harbour", 2)
    ana, hal = LintingClient(own.app).sign_in(ANA), LintingClient(own.app).sign_in(HAL)
    for ending in ("csv", "jsonl"):
        stream = ana.browser.open(f"/skyline/audit.{ending}?action=booking.approved", buffered=False).response
        read = [next(stream) for _ in range(10)]
        assert b"Ana Ruiz" in b"".join(read)
        there = hal.get("/harbour/audit")
        assert "Hal Pryce" in there.text
        assert "Ana Ruiz" not in there.text
        with tenancy.tenant_scope(own_school(own, "harbour")):
            seen = {entry.tenant_id for entry in session.query(AuditEntry)}
            rest = b"".join(stream)
            assert b"Hal Pryce" not in rest
            assert {entry.tenant_id for entry in session.query(AuditEntry)} == seen
            assert len(seen) == 1
            session.remove()
        assert "Ana Ruiz" not in hal.get("/harbour/audit").text
        assert tenancy.find_by_slug("harbour")


def own_school(_own: Committed, slug: str) -> tenancy.TenantRef:
    from tests.cast import school

    return school(slug)


def test_a_stream_that_is_left_gives_its_connection_back(own: Committed) -> None:
    record(own, "skyline", trail_queries.BATCH * 2)
    client = LintingClient(own.app).sign_in(ANA)
    for _ in range(6):  # More than there are connections.
        stream = client.browser.open("/skyline/audit.csv", buffered=False)
        next(stream.response)
        stream.close()
    assert client.get("/skyline/audit").status == 200
