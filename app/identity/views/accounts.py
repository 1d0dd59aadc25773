"""A person's own account: password and e-mail, whatever schools they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import limits
from app.foundation.forms import Form
from app.foundation.mail import can_send_mail
from app.foundation.permissions import own_account, public
from app.foundation.replies import page, reply
from app.identity.forms.accounts import EmailForm, ForgottenForm, PasswordForm, ResetForm
from app.identity.forms.registration import PressOnlyForm
from app.identity.operations.accounts import (
    WrongPassword,
    ask_for_new_email,
    ask_for_reset,
    change_password,
    confirm_new_email,
    record_refusal,
    reset_password,
)
from app.identity.queries import find_link, find_user
from app.identity.rules import Purpose
from app.identity.views import bp
from app.identity.views.registration import link_gone
from app.identity.views.sessions import settings
from app.identity.views.sign_in_limits import client_network


@bp.get("/account")
@own_account
def account_show() -> Any:
    return page("identity/account.html", user=find_user(current_user.user_id))


# -- forgotten password --------------------------------------------------------------------------------------------


@bp.get("/password/forgotten")
@public("whoever forgot their password")
def forgotten_new() -> Any:
    return page("identity/forgotten.html", form=ForgottenForm(), mails=can_send_mail())


@bp.post("/password/forgotten")
@public("whoever forgot their password")
def forgotten_create() -> Any:
    limits.spend(settings().reset_limit, "reset", client_network())
    form = ForgottenForm()
    if form.carry_out(lambda: ask_for_reset(form.email.data or "")):
        return reply(url_for("identity.forgotten_sent"))
    return page("identity/forgotten.html", form=form, mails=can_send_mail(), status=form.status)


@bp.get("/password/sent")
@public("the same words for every e-mail, known or not")
def forgotten_sent() -> Any:
    return page("identity/forgotten_sent.html", mails=can_send_mail())


@bp.get("/password/reset/<token>")
@public("whoever holds a mailed link")
def reset_new(token: str) -> Any:
    email = _email_of(token, Purpose.RESET_PASSWORD)
    if email is None:
        return link_gone(url_for("identity.forgotten_new"))
    return page("identity/reset.html", form=ResetForm(), token=token, email=email)


@bp.post("/password/reset/<token>")
@public("whoever holds a mailed link")
def reset_create(token: str) -> Any:
    email = _email_of(token, Purpose.RESET_PASSWORD)
    if email is None:
        return link_gone(url_for("identity.forgotten_new"))
    form = ResetForm()
    form.owner = email
    cost = settings().bcrypt_cost
    if form.carry_out(lambda: reset_password(token, form.password.data or "", cost=cost)):
        return reply(url_for("identity.session_new"), said=_("Your password is changed. Sign in with the new one."))
    if form.status == 200:
        return link_gone(url_for("identity.forgotten_new"))
    return page("identity/reset.html", form=form, token=token, email=email, status=form.status)


# -- changing one's password and e-mail ----------------------------------------------------------------------------


@bp.get("/account/password")
@own_account
def password_edit() -> Any:
    return page("identity/password.html", form=PasswordForm())


@bp.post("/account/password")
@own_account
def password_update() -> Any:
    form = PasswordForm()
    form.owner = current_user.email
    changed = with_current_password(
        form,
        lambda: change_password(
            current=form.current.data or "", password=form.password.data or "", cost=settings().bcrypt_cost,
            actor=current_user,
        ),
    )  # fmt: skip
    if changed:
        said = _("Your password is changed. You are signed out everywhere else.")
        return reply(url_for("identity.account_show"), said=said)
    return page("identity/password.html", form=form, status=form.status)


@bp.get("/account/email")
@own_account
def email_edit() -> Any:
    return page("identity/email.html", form=EmailForm(), mails=can_send_mail())


@bp.post("/account/email")
@own_account
def email_update() -> Any:
    form = EmailForm()
    asked = with_current_password(form, lambda: _ask_for_new_email(form))
    if asked:
        said = _("If nobody else uses %(email)s, a link to confirm it is on its way there.", email=form.email.data)
        return reply(url_for("identity.account_show"), said=said)
    return page("identity/email.html", form=form, mails=can_send_mail(), status=form.status)


@bp.get("/account/email/<token>")
@public("whoever holds a mailed link")
def email_confirmation_new(token: str) -> Any:
    link = find_link(token, Purpose.CHANGE_EMAIL)
    if link is None:
        return link_gone()
    return page("identity/email_confirmation.html", form=PressOnlyForm(), token=token, email=link.new_email)


@bp.post("/account/email/<token>")
@public("whoever holds a mailed link")
def email_confirmation_create(token: str) -> Any:
    form, link = PressOnlyForm(), find_link(token, Purpose.CHANGE_EMAIL)
    if link and form.carry_out(lambda: confirm_new_email(token)):
        home = "identity.account_show" if current_user.is_authenticated else "identity.session_new"
        return reply(url_for(home), said=_("From now on you sign in with this address."))
    if link is None or not form.refusal:
        return link_gone()
    return page("identity/email_confirmation.html", form=form, token=token, email=link.new_email, status=form.status)


def _ask_for_new_email(form: EmailForm) -> None:
    """Each asks for mail to an address that nobody has proven to be theirs, so they are counted."""
    ask_for_new_email(current=form.password.data or "", email=form.email.data or "", actor=current_user)
    limits.spend(settings().email_change_limit, "email-change", str(current_user.user_id))


def with_current_password(form: Form, deed: Callable[[], object]) -> bool:
    """Do what the current password opens; whether it was done. Wrong ones are counted and recorded, so that nobody finds one out
    at a borrowed screen."""

    def counted() -> bool:
        who = ("current-password", str(current_user.user_id))
        with limits.failures_only(settings().sign_in_limit, *who, failures=(WrongPassword,)):
            deed()
        return True

    done = form.carry_out(counted)
    if isinstance(form.refused, WrongPassword):
        record_refusal("password.refused", actor=current_user)
    return bool(done)


def _email_of(token: str, purpose: Purpose) -> str | None:
    link = find_link(token, purpose)
    user = find_user(link.user_id) if link else None
    return user.email if user else None
