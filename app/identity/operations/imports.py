"""Many people at once: a list is read, reviewed line by line, and only then carried out, in few statements however long it is."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.jobs import schedule_job
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.events import MemberInvited, ProfileChanged
from app.identity.models import Membership, PeopleImport, User
from app.identity.operations.adding import hold_accounts, let_in_at_once, record_added
from app.identity.operations.links import mail_links
from app.identity.queries import known_address, may_be_anybodys
from app.identity.rules import Purpose, address_problem, plain_address, role_words, standing_words
from app.tenants.queries import list_departments

MOST_BYTES = 1_000_000
MOST_ROWS = 5_000
KEPT = timedelta(days=1)
ADDED, CHANGED, SAME, REFUSED = "added", "changed", "same", "refused"
HEADINGS = {
    "name": {"name", "full name", "person"},
    "first": {"first name", "firstname", "given name"},
    "last": {"last name", "lastname", "surname", "family name"},
    "email": {"email", "e-mail", "mail", "email address", "e-mail address"},
    "phone": {"phone", "telephone", "mobile", "phone number"},
    "roles": {"role", "roles"},
    "department": {"department", "group"},
}
WITHOUT_HEADINGS = ("name", "email", "roles", "department")
LONGEST = {"name": 120, "email": 254, "phone": 40}


class Unreadable(Refusal):
    """The list as a whole makes no sense."""

    status = 422


class NotThereAnyMore(Refusal):
    """Somebody else carried the list out, or forgot it."""


@dataclass
class Row:
    """One line of a list: what it says, what would be done with it, and why not."""

    line: int
    name: str = ""
    email: str = ""
    phone: str = ""
    roles: str = ""
    department: str = ""
    outcome: str = ""
    why: str = ""


def draft_import(text: str | bytes, *, at_once: bool = False, actor: Actor) -> PeopleImport:
    """Read a list and keep it for its review; nothing else is written. Refuses what is no list.

    `at_once` says that who is new is let in outright, and who was invited is, too; else they are invited.
    """
    rows = read_rows(decode(text) if isinstance(text, bytes) else text)
    review(rows, at_once=at_once)
    draft = PeopleImport(made_by_id=actor.membership_id, rows=[asdict(row) for row in rows], at_once=at_once)
    session.add(draft)
    session.flush()
    schedule_job("identity.forget_import", key=f"import:{draft.id}", run_at=clock.now() + KEPT, import_id=draft.id)
    return draft


def carry_out_import(draft: PeopleImport, *, actor: Actor) -> Counter[str]:
    """Do what the review said, judged anew as things stand now. Returns how many rows had which outcome. Its list is forgotten.

    Who is here by another address counts as refused, and that they are is not said.
    Refuses a list that somebody else carried out or forgot meanwhile.
    """
    _lock(draft)
    rows = rows_of(draft)
    known = review(rows, at_once=draft.at_once, hold=True)
    departments = _departments()
    wanted = [row for row in rows if row.outcome == ADDED]
    left_out = len(wanted) - _add(wanted, departments, at_once=draft.at_once, actor=actor)
    changed = {known[row.email.lower()].id: row for row in rows if row.outcome == CHANGED}
    for row in changed.values():
        _change(known[row.email.lower()], row, departments, actor=actor)
    if draft.at_once:
        _let_in_invited(changed.keys(), actor=actor)
    outcomes = Counter(row.outcome for row in rows)
    outcomes += Counter({REFUSED: left_out})
    outcomes -= Counter({ADDED: left_out})
    audit("import.carried_out", actor=actor, subject=draft, after=dict(outcomes))
    session.delete(draft)
    session.flush()
    return outcomes


def _lock(draft: PeopleImport) -> None:
    same = select(PeopleImport).where(PeopleImport.id == draft.id).with_for_update()
    if session.scalars(same.execution_options(populate_existing=True)).first() is None:
        raise NotThereAnyMore(_("This list was carried out or forgotten a moment ago."))


def forget_import(import_id: int) -> None:
    """Delete a list that nobody carried out in time."""
    session.execute(delete(PeopleImport).where(PeopleImport.id == import_id))


def rows_of(draft: PeopleImport) -> list[Row]:
    """The rows of a kept list."""
    return [Row(**row) for row in draft.rows]


# -- reading -------------------------------------------------------------------------------------------------------


def decode(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or else Latin-1 as Windows writes it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def read_rows(text: str) -> list[Row]:
    """The rows of a list whose cells are divided by commas, semicolons or tabs, under headings in any order.

    Without headings the order is name, e-mail, roles, department. Raises Unreadable.
    """
    text = text.removeprefix("\ufeff").replace("\0", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), skipinitialspace=True)
    try:
        lines = list(_numbered(reader))
    except csv.Error as error:
        raise Unreadable(_("This is no list that can be read. Save it as CSV and try again.")) from error
    if not lines:
        raise Unreadable(_("The list is empty. Paste it or choose a file."))
    columns = _columns(lines[0][1])
    if columns is None:
        if not any("@" in cell for cell in lines[0][1]):
            raise Unreadable(_("No column is headed “E-mail”. Name the columns in the first line."))
        columns = dict(enumerate(WITHOUT_HEADINGS))
    else:
        lines = lines[1:]
    if not lines:
        raise Unreadable(_("There is nobody below the headings."))
    if len(lines) > MOST_ROWS:
        raise Unreadable(_("Import %(most)s people at most at once.", most=MOST_ROWS))
    return [_row(number, cells, columns) for number, cells in lines]


def _numbered(reader: Any) -> Iterable[tuple[int, list[str]]]:
    """Each row that is not empty, with the line on which it begins."""
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _columns(cells: list[str]) -> dict[int, str] | None:
    """What each column holds, by its heading; None if these are no headings."""
    by_heading = {heading: name for name, headings in HEADINGS.items() for heading in headings}
    named = {place: by_heading.get(" ".join(cell.lower().split()), "") for place, cell in enumerate(cells)}
    return named if "email" in named.values() else None


def _row(number: int, cells: list[str], columns: Mapping[int, str]) -> Row:
    said = {columns[place]: " ".join(cell.split()) for place, cell in enumerate(cells) if columns.get(place)}
    name = said.get("name") or f"{said.get('first', '')} {said.get('last', '')}".strip()
    more = {key: said.get(key, "") for key in ("email", "phone", "roles", "department")}
    return Row(number, name, **more)


# -- reviewing -----------------------------------------------------------------------------------------------------


def review(rows: list[Row], *, at_once: bool, hold: bool = False) -> dict[str, Membership]:
    """Say of each row what would be done with it, in two SELECTs. Returns the people who are known here, by e-mail: not those in
    whose name anybody may have asked, who are added as if they were not.

    `hold` holds them until the transaction ends, so that nobody is changed who is erased at the same time.
    """
    known, departments = _known(rows, hold=hold), _departments()
    first_at: dict[str, int] = {}
    for row in rows:
        row.outcome, row.why = REFUSED, _fault(row, departments, first_at)
        first_at.setdefault(row.email.lower(), row.line)
        if not row.why:
            row.outcome, row.why = _judge(row, known.get(row.email.lower()), departments, at_once=at_once)
    return known


def _known(rows: list[Row], *, hold: bool) -> dict[str, Membership]:
    mails = {row.email.lower() for row in rows}
    here = select(known_address(), Membership).join(User, User.id == Membership.user_id)
    here = here.where(known_address().in_(mails), ~may_be_anybodys()).order_by(Membership.id)
    if hold:
        held = here.with_for_update(of=Membership, key_share=True)
        here = held.execution_options(populate_existing=True)
    found = session.execute(here)
    return {row[0]: row[1] for row in found}


def _departments() -> dict[str, int]:
    return {department.name.lower(): department.id for department in list_departments()}


def _fault(row: Row, departments: Mapping[str, int], first_at: Mapping[str, int]) -> str:
    """What is wrong with a row by itself; empty if nothing is."""
    if not row.email:
        return _("There is no e-mail.")
    if problem := address_problem(row.email):
        return problem
    if not row.name:
        return _("There is no name.")
    if too_long := next((key for key, most in LONGEST.items() if len(getattr(row, key)) > most), ""):
        return _("The %(column)s is longer than %(most)s characters.", column=too_long, most=LONGEST[too_long])
    if row.email.lower() in first_at:
        return _("The same e-mail stands on line %(line)s.", line=first_at[row.email.lower()])
    if strange := next((word for word in _role_words(row) if word not in _roles_by_word()), ""):
        return _("There is no role “%(role)s”.", role=strange[:40])
    if row.department and row.department.lower() not in departments:
        return _("There is no department “%(department)s”.", department=row.department[:80])
    return ""


def _judge(row: Row, member: Membership | None, departments: Mapping[str, int], *, at_once: bool) -> tuple[str, str]:
    if member is None:
        return ADDED, ""
    if member.status not in ("active", "invited"):
        standing = standing_words()[member.status]
        return REFUSED, _("They are known here, and “%(standing)s”.", standing=standing)
    if row.roles and roles_of(row) != sorted(member.roles):
        return REFUSED, _("They are here with other roles. Change those on their page.")
    words = {"name": _("name"), "phone": _("phone"), "department_id": _("department")}
    new = [words[name] for name, _value in _differences(member, row, departments)]
    if at_once and member.status == "invited":
        new.insert(0, _("let in at once"))
    return (CHANGED, ", ".join(new)) if new else (SAME, "")


def _differences(member: Membership, row: Row, departments: Mapping[str, int]) -> list[tuple[str, Any]]:
    """The fields that a row changes. An empty cell changes nothing."""
    said = {"name": row.name, "phone": row.phone, "department_id": departments.get(row.department.lower())}
    return [(name, value) for name, value in said.items() if value and value != getattr(member, name)]


def _role_words(row: Row) -> list[str]:
    parts = row.roles.replace("/", ",").replace(";", ",").replace("|", ",").replace("+", ",").split(",")
    return [part.strip().lower() for part in parts if part.strip()]


def _roles_by_word() -> dict[str, str]:
    return {**{word.lower(): role for role, word in role_words().items()}, **{role.value: role.value for role in Role}}


def roles_of(row: Row) -> list[str]:
    """The roles that a row names; who comes without one is a learner."""
    return sorted({_roles_by_word()[word] for word in _role_words(row)}) or [Role.LEARNER.value]


# -- carrying out --------------------------------------------------------------------------------------------------


def _add(rows: list[Row], departments: Mapping[str, int], *, at_once: bool, actor: Actor) -> int:
    """Users, members, links and mails: a statement each, however many rows there are. Returns how many people were added."""
    if not rows:
        return 0
    mails = {row.email.lower(): row for row in rows}
    user_ids = hold_accounts(row.email for row in rows)
    values = [_member_values(row, user_ids[mail], departments, at_once=at_once) for mail, row in mails.items()]
    made = insert(Membership).on_conflict_do_nothing()
    members = _take_over(values) + list(session.scalars(made.returning(Membership), values))
    if at_once:
        record_added(members, actor=actor)
    else:
        _record_invited(members, actor=actor)
    _mail_links(members)
    return len(members)


def _take_over(values: list[dict[str, Any]]) -> list[Membership]:
    """Requests that anybody may have typed become what the list says. Their accounts are held."""
    said = {value["user_id"]: value for value in values}
    asked = select(Membership).join(User, User.id == Membership.user_id)
    asked = asked.where(Membership.user_id.in_(said), may_be_anybodys(), Membership.known_as == User.email)
    asked = asked.order_by(Membership.id).with_for_update(of=Membership, key_share=True)
    members = list(session.scalars(asked.execution_options(populate_existing=True)))
    for member in members:
        for name, value in said[member.user_id].items():
            setattr(member, name, value)
        member.standing_reason, member.awaits_own_yes = None, False
    session.flush()
    return members


def _record_invited(members: list[Membership], *, actor: Actor) -> None:
    for member in members:
        after = {"roles": member.roles, "department_id": member.department_id}
        audit("member.invited", actor=actor, subject=member, after=after)
        announce(MemberInvited(member.id))


def _let_in_invited(ids: Iterable[int], *, actor: Actor) -> None:
    """Let in those of these people who are still invited."""
    invited = select(Membership).where(Membership.id.in_(list(ids)), Membership.status == "invited")
    invited = invited.order_by(Membership.id).with_for_update(key_share=True)
    members = list(session.scalars(invited.execution_options(populate_existing=True)))
    let_in_at_once(members, actor=actor)
    _mail_links(members)


def _mail_links(members: list[Membership]) -> None:
    mail_links(Purpose.INVITATION, [(member.user_id, member.id) for member in members])


def _member_values(row: Row, user_id: int, departments: Mapping[str, int], *, at_once: bool) -> dict[str, Any]:
    return {
        "tenant_id": tenancy.required().id,
        "user_id": user_id,
        "name": row.name,
        "name_key": sort_key(row.name),
        "phone": row.phone or None,
        "roles": roles_of(row),
        "status": "active" if at_once else "invited",
        "link_awaited": at_once,
        "approved_at": clock.now() if at_once else None,
        "department_id": departments.get(row.department.lower()),
        "invited_at": clock.now(),
        "known_as": plain_address(row.email),
    }


def _change(member: Membership, row: Row, departments: Mapping[str, int], *, actor: Actor) -> None:
    changed = dict(_differences(member, row, departments))
    if not changed:
        return
    before = {name: getattr(member, name) for name in changed}
    for name, value in changed.items():
        setattr(member, name, value)
    member.name_key = sort_key(member.name)
    audit("profile.changed", actor=actor, subject=member, before=before, after=changed)
    announce(ProfileChanged(member.id))
