"""What the records are called that entries speak of by number: people, courses, bookings, aircraft, departments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.foundation.db import session
from app.foundation.models import Base
from app.identity.models import Membership

PERSON = Membership.__name__
KIND_OF_FIELD = {
    "audience": "Department",
    "course_id": "Course",
    "department_id": "Department",
    "escalate_to_ids": PERSON,
    "membership_id": PERSON,
    "parent_id": "Department",
    "primary_instructor_id": PERSON,
    "resource_id": "Resource",
    "takes": "Resource",
    "wished_instructor_id": "Resource",
}
"""Of which kind the records are whose numbers an entry keeps in a field."""
Record = tuple[str, int]
"""A kind of record and its number."""
Names = dict[Record, str]


def records_in(entries: Iterable[AuditEntry]) -> set[Record]:
    """All that entries speak of by number: who sat there, whom they acted as, what it was done to, and what changed."""
    return {record for entry in entries for record in _records_of(entry)}


def names_of_records(records: set[Record], own: Session | None = None) -> Names:
    """What records are called, in one SELECT: the text, or the instant in ISO, of the column that their table names as
    `called_by`. What is gone, or has no such column, is not there."""
    wanted: dict[str, set[int]] = {}
    for kind, number in records:
        wanted.setdefault(kind, set()).add(number)
    found = [
        select(literal(kind), model.id, func.to_jsonb(getattr(model, model.called_by))).where(
            model.id.in_(wanted[kind])
        )
        for kind, model in _models_with_names()
        if kind in wanted
    ]
    rows = (own or session).execute(union_all(*found)) if found else ()
    return {(kind, number): name for kind, number, name in rows if isinstance(name, str)}


def numbers_in(value: Any) -> list[int]:
    """The numbers that a field's value is: one, several, or none."""
    return [number for number in (value if isinstance(value, list) else [value]) if type(number) is int]


def _records_of(entry: AuditEntry) -> Iterator[Record]:
    yield from ((PERSON, member) for member in (entry.actor_id, entry.on_behalf_of_id) if member is not None)
    if entry.subject_id is not None:
        yield entry.subject_type, entry.subject_id
    for side in (entry.before or {}, entry.after or {}):
        for field, kind in KIND_OF_FIELD.items():
            yield from ((kind, number) for number in numbers_in(side.get(field)))


def _models_with_names() -> Iterator[tuple[str, Any]]:
    mapped = ((mapper.class_.__name__, mapper.class_) for mapper in Base.registry.mappers)
    return ((kind, model) for kind, model in mapped if getattr(model, "called_by", ""))
