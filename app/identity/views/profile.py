"""What is kept about a person: their profile, its export and erasure, and the facts that admins keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from flask import Response, abort, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.meanwhile import ChangedMeanwhile
from app.foundation.permissions import access, own_record, requires, signed_in
from app.foundation.replies import page, reply
from app.identity.forms.profile import ErasureForm, FactsForm, ProfileForm
from app.identity.models import Membership
from app.identity.operations.erasure import answer_erasure, ask_for_erasure, erase_person
from app.identity.operations.profile import Told, change_profile, expect_proven, facts_of, tell
from app.identity.policies import Can
from app.identity.queries import find_standing_member, list_instructor_choices
from app.identity.views import bp
from app.tenants.queries import list_places, school_settings


@bp.get("/<tenant>/profile")
@signed_in
def profile_show() -> Any:
    member = _me()
    form = ProfileForm(formdata=None, obj=member)
    return page("identity/profile.html", form=form, member=member)


@bp.post("/<tenant>/profile")
@signed_in
def profile_update() -> Any:
    member, form = _me(), ProfileForm()
    if form.carry_out(lambda: change_profile(member, form.changes, actor=current_user)):
        return reply(url_for("identity.profile_show"), said=_("Your profile is saved."))
    return page("identity/profile.html", form=form, member=member, status=form.status)


@bp.get("/<tenant>/profile/export.json")
@own_record
def profile_export() -> Response:
    member = _my_row()
    expect_proven(member)
    return _download(tell(member, actor=_as_oneself(member)))


@bp.get("/<tenant>/profile/erasure")
@own_record
def erasure_request_new() -> Any:
    member = _my_row()
    expect_proven(member)
    return page("identity/erasure_request.html", member=member)


@bp.post("/<tenant>/profile/erasure")
@own_record
def erasure_request_create() -> Any:
    member = _my_row()
    ask_for_erasure(member, actor=_as_oneself(member))
    home = "identity.profile_show" if current_user.membership_id else "identity.standing_show"
    return reply(url_for(home), said=_("Your school's admins have your request."))


@bp.get("/<tenant>/people/<int:member_id>/facts")
@requires(Can.EDIT_PEOPLE)
def facts_edit(member_id: int) -> Any:
    member = access(Membership, member_id)
    form = _facts_form(member, FactsForm(formdata=None, obj=member))
    form.was_made_with(facts_of(member))
    return page("identity/facts.html", form=form, member=member)


@bp.post("/<tenant>/people/<int:member_id>/facts")
@requires(Can.EDIT_PEOPLE)
def facts_update(member_id: int) -> Any:
    member = access(Membership, member_id)
    form = _facts_form(member, FactsForm())
    form.leave_untouched(facts_of(member))
    if form.carry_out(lambda: change_profile(member, form.changes, actor=current_user, read=form.values_read)):
        return reply(url_for("people.show", member_id=member.id), said=_("%(name)s is saved.", name=member.name))
    if isinstance(form.refused, ChangedMeanwhile):
        form.take_note(form.refused, facts_of(member))
    return page("identity/facts.html", form=form, member=member, status=form.status)


@bp.get("/<tenant>/people/<int:member_id>/erasure")
@requires(Can.ERASE_PEOPLE)
def erasure_new(member_id: int) -> Any:
    member = access(Membership, member_id)
    return page("identity/erasure.html", form=ErasureForm(formdata=None), member=member)


@bp.post("/<tenant>/people/<int:member_id>/erasure")
@requires(Can.ERASE_PEOPLE)
def erasure_create(member_id: int) -> Any:
    member, form = access(Membership, member_id), ErasureForm()
    form.wanted = name = member.name
    if form.carry_out(lambda: erase_person(member, actor=current_user)):
        return reply(url_for("people.index"), said=_("%(name)s is erased.", name=name))
    return page("identity/erasure.html", form=form, member=member, status=form.status)


@bp.get("/<tenant>/people/<int:member_id>/export.json")
@requires(Can.ERASE_PEOPLE)
def person_export(member_id: int) -> Response:
    member = access(Membership, member_id)
    return _download(tell(member, actor=current_user), whose=f"person-{member.id}-")


@bp.post("/<tenant>/people/<int:member_id>/erasure/answer")
@requires(Can.ERASE_PEOPLE)
def erasure_answer_create(member_id: int) -> Any:
    member = answer_erasure(access(Membership, member_id), actor=current_user)
    said = _("%(name)s is not waiting for an answer any more.", name=member.name)
    return reply(url_for("people.show", member_id=member.id), said=said)


@bp.get("/<tenant>/people/<int:member_id>/erasure/answer")
@requires(Can.SEE_PEOPLE)
def erasure_answer_show(member_id: int) -> Any:
    """A deed is posted; whoever opens its address is led to the person's page."""
    return redirect(url_for("people.show", member_id=access(Membership, member_id).id), 303)


def _me() -> Membership:
    return access(Membership, current_user.membership_id)


def _my_row() -> Membership:
    """What the school keeps of whoever asks, let in or not."""
    if current_user.membership_id:
        return _me()
    return find_standing_member(current_user.user_id) or abort(404)


def _as_oneself(member: Membership) -> Actor:
    """A person as the actor of what concerns themself, also where the school does not let them in."""
    return Actor(user_id=current_user.user_id, membership_id=member.id)


def _facts_form(member: Membership, form: FactsForm) -> FactsForm:
    school = school_settings()
    departments = list_places()
    instructors = {key: name for key, name in list_instructor_choices().items() if key != str(member.id)}
    levels = [*school.levels, *([member.level] if member.level and member.level not in school.levels else [])]
    tags = [*school.tags, *(tag for tag in member.tags if tag not in school.tags)]
    form.offer(departments, instructors, levels, tags)
    return form


def _download(told: Told, *, whose: str = "") -> Response:
    name = f"{tenancy.required().slug}-{whose}{clock.today('UTC').isoformat()}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(_json(told), mimetype="application/json", headers=headers)


def _json(told: Told) -> Iterator[str]:
    """One JSON object: what was told of the account, then a list for each table. Runs when the request is over."""
    yield json.dumps(told.account, indent=1, ensure_ascii=False, default=_plain)[:-2]
    for table, some in groupby(told.rows, key=itemgetter(0)):
        yield f",\n {json.dumps(table)}: ["
        for place, (_table, row) in enumerate(some):
            yield f"{',' if place else ''}\n  {json.dumps(row, ensure_ascii=False)}"
        yield "\n ]"
    yield "\n}\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be told")
