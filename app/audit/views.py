"""The admins' page of the trail, and the same as CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.audit.forms import TrailForm
from app.audit.models import OPERATOR, AuditEntry
from app.audit.operations import keys_of_app, record_export
from app.audit.policies import Can
from app.audit.queries import (
    KIND_OF_FIELD,
    PERSON,
    Line,
    Names,
    Record,
    Wanted,
    emails_of_operators,
    list_trail,
    names_of_records,
    numbers_in,
    operators_in,
    records_in,
    stream_trail,
    vocabulary,
)
from app.audit.rules import KeyRing, action_words, field_words, spreadsheet_safe, subject_words, value_words
from app.foundation import clock, nav, tenancy
from app.foundation.formats import day_with_year, when
from app.foundation.permissions import requires
from app.foundation.refusals import BadRequest
from app.foundation.replies import page
from app.foundation.tenancy import TenantRef
from app.tenants.rules import hours_in_words

bp = Blueprint("audit", __name__, url_prefix="/<tenant>")
nav.add_card(
    nav.Card(
        _l("Audit trail"),
        _l("Everything that was done, by whom and when."),
        "audit.trail_index",
        "history",
        40,
        Can.READ,
    )
)


@bp.get("/audit")
@requires(Can.READ)
def trail_index() -> Any:
    form = TrailForm(formdata=request.args, meta={"csrf": False})
    found = list_trail(_wanted(form), cursor=request.args.get("cursor", "")) if form.validate() else None
    form.offer(vocabulary())
    records = records_in(line.entry for line in found.rows) if found else set()
    names = names_of_records(records | ({(PERSON, form.member.data)} if form.member.data else set()))
    operators = emails_of_operators(operators_in([line.entry for line in found.rows])) if found else {}
    reader = Reader(names, operators, str(current_user.zone), keys_of_app())
    return page("audit/index.html", form=form, found=found, reader=reader, status=200 if found else 422)


@bp.get("/audit.csv")
@requires(Can.READ)
def trail_csv() -> Response:
    return _stream("csv", "text/csv", _csv_lines)


@bp.get("/audit.jsonl")
@requires(Can.READ)
def trail_jsonl() -> Response:
    return _stream("jsonl", "application/x-ndjson", _json_lines)


DAY = re.compile(r"\d{4}-\d\d-\d\d")
THE_SCHOOL = {"Tenant", "SchoolSettings"}
"""Kinds of which a school has one, so that a number says nothing."""


@dataclass(frozen=True)
class Reader:
    """How entries read to one person: names of records, addresses of operators by id, their zone, the keys of addresses."""

    names: Names
    operators: dict[int, str]
    zone: str
    ring: KeyRing

    def person(self, member_id: int | None) -> str:
        """A member's name; what stands there when there is none."""
        if member_id is None:
            return ""
        return self.names.get((PERSON, member_id)) or _("Person %(number)s", number=member_id)

    def who(self, entry: AuditEntry) -> str:
        """Who did it, and on whose behalf."""
        person = self.person(entry.actor_id) or self.operator(entry)
        if entry.on_behalf_of_id is not None:
            return _("%(person)s as %(other)s", person=person, other=self.person(entry.on_behalf_of_id))
        return person

    def operator(self, entry: AuditEntry) -> str:
        """Who did what no member did: an operator of the platform, or it by itself."""
        if entry.operator_id is None:
            return _("Groundschool") if entry.on_behalf_of_id is None else _("An operator of Groundschool")
        return _("An operator (%(who)s)", who=self.operators.get(entry.operator_id, entry.operator_id))

    def what(self, entry: AuditEntry) -> str:
        return action_words(entry.action)

    def about(self, entry: AuditEntry) -> str:
        """What it was done to: a person's name, or the kind with its name; the number where it has none. "Booking approved"
        names the kind already."""
        if entry.subject_type == PERSON and entry.subject_id:
            return self.person(entry.subject_id)
        kind = subject_words(entry.subject_type)
        if entry.subject_type in THE_SCHOOL or entry.subject_id is None:
            return kind
        name = self.record((entry.subject_type, entry.subject_id)) or self._named_beside(entry)
        if not name:
            return f"{kind} {entry.subject_id}"
        is_said = entry.action.partition(".")[0] == entry.subject_type.lower()
        return name if is_said else _("%(kind)s: %(name)s", kind=kind, name=name)

    def record(self, record: Record) -> str:
        """What a record is called, an instant in the reader's zone; nothing if it has no name."""
        name = self.names.get(record, "")
        if instant := _instant(name):
            return self.instant(instant)
        return _day_words(name)

    def _named_beside(self, entry: AuditEntry) -> str:
        """The course of an enrollment or an assignment, as the entry itself keeps it."""
        numbers = numbers_in((entry.after or entry.before or {}).get("course_id"))
        return self.record(("Course", numbers[0])) if numbers else ""

    def exactly(self, entry: AuditEntry) -> str:
        """The instant to the millisecond, in the reader's zone."""
        local = entry.at.astimezone(ZoneInfo(self.zone))
        return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03} {local.tzname()}"

    def changes(self, entry: AuditEntry) -> list[tuple[str, str, str]]:
        """Field, before and after, in words."""
        before, after = entry.before or {}, {f: v for f, v in (entry.after or {}).items() if f != OPERATOR}
        return [
            (field_words(f), self.field(f, before.get(f)), self.field(f, after.get(f))) for f in {**before, **after}
        ]

    def field(self, field: str, value: Any) -> str:
        """A field's value in words; the names of the records that it points to."""
        if field == "opening_hours" and isinstance(value, dict) and value:
            return hours_in_words(value)
        kind, numbers = KIND_OF_FIELD.get(field), numbers_in(value)
        if kind is None or not numbers:
            return self.value(value)
        return ", ".join(self.record((kind, number)) or str(number) for number in numbers)

    def value(self, value: Any) -> str:
        """A recorded value in words: instants in the reader's zone, lists with commas, nothing as a dash."""
        if value is None or value in ("", [], {}):
            return "–"
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list):
            return ", ".join(self.value(item) for item in value)
        if isinstance(value, dict):
            return "; ".join(f"{field_words(key)}: {self.value(item)}" for key, item in value.items())
        instant = _instant(value) if isinstance(value, str) else None
        return self.instant(instant) if instant else value_words(str(value))

    def instant(self, instant: datetime) -> str:
        """An instant in words, with its year."""
        return f"{when(instant, self.zone)} {instant.astimezone(ZoneInfo(self.zone)).year}"

    def address(self, entry: AuditEntry) -> str:
        """The network address it came from; empty for work that no request did."""
        if entry.ip_cipher is None:
            return ""
        return address_of(entry, self.ring) or _("not readable: its key is gone")


