"""Ending one's own account, for a person whom no school knows any more."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import tenancy
from app.foundation.permissions import own_account
from app.foundation.replies import page
from app.identity.forms.accounts import DeletionForm
from app.identity.models import User
from app.identity.operations.erasure import delete_own_account
from app.identity.queries import find_user, list_schools_holding
from app.identity.views import bp
from app.identity.views.second_factor import who, with_proof
from app.identity.views.sessions import leave


@bp.get("/account/deletion")
@own_account
def deletion_new() -> Any:
    return _page(DeletionForm(formdata=None))


@bp.post("/account/deletion")
@own_account
def deletion_create() -> Any:
    form, user = DeletionForm(), find_user(current_user.user_id)
    _fit(form, user)

    def deed() -> bool:
        code = form.totp_code.data if form.totp_code else ""
        delete_own_account(password=form.password.data or "", code=code or "", **who())
        return True

    if with_proof(form, deed):
        return leave(_("Your account is deleted. Nothing of it is left but a number in the trail."))
    return _page(form)


def _page(form: DeletionForm) -> Any:
    """Says what stands in the way, and where to go with that; or asks for the proof."""
    user = find_user(current_user.user_id)
    _fit(form, user)
    tenancy.enter(None, user_id=current_user.user_id)
    schools = list_schools_holding(current_user.user_id)
    return page(
        "identity/deletion.html", form=form, user=user, schools=schools, status=form.status,
        was_in=any(member.was_let_in for _school, member in schools),
    )  # fmt: skip


def _fit(form: DeletionForm, user: User | None) -> None:
    """A code is asked for where there is a second factor."""
    if form.totp_code and (user is None or user.totp_confirmed_at is None):
        del form.totp_code
