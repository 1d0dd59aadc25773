"""Whose each row is: what an export tells a person about themself, and what erasure takes away.

Every table with a column that names a member or an account is listed in `THEIRS`, or the column in `NOT_THEIRS` with the
reason. Rows that hang below a person's rows (an answer below an attempt) are listed too. A test compares the lists with the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.foundation import tenancy
from app.foundation.db import session
from app.foundation.models import Base
from app.foundation.tenancy import TenantRef

MEMBER, ACCOUNT = "membership", "user_account"
BATCH = 500


@dataclass(frozen=True)
class Theirs:
    """How a table's rows belong to a person. `by` are the columns that name them, or a row of the table `of` that is theirs.
    Those `of` their account are of all their schools, and nobody else's to know.

    `without` are columns that are told nobody: keys, ciphers, the order of a quiz, whether an address had an account. Erasure
    writes `blank` over what a person typed, or deletes the rows (`goes`); ids, times and results stay, because the school's records
    need them.
    """

    by: tuple[str, ...]
    of: str = MEMBER
    without: tuple[str, ...] = ()
    blank: dict[str, Any] = field(default_factory=dict)
    goes: bool = False
    is_subject: bool = False
    """Whether rows that speak of the person (subject_type, subject_id) are theirs too."""


_EMPTIED: Any = literal_column("case when reason = '' then '' else 'Erased.' end")
"""A booking that was declined or cancelled gives a reason, whoever is erased."""
THEIRS: dict[str, Theirs] = {
    "membership": Theirs(("id",), without=("user_id", "name_key", "awaits_own_yes")),
    "enrollment": Theirs(("membership_id",)),
    "step_progress": Theirs(("enrollment_id",), of="enrollment"),
    "lesson_progress": Theirs(("enrollment_id",), of="enrollment"),
    "attempt": Theirs(("membership_id",), without=("question_order",)),
    "answer": Theirs(("attempt_id",), of="attempt"),
    "resource": Theirs(("membership_id",), blank={"name": "Erased person", "detail": ""}),
    "availability_rule": Theirs(("resource_id",), of="resource"),
    "availability_exception": Theirs(("resource_id",), of="resource", blank={"note": ""}),
    "booking": Theirs(("learner_id",), blank={"note": "", "reason": _EMPTIED}),
    "claim": Theirs(("booking_id",), of="booking"),
    "assignment": Theirs(("membership_id",), goes=True),
    "notification": Theirs(("membership_id",), goes=True),
    "audit_entry": Theirs(("actor_id", "on_behalf_of_id"), without=("ip_hash",), is_subject=True),
    "user_session": Theirs(
        ("user_id",), of=ACCOUNT, without=("token_hash", "csrf_hash", "acting_tenant_id", "acting_membership_id")
    ),
    "one_use_token": Theirs(("user_id",), of=ACCOUNT, without=("token_hash", "membership_id")),
    "platform_entry": Theirs(("user_id",), of=ACCOUNT, without=("email_hash", "ip_hash")),
}
NOT_THEIRS: dict[tuple[str, str], str] = {
    (
        "assignment",
        "assigned_by_id",
    ): "It is about whom it was assigned to; that somebody assigned it is in their audit entries.",
    ("booking", "decided_by_id"): "The booking is the learner's; that somebody decided it is in their audit entries.",
    ("membership", "primary_instructor_id"): "It is a fact about the learner.",
    ("membership", "user_id"): "Each school tells its own: the row is found by its id.",
    ("once_key", "user_id"): "Hashes of forms that were sent, deleted after a day.",
    ("recovery_code", "user_id"): "Hashes of secrets; that one was used is in the audit entries.",
    (
        "people_import",
        "made_by_id",
    ): "The rows are about others, and are deleted when they are carried out or after a day.",
    (
        "publication",
        "published_by_id",
    ): "The course is the school's; that somebody published it is in their audit entries.",
}


def stream(member_id: int, school: TenantRef, *, account_id: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row about a member, JSON-ready, with its table's name; in the order of THEIRS, and of ids within a table.

    The rows of their account are among them where it is named. Network addresses come as the trail keeps them, encrypted.
    Each batch is read in a session and a transaction of its own, stamped for `school` while it is read and never while the
    reader holds it, so that it may run when the request is over.
    """
    names, (place, last) = list(THEIRS), (0, 0)
    while True:
        values = {"member": member_id, "account": account_id, "place": place, "last": last}
        with tenancy.tenant_scope(school), session.session_factory() as own:
            rows = own.execute(_statement(), values).all()
        for row in rows:
            yield names[row.place], row.row
        if len(rows) < BATCH:
            return
        place, last = rows[-1].place, rows[-1].id


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
    """The next batch after the bound place and id."""
    theirs = union_all(*(_rows(place, name) for place, name in enumerate(THEIRS))).subquery()
    after = or_(
        theirs.c.place > bindparam("place"), and_(theirs.c.place == bindparam("place"), theirs.c.id > bindparam("last"))
    )
    return select(theirs).where(after).order_by(theirs.c.place, theirs.c.id).limit(BATCH)


def _rows(place: int, name: str) -> Any:
    table = Base.metadata.tables[name]
    kept = cast(["tenant_id", *THEIRS[name].without], ARRAY(Text))
    row: Any = cast(func.to_jsonb(table.table_valued()).op("-")(kept), JSONB)
    which = _is_theirs(name, THEIRS[name])
    return select(literal(place).label("place"), table.c.id.label("id"), row.label("row")).where(which)


def _is_theirs(name: str, theirs: Theirs) -> ColumnElement[bool]:
    """Whether a row of a table belongs to the person bound as `member`, or to the account bound as `account`."""
    table = Base.metadata.tables[name]
    person: Any = bindparam("member")
    if theirs.of == ACCOUNT:
        return or_(false(), *(table.c[column] == bindparam("account") for column in theirs.by))
    if theirs.of == MEMBER:
        owned = or_(false(), *(table.c[column] == person for column in theirs.by))
    else:
        above = Base.metadata.tables[theirs.of]
        owned = table.c[theirs.by[0]].in_(select(above.c.id).where(_is_theirs(theirs.of, THEIRS[theirs.of])))
    if theirs.is_subject:
        owned = or_(owned, and_(table.c.subject_type == "Membership", table.c.subject_id == person))
    return owned
