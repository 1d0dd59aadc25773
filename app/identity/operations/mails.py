"""The mails of identity: what they say, and handing them over. Run by jobs, which know ids only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _

from app.foundation import clock, tenancy
from app.foundation.db import session
from app.foundation.jobs import GiveUp
from app.foundation.mail import MailNotConfigured, absolute_url, send_mail
from app.identity.models import Membership, OneUseToken, User
from app.identity.operations.links import is_asked_too_often, is_taken, renew_link, void_older
from app.identity.queries import find_link_by_id, find_standing_member, find_user
from app.identity.rules import Purpose


@dataclass(frozen=True)
class Letter:
    """A mail's subject and its paragraphs."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n\n".join((*self.paragraphs, _("Groundschool sent this mail. Nobody reads answers to it."))) + "\n"


def send_link_mail(link_id: int) -> None:
    """Make a link's secret and mail it. Nothing is sent for a link of nobody, or one that was used meanwhile."""
    link = find_link_by_id(link_id)
    user = find_user(link.user_id) if link else None
    if link is None or user is None or link.used_at or user.erased_at:
        return
    if is_asked_too_often(link):
        link.used_at = clock.now()
        return
    if link.purpose == Purpose.CHANGE_EMAIL:
        void_older(link)
        # Before anybody can hold the link: afterwards the account may have the new address, whoever asked for it.
        _hand_over(_email_change_asked(user), to=user.email, key=f"change-asked:{link.id}")
    if is_taken(link):
        link.used_at = clock.now()
        return
    token = renew_link(link)
    letter, to = _WRITERS[Purpose(link.purpose)](user, link, token)
    _hand_over(letter, to=to, key=f"link:{link.id}:{link.token_hash}")


def send_notice_mail(notice: str, user_id: int, number: int) -> None:
    """Tell a person what happened to their account: `notice` is one of NOTICES. `number` tells one time from the next."""
    user = find_user(user_id)
    if user and not user.erased_at:
        _hand_over(NOTICES[notice](user), to=user.email, key=f"notice:{notice}:{user_id}:{number}")


def send_test_letter(user_id: int, number: int) -> None:
    """The mail by which an admin sees that mail arrives."""
    user, school = find_user(user_id), tenancy.required()
    if user:
        letter = Letter(
            _("A test mail from %(school)s", school=school.name),
            (_("Mail from Groundschool arrives. There is nothing else to do."),),
        )
        _hand_over(letter, to=user.email, key=f"test:{user_id}:{number}")


def _hand_over(letter: Letter, *, to: str, key: str) -> None:
    try:
        send_mail(to=to, subject=letter.subject, text=letter.text, key=key)
    except MailNotConfigured as error:
        raise GiveUp(str(error)) from error


# -- links ---------------------------------------------------------------------------------------------------------


def _confirmation(user: User, _link: OneUseToken, token: str) -> tuple[Letter, str]:
    """To somebody who asked to join, or who was said to: the same words whether they have an account or not."""
    school = tenancy.required()
    member = find_standing_member(user.id)
    if member and member.status in {"active", "suspended", "declined"} and not member.awaits_own_yes:
        return _known_already(user), user.email
    address = absolute_url("identity.confirmation_new", tenant=school.slug, token=token)
    return (
        Letter(
            _("Confirm your e-mail for %(school)s", school=school.name),
            (
                _("Somebody, probably you, asked to join %(school)s with this e-mail address.", school=school.name),
                _("Open this link to confirm that it was you. It works once, for three days:"),
                address,
                _("If it was not you, do nothing: nothing comes of it without this link."),
            ),
        ),
        user.email,
    )


def _known_already(_user: User) -> Letter:
    school = tenancy.required()
    return Letter(
        _("You are known at %(school)s already", school=school.name),
        (
            _("Somebody, probably you, asked to join %(school)s with this e-mail address.", school=school.name),
            _("You have an account there. Sign in here:"),
            absolute_url("identity.session_new"),
            _("If you forgot your password, you can choose a new one here:"),
            absolute_url("identity.forgotten_new"),
            _("If it was not you, do nothing: nothing has changed."),
        ),
    )


def _reset(user: User, _link: OneUseToken, token: str) -> tuple[Letter, str]:
    address = absolute_url("identity.reset_new", token=token)
    return (
        Letter(
            _("Choose a new password"),
            (
                _("Somebody, probably you, asked for a new password for this e-mail address."),
                _("Open this link to choose one. It works once, for two hours:"),
                address,
                _("If it was not you, do nothing: your password stays as it is."),
            ),
        ),
        user.email,
    )