def address_of(entry: AuditEntry, ring: KeyRing) -> str | None:
    """The network address of an entry; None if it has none, or one whose key is gone."""
    return ring.read(entry.ip_cipher, entry.ip_key_id, bound_to=str(entry.tenant_id))


# -- streaming -----------------------------------------------------------------------------------------------------

COLUMNS = (
    *("seq", "at", "person", "on_behalf_of", "action", "subject_type", "subject_id", "subject", "before", "after"),
    *("correlation_id", "origin", "address", "user_agent", "hash"),
)
Rows = Iterator[dict[str, Any]]


def _stream(ending: str, mimetype: str, spell: Callable[[Rows], Iterator[str]]) -> Response:
    form = TrailForm(formdata=request.args, meta={"csrf": False})
    if not form.validate():
        raise BadRequest(_("These filters make no sense. Set them on the audit page and export again."))
    school = tenancy.required()
    record_export(ending, list(form.asked), actor=current_user)
    rows = _rows(_wanted(form), school, str(current_user.zone), keys_of_app())
    name = f"audit-{school.slug}-{clock.today(school.zone).isoformat()}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(spell(rows), mimetype=mimetype, headers=headers)


def _rows(wanted: Wanted, school: TenantRef, zone: str, ring: KeyRing) -> Rows:
    """Runs when the request is over: without its context, and so without translations."""
    for lines, names, operators in stream_trail(wanted, school):
        yield from (_row(line, names, operators, ZoneInfo(zone), ring) for line in lines)


def _row(line: Line, names: Names, operators: dict[int, str], zone: ZoneInfo, ring: KeyRing) -> dict[str, Any]:
    entry = line.entry
    operator = f"operator {operators.get(entry.operator_id, entry.operator_id)}" if entry.operator_id else None
    values = (
        line.seq,
        entry.at.astimezone(zone).isoformat(),
        names.get((PERSON, entry.actor_id or 0), entry.actor_id) or operator,
        names.get((PERSON, entry.on_behalf_of_id or 0), entry.on_behalf_of_id),
        entry.action,
        entry.subject_type,
        entry.subject_id,
        _in_zone(names.get((entry.subject_type, entry.subject_id or 0)), zone),
        entry.before,
        entry.after,
        entry.correlation_id,
        entry.origin,
        address_of(entry, ring),
        entry.user_agent,
        line.hash.hex() if line.hash else None,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _csv_lines(rows: Rows) -> Iterator[str]:
    """With a byte order mark, by which spreadsheets know UTF-8."""
    yield "\ufeff" + _csv_line(list(COLUMNS))
    for row in rows:
        yield _csv_line([_cell(value) for value in row.values()])


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([spreadsheet_safe(cell) for cell in cells])
    return line.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _json_lines(rows: Rows) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _wanted(form: TrailForm) -> Wanted:
    school = tenancy.required()
    return form.wanted(school.zone, lambda address: keys_of_app().hash(address, bound_to=str(school.id)))


def _in_zone(name: str | None, zone: ZoneInfo) -> str | None:
    """A record's name; one that is an instant in ISO, as the other instants of the row are."""
    instant = _instant(name or "")
    return instant.astimezone(zone).isoformat() if instant else name


def _day_words(name: str) -> str:
    """A name that is a day, in words; any other as it is."""
    if not DAY.fullmatch(name):
        return name
    return day_with_year(date.fromisoformat(name))


def _instant(text: str) -> datetime | None:
    """The instant that an ISO text with an offset names, else None."""
    if not 20 <= len(text) <= 32 or text[10] != "T":
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
