"""Getting into a school: asking to join, confirming, accepting an invitation, and reading how one stands."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import limits, tenancy
from app.foundation.actor import SCHOOL_SUSPENDED
from app.foundation.errors import respond
from app.foundation.forms import Form
from app.foundation.mail import can_send_mail
from app.foundation.permissions import SAFE_METHODS, NotLetIn, SignInNeeded, newcomers
from app.foundation.replies import page, reply, wants_partial
from app.identity.forms.registration import ConfirmationForm, InvitationForm, JoinForm, RegistrationForm
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.credentials import has_to_prove_password, needs_new_password
from app.identity.operations.profile import is_proven
from app.identity.operations.registration import (
    accept_invitation,
    come_in_by_account,
    confirm_registration,
    invited_by,
    join,
    may_choose_password,
    may_come_in_by_account,
    register,
)
from app.identity.queries import find_link, find_standing_member, find_user
from app.identity.rules import Purpose, password_matches
from app.identity.views import bp
from app.identity.views.sessions import let_in, settings
from app.identity.views.sign_in_limits import client_network
from app.tenants.queries import school_settings


@bp.get("/<tenant>/register")
@newcomers("asking to join a school")
def registration_new() -> Any:
    return _led_elsewhere() or _registration_page(_registration_form())


@bp.post("/<tenant>/register")
@newcomers("asking to join a school")
def registration_create() -> Any:
    if elsewhere := _led_elsewhere():
        return elsewhere
    if not school_settings().registration_open:
        return _registration_page(_registration_form(), status=403)
    limits.spend(settings().registration_limit, "registration", client_network())
    form = _registration_form()
    if isinstance(form, JoinForm):
        if form.carry_out(lambda: join(name=form.name.data or "", actor=current_user)):
            return reply(url_for("identity.standing_show"), said=_("The school has your request."))
        return _registration_page(form)
    if form.carry_out(lambda: _register(form)):
        return reply(url_for("identity.registration_sent"))
    return _registration_page(form)


@bp.get("/<tenant>/registration")
@newcomers("the same words for every e-mail, known or not")
def registration_sent() -> Any:
    return page("identity/registration_sent.html", mails=can_send_mail())


@bp.get("/<tenant>/register/<token>")
@newcomers("whoever holds a mailed link")
def confirmation_new(token: str) -> Any:
    link = find_link(token, Purpose.CONFIRM_EMAIL)
    user = find_user(link.user_id) if link else None
    return _confirmation_page(_confirmation_form(user), token, user) if user else link_gone(_join_again())


@bp.post("/<tenant>/register/<token>")
@newcomers("whoever holds a mailed link")
def confirmation_create(token: str) -> Any:
    link = find_link(token, Purpose.CONFIRM_EMAIL)
    user = find_user(link.user_id) if link else None
    if user is None:
        return link_gone(_join_again())
    form = _confirmation_form(user)
    if form.validate_on_submit() and _proves(form.password, form, user):
        name = form.name.data if form.name else None
        if confirm_registration(token, name=name, actor=current_user) is None:
            return link_gone(_join_again())
        return reply(
            _sign_in_then_standing(), said=_("Your e-mail is confirmed. Sign in to see how your request stands.")
        )
    form.status = 422
    return _confirmation_page(form, token, user)


@bp.get("/<tenant>/invitation/<token>")
@newcomers("whoever holds a mailed link")
def invitation_new(token: str) -> Any:
    invited = _invited(token)
    return _invitation_page(_invitation_form(invited), token, invited) if invited else link_gone()


@bp.post("/<tenant>/invitation/<token>")
@newcomers("whoever holds a mailed link")
def invitation_create(token: str) -> Any:
    invited = _invited(token)
    if invited is None:
        return link_gone()
    form = _invitation_form(invited)
    if form.current and form.validate_on_submit() and not _proves(form.current, form, invited.user):
        form.status = 422
        return _invitation_page(form, token, invited)
    password = form.password.data if form.password else None
    accepted = form.carry_out(
        lambda: accept_invitation(token, password=password, cost=settings().bcrypt_cost, actor=current_user)
    )
    if accepted:
        return _begin(invited.user, chose=password is not None or bool(form.current))
    return link_gone() if form.status == 200 else _invitation_page(form, token, invited)


@bp.get("/<tenant>/standing")
@newcomers("somebody the school knows but does not let in (yet)")
def standing_show() -> Any:
    if not current_user.is_authenticated:
        raise SignInNeeded
    school = tenancy.required()
    if current_user.membership_id:
        return redirect(f"/{school.slug}/", 303)
    if not current_user.standing:
        abort(404)
    return _standing_page()


@bp.post("/<tenant>/standing")
@newcomers("somebody who was added outright and signs in with an account of theirs")
def standing_come_in() -> Any:
    if not current_user.is_authenticated:
        raise SignInNeeded
    home = f"/{tenancy.required().slug}/"
    if current_user.membership_id:
        return redirect(home, 303)
    if not current_user.standing:
        abort(404)
    come_in_by_account(actor=current_user)
    return reply(home, said=_("You are in."))


@bp.app_errorhandler(NotLetIn)
def show_standing(_error: NotLetIn) -> Any:
    """Every page of a school that does not let them in leads to where they read why; a post is refused."""
    if current_user.standing == SCHOOL_SUSPENDED:
        return _school_suspended()
    if request.method in SAFE_METHODS and not wants_partial():
        return redirect(url_for("identity.standing_show"), 303)
    if current_user.standing == "suspended" and not wants_partial():
        return _standing_page(status=403)
    return respond(403, _("The school does not let you in at the moment."))


# -- what the pages are made of ------------------------------------------------------------------------------------


def _standing_page(*, status: int = 200) -> Any:
    user, member = find_user(current_user.user_id), find_standing_member(current_user.user_id)
    proven = bool(user and member and is_proven(member, user))
    return page(
        "identity/standing.html",
        standing=current_user.standing,
        confirmed=bool(user and user.email_confirmed_at) or not can_send_mail(),
        mails=can_send_mail(),
        reason=member.standing_reason if member and proven else None,
        may_take_data=proven,
        may_come_in=bool(user and member and may_come_in_by_account(member, user)),
        added_as=member.known_as if member else None,
        status=status,
    )


def _school_suspended() -> Any:
    """What everybody whom a suspended school knows reads on each of its pages, whatever they asked for."""
    if wants_partial():
        return respond(403, _("%(school)s is suspended. Nothing was saved.", school=tenancy.required().name))
    return page("identity/school_suspended.html", support=settings().support_email, status=403)


def link_gone(again: str = "") -> Any:
    """The answer to a link that was used, has expired or was never made. `again` is where to ask for a new one."""
    return page("identity/link_gone.html", status=410, again=again)


def _led_elsewhere() -> Any:
    """Who belongs to the school already, or waits to, has nothing to ask for."""
    if current_user.membership_id:
        return redirect(f"/{tenancy.required().slug}/", 303)
    return redirect(url_for("identity.standing_show"), 303) if current_user.standing else None


def _registration_form() -> RegistrationForm | JoinForm:
    return JoinForm() if current_user.is_authenticated else RegistrationForm()


def _registration_page(form: RegistrationForm | JoinForm, *, status: int | None = None) -> Any:
    is_open = school_settings().registration_open
    return page("identity/register.html", form=form, is_open=is_open, status=status or form.status)


def _register(form: RegistrationForm) -> bool:
    register(
        email=form.email.data or "", name=form.name.data or "", password=form.password.data or "",
        cost=settings().bcrypt_cost, actor=current_user,
    )  # fmt: skip
    return True


def _confirmation_form(user: User | None) -> ConfirmationForm:
    """Asks for a name where the school knows none, or one that a stranger may have typed; and for the password until the e-mail
    is known to be theirs, and where a stranger may have asked.

    Without the password somebody could register with another's address and have them confirm an account that is not theirs, or a
    request.
    """
    member = find_standing_member(user.id) if user else None
    is_strangers = bool(member and member.awaits_own_yes)
    form = ConfirmationForm(name=member.name if member else None)
    if member and not is_strangers:
        del form.name
    if user is None or not user.password_hash or (user.email_confirmed_at and not is_strangers):
        del form.password
    return form


def _proves(field: Any, form: Form, user: User) -> bool:
    """Whether the password that was typed into this field is the account's; True where the form does not ask for it."""
    if not field:
        return True
    count = (settings().sign_in_limit, "confirmation", str(user.id))
    limits.spend(*count)
    if password_matches(field.data or "", user.password_hash or ""):
        limits.give_back(*count)
        return True
    form.refusal = _wrong_password()
    return False


