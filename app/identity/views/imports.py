"""Adding people to a school, at once or by an invitation: one, or many from a list that is reviewed first."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from app.foundation.formats import sort_key
from app.foundation.mail import can_send_mail
from app.foundation.once import once
from app.foundation.pages import ListQuery, list_query, paginate_rows
from app.foundation.permissions import access, requires
from app.foundation.refusals import Refusal
from app.foundation.replies import page, reply
from app.identity.forms.people import ImportForm, NewPersonForm
from app.identity.forms.registration import PressOnlyForm
from app.identity.models import Membership, PeopleImport
from app.identity.operations.adding import add_outright
from app.identity.operations.imports import (
    ADDED,
    CHANGED,
    MOST_BYTES,
    REFUSED,
    SAME,
    Row,
    carry_out_import,
    draft_import,
    forget_import,
    roles_of,
    rows_of,
)
from app.identity.operations.registration import invite
from app.identity.policies import Can
from app.identity.rules import role_words
from app.identity.views import people_bp as bp
from app.identity.views.people import link_page
from app.tenants.queries import find_department, list_places

ROOM_FOR_FORM = 20_000
"""Bytes of a post besides the list itself."""
ROWS_A_PAGE = 100
SHOWN = (REFUSED, CHANGED, ADDED, SAME)
"""In which order the review shows what would be done."""


class ListTooLarge(Refusal):
    """More was sent than a list may hold."""

    status = 413


@bp.get("/new")
@requires(Can.ADD_PEOPLE)
def new() -> Any:
    return _new_page(NewPersonForm(formdata=None))


@bp.post("/new")
@requires(Can.ADD_PEOPLE)
@once
def create() -> Any:
    form = NewPersonForm()
    form.offer(_departments())
    if member := form.carry_out(lambda: _add(form)):
        if not can_send_mail():
            return link_page(member)
        said = _("%(name)s is invited. A mail with a link to come in is on its way.", name=member.name)
        if form.at_once:
            said = _("%(name)s is in. A mail with a link to choose a password is on its way.", name=member.name)
        return reply(url_for("people.show", member_id=member.id), said=said)
    return _new_page(form)


@bp.get("/imports")
@requires(Can.ADD_PEOPLE)
def imports_new() -> Any:
    return page("people/import_new.html", form=ImportForm(formdata=None))


@bp.post("/imports")
@requires(Can.ADD_PEOPLE)
@once
def import_create() -> Any:
    form = ImportForm()
    if draft := form.carry_out(lambda: draft_import(_sent(form), at_once=form.at_once, actor=current_user)):
        return reply(url_for("people.import_show", import_id=draft.id))
    return page("people/import_new.html", form=form, status=form.status)


@bp.before_request
def refuse_what_is_too_large() -> None:
    """Before the form is read: a list has a limit of its own, below that of other posts."""
    if request.endpoint == "people.import_create" and (request.content_length or 0) > MOST_BYTES + ROOM_FOR_FORM:
        raise ListTooLarge(_("A list may have one megabyte at most. Split it and import the parts."))


@bp.get("/imports/<int:import_id>")
@requires(Can.ADD_PEOPLE)
def import_show(import_id: int) -> Any:
    draft = access(PeopleImport, import_id)
    rows, wanted = rows_of(draft), list_query(sorts={"outcome": ""}, outcome=_outcomes())
    matching = [row for row in rows if _matches(row, wanted)]
    return page(
        "people/import.html",
        draft=draft,
        found=paginate_rows(matching, _place, (int, int), cursor=wanted.cursor, size=ROWS_A_PAGE),
        wanted=wanted,
        counts=Counter(row.outcome for row in rows),
        total=len(rows),
        once=f"people-import-{draft.id:012}",
        mails=can_send_mail(),
        roles=_roles_in_words,
    )


@bp.post("/imports/<int:import_id>/carrying-out")
@requires(Can.ADD_PEOPLE)
@once
def import_carry_out(import_id: int) -> Any:
    draft, form = access(PeopleImport, import_id), PressOnlyForm()
    at_once = draft.at_once
    outcomes = form.carry_out(lambda: carry_out_import(draft, actor=current_user))
    if outcomes is None:
        raise Refusal(form.refusal or _("Load the page again and resend it."))
    said = [
        _how_many(outcomes[ADDED], at_once),
        ngettext("%(num)d is changed.", "%(num)d are changed.", outcomes[CHANGED]) if outcomes[CHANGED] else "",
    ]
    if outcomes[REFUSED]:
        said.append(ngettext("%(num)d line was left out.", "%(num)d lines were left out.", outcomes[REFUSED]))
    status = None
    if outcomes[ADDED] and not can_send_mail():
        said.append(_("Take each one's link from their page, by “Make a link”, and hand it over."))
        status = None if at_once else "invited"
    return reply(url_for("people.index", sort="newest", status=status), said=" ".join(filter(None, said)))


@bp.get("/imports/<int:import_id>/<any('carrying-out', 'removal'):deed>")
@requires(Can.ADD_PEOPLE)
def import_deed_show(import_id: int, deed: str) -> Any:
    """A deed is posted; whoever opens its address is led to the review."""
    return redirect(url_for("people.import_show", import_id=access(PeopleImport, import_id).id), 303)


@bp.post("/imports/<int:import_id>/removal")
@requires(Can.ADD_PEOPLE)
@once
def import_remove(import_id: int) -> Any:
    forget_import(access(PeopleImport, import_id).id)
    return reply(url_for("people.imports_new"), said=_("The list is forgotten. Nobody was added."))


# -- what the pages are made of ------------------------------------------------------------------------------------


def _how_many(count: int, at_once: bool) -> str:
    if at_once:
        return ngettext("%(num)d person is added.", "%(num)d people are added.", count)
    return ngettext("%(num)d person is invited.", "%(num)d people are invited.", count)


def _add(form: NewPersonForm) -> Membership:
    department = find_department(int(form.department.data)) if form.department.data else None
    deed = add_outright if form.at_once else invite
    return deed(
        email=form.email.data or "", name=form.name.data or "", roles=form.chosen, department=department,
        actor=current_user,
    )  # fmt: skip


def _outcomes() -> dict[str, str]:
    return {REFUSED: _("Refused"), CHANGED: _("Changed"), ADDED: _("Added"), SAME: _("Unchanged")}


def _matches(row: Row, wanted: ListQuery) -> bool:
    searched = sort_key(wanted.search) in sort_key(f"{row.name}\n{row.email}")
    return searched and wanted.get("outcome") in (None, row.outcome)


def _place(row: Row) -> tuple[int, int]:
    """Where the review shows a line: what needs a look comes first, each outcome in the order of the list."""
    return SHOWN.index(row.outcome), row.line


def _roles_in_words(row: Row) -> str:
    return ", ".join(role_words()[role] for role in roles_of(row))


def _new_page(form: NewPersonForm) -> Any:
    form.offer(_departments())
    return page("people/new.html", form=form, mails=can_send_mail(), status=form.status)


def _departments() -> list[tuple[str, str]]:
    return list(list_places().items())


def _sent(form: ImportForm) -> str | bytes:
    if form.file.data:
        content: bytes = form.file.data.read(MOST_BYTES + 1)
    else:
        content = (form.pasted.data or "").encode()
    if len(content) > MOST_BYTES:
        raise ListTooLarge(_("A list may have one megabyte at most. Split it and import the parts."))
    return content
