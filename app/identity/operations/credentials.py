"""What opens an account, and taking it from whoever else may hold it: password, sessions, links and second factor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, delete, func, select, update

from app.foundation import clock
from app.foundation.db import session
from app.foundation.mail import can_send_mail
from app.identity.models import OneUseToken, RecoveryCode, User, UserSession
from app.identity.rules import Purpose, hash_password


def hold_user(user_id: int | None) -> User | None:
    """A person, held until the transaction ends; None if they are erased.

    Whoever makes a member, uses a link or erases holds the account first, so that they do it one after the other.
    """
    return session.scalars(_held().where(User.id == (user_id or 0))).first()


def hold_user_by_email(email: str) -> User | None:
    """The person of an e-mail address, whatever its case, held likewise."""
    return session.scalars(_held().where(func.lower(User.email) == func.lower(email.strip()))).first()


def proves_mailbox(link: OneUseToken) -> bool:
    """Whether whoever holds a link reads the person's mail: it was mailed, not shown or printed for somebody to hand over."""
    return can_send_mail() and not link.is_handed_over


def needs_new_password(user: User, link: OneUseToken) -> bool:
    """Whether whoever comes in by a link chooses a password: there is none, or anybody may have chosen it.

    A link that was handed over opens no account that has a password.
    """
    return user.password_hash is None or (user.email_confirmed_at is None and proves_mailbox(link))


def has_to_prove_password(user: User, link: OneUseToken) -> bool:
    """Whether a link alone does not say who somebody is: it was handed over, and the account is of whoever knows its password."""
    return user.password_hash is not None and not proves_mailbox(link)


def set_password(user: User, password: str, *, cost: int, but: int | None = None) -> None:
    """Give an account another password: every session ends but the one of that id, and links that opened the old one are void."""
    user.password_hash = hash_password(password, cost=cost)
    end_sessions(user.id, reason="password", but=but)
    void_links(user.id)


def confirm_mailbox(user: User) -> None:
    """Its mailbox is known to be theirs. At the first time a second factor goes: whoever turned it on may be somebody else."""
    if user.email_confirmed_at is None:
        user.email_confirmed_at = clock.now()
        drop_second_factor(user)


def drop_second_factor(user: User) -> None:
    """The account's second factor and its recovery codes are gone, and no session counts as opened with them."""
    user.totp_cipher = user.totp_confirmed_at = user.totp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    theirs = update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    session.execute(theirs.values(second_factor_at=None))


def end_sessions(user_id: int, *, reason: str, but: int | None = None) -> None:
    """End every session of a person, but the one of that id."""
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.id != (but or 0))
        .values(ended_at=clock.now(), ended_reason=reason)
    )


def void_links(user_id: int) -> None:
    """Links to a new password or a new e-mail, asked for by whoever knew the old one, do nothing any more."""
    purposes = (Purpose.RESET_PASSWORD.value, Purpose.CHANGE_EMAIL.value)
    session.execute(
        update(OneUseToken)
        .where(
            OneUseToken.user_id == user_id, OneUseToken.purpose.in_(purposes), OneUseToken.used_at.is_(None)
        )
        .values(used_at=clock.now())
    )  # fmt: skip


def _held() -> Select[Any]:
    held = select(User).where(User.erased_at.is_(None)).with_for_update(key_share=True)
    return held.execution_options(populate_existing=True)
