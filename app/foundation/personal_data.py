"""Whose each row is: what an export tells a person about themself, and what erasure takes away.

Every table with a column that names a member is listed in `THEIRS`, or the column in `NOT_THEIRS` with the reason. Rows that
hang below a person's rows (an answer below an attempt) are listed too. A test compares the lists with the tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.foundation.db import session
from app.foundation.models import Base

MEMBER = "membership"


@dataclass(frozen=True)
class Theirs:
    """How a table's rows belong to a person. `by` are the columns that name them, or a row of the table `of` that is theirs.

    `without` are columns that are kept to the school: keys, ciphers, the order of a quiz. Erasure writes `blank` over what a
    person typed, or deletes the rows (`goes`); ids, times and results stay, because the school's records need them.
    """

    by: tuple[str, ...]
    of: str = MEMBER
    without: tuple[str, ...] = ()
    blank: dict[str, Any] = field(default_factory=dict)
    goes: bool = False
    is_subject: bool = False
    """Whether rows that speak of the person (subject_type, subject_id) are theirs too."""


THEIRS: dict[str, Theirs] = {
    "membership": Theirs(("id",), without=("user_id", "name_key")),
    "enrollment": Theirs(("membership_id",)),
    "step_progress": Theirs(("enrollment_id",), of="enrollment"),
    "lesson_progress": Theirs(("enrollment_id",), of="enrollment"),
    "attempt": Theirs(("membership_id",), without=("question_order",)),
    "answer": Theirs(("attempt_id",), of="attempt"),
    "resource": Theirs(("membership_id",), blank={"name": "Erased person", "detail": ""}),
    "availability_rule": Theirs(("resource_id",), of="resource"),
    "availability_exception": Theirs(("resource_id",), of="resource", blank={"note": ""}),
    "booking": Theirs(("learner_id",), blank={"note": ""}),
    "claim": Theirs(("booking_id",), of="booking"),
    "notification": Theirs(("membership_id",), goes=True),
    "audit_entry": Theirs(
        ("actor_id", "on_behalf_of_id"), without=("ip_cipher", "ip_key_id", "ip_hash"), is_subject=True
    ),
}
NOT_THEIRS: dict[tuple[str, str], str] = {
    ("booking", "decided_by_id"): "The booking is the learner's; that somebody decided it is in their audit entries.",
    ("membership", "primary_instructor_id"): "It is a fact about the learner.",
    (
        "people_import",
        "made_by_id",
    ): "The rows are about others, and are deleted when they are carried out or after a day.",
    (
        "publication",
        "published_by_id",
    ): "The course is the school's; that somebody published it is in their audit entries.",
}


def tell(member_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every row about a member of the school in force, JSON-ready, by table and in the order of their ids: one SELECT."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, row in session.execute(_statement(), {"member": member_id}):
        told[table].append(row)
    return {table: sorted(told[table], key=lambda row: row["id"]) for table in THEIRS if table in told}


def blank(member_id: int) -> None:
    """Write over or delete what a member typed, in every table but their own row, which is the deed's business."""
    for name, theirs in THEIRS.items():
        table = Base.metadata.tables[name]
        mine = _is_theirs(name, theirs)
        if theirs.goes:
            session.execute(delete(table).where(mine), {"member": member_id})
        elif theirs.blank:
            session.execute(update(table).where(mine).values(**theirs.blank), {"member": member_id})


def _statement() -> Any:
    return union_all(*(_rows(name, theirs) for name, theirs in THEIRS.items()))


def _rows(name: str, theirs: Theirs) -> Any:
    table = Base.metadata.tables[name]
    kept = cast(["tenant_id", *theirs.without], ARRAY(Text))
    row: Any = cast(func.to_jsonb(table.table_valued()).op("-")(kept), JSONB)
    return select(literal(name).label("name"), row.label("row")).where(_is_theirs(name, theirs))


def _is_theirs(name: str, theirs: Theirs) -> ColumnElement[bool]:
    """Whether a row of a table belongs to the person bound as `member`."""
    table = Base.metadata.tables[name]
    person: Any = bindparam("member")
    if theirs.of == MEMBER:
        owned = or_(false(), *(table.c[column] == person for column in theirs.by))
    else:
        above = Base.metadata.tables[theirs.of]
        owned = table.c[theirs.by[0]].in_(select(above.c.id).where(_is_theirs(theirs.of, THEIRS[theirs.of])))
    if theirs.is_subject:
        owned = or_(owned, and_(table.c.subject_type == "Membership", table.c.subject_id == person))
    return owned