def _wrong_password() -> str:
    if can_send_mail():
        return _("This is not the password that was chosen. If you forgot it, choose a new one instead.")
    return _(
        "This is not the password of the account. If you forgot it, ask whoever runs this Groundschool for a new one."
    )


def _confirmation_page(form: ConfirmationForm, token: str, user: User) -> Any:
    return page("identity/confirmation.html", form=form, token=token, email=user.email, status=form.status)


def _join_again() -> str:
    return url_for("identity.registration_new")


def _sign_in_then_standing() -> str:
    standing = url_for("identity.standing_show")
    if current_user.is_authenticated:
        return standing
    return url_for("identity.session_new", tenant=tenancy.required().slug, next=standing)


class _Invited(NamedTuple):
    """Whom an invitation that stands is for."""

    user: User
    member: Membership
    link: OneUseToken


def _invited(token: str) -> _Invited | None:
    link = find_link(token, Purpose.INVITATION)
    user, member = invited_by(link) if link else (None, None)
    return _Invited(user, member, link) if user and member and link else None


def _invitation_form(invited: _Invited) -> InvitationForm:
    user, member, link = invited
    form = InvitationForm()
    form.owner, form.is_stuck = user.email, False
    if not needs_new_password(user, link):
        del form.password
    elif not may_choose_password(user, member, link):
        del form.password
        form.is_stuck = True
    if not has_to_prove_password(user, link) or current_user.user_id == user.id:
        del form.current
    return form


def _begin(user: User, *, chose: bool) -> Any:
    """Who has just given their password is signed in, unless a second factor is asked for; others sign in, or are signed in."""
    school = tenancy.required()
    home = f"/{school.slug}/"
    if chose and user.totp_confirmed_at is None:
        let_in(user, is_remembered=False)
        return reply(home, said=_("You are in."))
    if current_user.user_id == user.id:
        return reply(home, said=_("You are in."))
    return reply(
        url_for("identity.session_new", tenant=school.slug, next=home), said=_("You are in. Sign in to begin.")
    )


def _invitation_page(form: InvitationForm, token: str, invited: _Invited) -> Any:
    """Whoever hands the link over can read it too: it says no other address than the one that was invited."""
    user, member, _link = invited
    email = member.known_as or user.email
    return page("identity/invitation.html", form=form, token=token, email=email, member=member, status=form.status)