def _invitation(user: User, link: OneUseToken, token: str) -> tuple[Letter, str]:
    school = tenancy.required()
    member = session.get(Membership, link.membership_id) if link.membership_id else None
    if member and member.is_active:
        return _added(member, token), user.email
    greeting = _("Hello %(name)s,", name=member.name) if member else _("Hello,")
    address = absolute_url("identity.invitation_new", tenant=school.slug, token=token)
    return (
        Letter(
            _("%(school)s invites you to Groundschool", school=school.name),
            (
                greeting,
                _("%(school)s invites you to its training pages: courses, bookings and records.", school=school.name),
                _("Open this link to come in. It works once, for fourteen days:"),
                address,
                _("If you do not know this school, do nothing."),
            ),
        ),
        user.email,
    )


def _added(member: Membership, token: str) -> Letter:
    """The same words whether they have an account or not: a mail may be read over a shoulder."""
    school = tenancy.required()
    return Letter(
        _("%(school)s has added you", school=school.name),
        (
            _("Hello %(name)s,", name=member.name),
            _("%(school)s has added you to its training pages: courses, bookings and records.", school=school.name),
            _("Open this link to come in and choose a password. It works once, for fourteen days:"),
            absolute_url("identity.invitation_new", tenant=school.slug, token=token),
            _("If you have a Groundschool account already, your password stays as it is. You can also sign in here:"),
            absolute_url("identity.session_new"),
            _("If you do not know this school, write to it: nobody comes in without this link or your password."),
        ),
    )


def _change_of_email(_user: User, link: OneUseToken, token: str) -> tuple[Letter, str]:
    address = absolute_url("identity.email_confirmation_new", token=token)
    return (
        Letter(
            _("Confirm your new e-mail address"),
            (
                _("Somebody, probably you, wants to sign in to Groundschool with this e-mail address from now on."),
                _("Open this link to confirm it. It works once, for three days:"),
                address,
                _("If it was not you, do nothing."),
            ),
        ),
        link.new_email or "",
    )


_WRITERS: dict[Purpose, Callable[[User, OneUseToken, str], tuple[Letter, str]]] = {
    Purpose.CONFIRM_EMAIL: _confirmation,
    Purpose.RESET_PASSWORD: _reset,
    Purpose.INVITATION: _invitation,
    Purpose.CHANGE_EMAIL: _change_of_email,
}


# -- notices -------------------------------------------------------------------------------------------------------


def _password_changed(_user: User) -> Letter:
    return Letter(
        _("Your password was changed"),
        (
            _("The password of your Groundschool account was changed. Everybody else who was signed in to it is out."),
            _("If it was not you, choose a new one at once:"),
            absolute_url("identity.forgotten_new"),
        ),
    )


def _email_change_asked(_user: User) -> Letter:
    return Letter(
        _("A change of your e-mail address was asked for"),
        (
            _("Somebody who knows your password asked to sign in with another e-mail address from now on."),
            _("It changes once the link that was sent there is opened."),
            _("If it was not you, choose a new password at once, which also stops the change:"),
            absolute_url("identity.forgotten_new"),
        ),
    )


def _second_factor_removed(_user: User) -> Letter:
    return Letter(
        _("Your second factor was removed"),
        (
            _(
                "Whoever runs this Groundschool removed the second factor of your account. You are signed out everywhere."
            ),
            _("Sign in with your password, and set a second factor up again:"),
            absolute_url("identity.second_factor_show"),
            _("If you did not ask for that, write to them at once."),
        ),
    )


def _let_in(_user: User) -> Letter:
    school = tenancy.required()
    return Letter(
        _("You are in at %(school)s", school=school.name),
        (
            _("An admin of %(school)s has let you in. Sign in here:", school=school.name),
            absolute_url("identity.session_new"),
        ),
    )


def _declined(user: User) -> Letter:
    school = tenancy.required()
    return Letter(
        _("%(school)s has not let you in", school=school.name),
        (
            _("An admin of %(school)s declined your request to join.", school=school.name),
            *_reason(user),
            _("If you think this is a mistake, speak with the school's office."),
        ),
    )


def _suspended(user: User) -> Letter:
    school = tenancy.required()
    return Letter(
        _("Your access to %(school)s is suspended", school=school.name),
        (
            _("An admin of %(school)s has suspended your access. Your records are kept.", school=school.name),
            *_reason(user),
            _("Speak with the school's office to have it back."),
        ),
    )


def _reason(user: User) -> tuple[str, ...]:
    """The reason that was written for the person to read, if there is one."""
    member = find_standing_member(user.id)
    return (_("The reason: %(reason)s", reason=member.standing_reason),) if member and member.standing_reason else ()


NOTICES: dict[str, Callable[[User], Letter]] = {
    "password_changed": _password_changed,
    "second_factor_removed": _second_factor_removed,
    "let_in": _let_in,
    "declined": _declined,
    "suspended": _suspended,
}
