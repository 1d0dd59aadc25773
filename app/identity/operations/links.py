"""One-use links: asked for in the deed, given their secret by the job that mails them, used by a POST.

Anybody may ask for a link to another's mailbox. So asking voids none that was mailed before: several work side by side, and
the use of one voids the others. Only a link to a new e-mail, for which the password is needed, voids the one before.

A row exists from the moment a link is asked for, but nobody knows its secret until `renew_link` makes one: so the secret is
in no row and in no queue, and a mail that is tried again carries a new one and voids the one before.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, func, update

from app.foundation import clock, tenancy
from app.foundation.db import session
from app.foundation.housekeeping import delete_batch
from app.foundation.jobs import schedule_job, schedule_jobs
from app.foundation.mail import can_send_mail
from app.identity.models import OneUseToken
from app.identity.operations.credentials import hold_user
from app.identity.queries import find_link, find_tenant_for_mail, find_user_by_email, is_like, list_twins
from app.identity.rules import LINK_LIVES, Purpose, new_token, token_hash

BETWEEN_MAILS = timedelta(minutes=1)
"""Who asks again sooner gets no second mail: a double click."""
MOST_MAILS, WITHIN = 3, timedelta(hours=2)
"""Nor does who asks for a fourth within this time, while none of the others was used: somebody who fills another's mailbox."""
KEPT_AFTER_USE = timedelta(days=30)
OF_A_SCHOOL = frozenset({Purpose.CONFIRM_EMAIL, Purpose.INVITATION})


def mail_link(
    purpose: Purpose, *, user_id: int | None, membership_id: int | None = None, new_email: str | None = None
) -> OneUseToken:
    """Have a link mailed. Without a user the job finds nobody and ends: asking costs the same for anybody.

    Confirmations and invitations belong to the school in force.
    """
    link = prepare_link(purpose, user_id=user_id, membership_id=membership_id, new_email=new_email)
    schedule_mail("identity.send_link_mail", key=f"link:{link.id}", user_id=user_id, link_id=link.id)
    return link


def mail_links(purpose: Purpose, people: list[tuple[int, int]]) -> None:
    """Have links mailed to many people of the school in force, each a user's and a membership's id, in two statements.

    Where there is no mail nothing is written: whoever invites takes each link from the person's page.
    """
    if not can_send_mail():
        return
    links = [
        OneUseToken(
            purpose=purpose.value, token_hash=token_hash(new_token()), user_id=user_id, tenant_id=_school_of(purpose),
            membership_id=membership_id, created_at=clock.now(), expires_at=clock.now() + LINK_LIVES[purpose],
        )
        for user_id, membership_id in people
    ]  # fmt: skip
    session.add_all(links)
    session.flush()
    schedule_jobs("identity.send_link_mail", [(f"link:{link.id}", {"link_id": link.id}) for link in links])


def issue_link(
    purpose: Purpose, *, user_id: int | None = None, membership_id: int | None = None, besides_mail: bool = False
) -> str:
    """A link's token at once, for one that is handed over instead of mailed. Voids those of its purpose that were given before;
    `besides_mail`, only those that were handed over.
    """
    link = prepare_link(purpose, user_id=user_id, membership_id=membership_id)
    link.is_handed_over = True
    if besides_mail:
        _void(link, (OneUseToken.id < link.id) & OneUseToken.is_handed_over)
    else:
        void_older(link)
    return renew_link(link)


def prepare_link(
    purpose: Purpose, *, user_id: int | None, membership_id: int | None = None, new_email: str | None = None
) -> OneUseToken:
    """A link whose secret nobody knows yet."""
    link = OneUseToken(
        purpose=purpose.value, token_hash=token_hash(new_token()), user_id=user_id, tenant_id=_school_of(purpose),
        membership_id=membership_id, new_email=new_email, created_at=clock.now(),
        expires_at=clock.now() + LINK_LIVES[purpose],
    )  # fmt: skip
    session.add(link)
    session.flush()
    return link


def is_asked_too_often(link: OneUseToken) -> bool:
    """Whether the same was asked for a moment before, or several times lately, and those links still work."""
    asked = list_twins(link, newer_than=link.created_at - WITHIN)
    return len(asked) >= MOST_MAILS or any(twin.created_at > link.created_at - BETWEEN_MAILS for twin in asked)


def is_taken(link: OneUseToken) -> bool:
    """Whether somebody signs in with the new address already, who is not to be written to."""
    return link.new_email is not None and find_user_by_email(link.new_email) is not None


def void_older(link: OneUseToken) -> None:
    """Links of the same purpose that the person was given before do nothing any more."""
    _void(link, OneUseToken.id < link.id)


def _void(link: OneUseToken, which: ColumnElement[bool]) -> None:
    others = update(OneUseToken).where(*is_like(link), which, OneUseToken.used_at.is_(None))
    session.execute(others.values(used_at=clock.now()))


def renew_link(link: OneUseToken) -> str:
    """A new secret for a link; whoever holds the one before holds nothing."""
    token = new_token()
    link.token_hash = token_hash(token)
    session.flush()
    return token


def use_link(token: str, purpose: Purpose) -> OneUseToken | None:
    """Use a link up, and the others of its purpose with it. Of two at once, also of two that were mailed, one wins.

    None if it is used, has expired, is for something else or for another school.
    """
    tenant, link = tenancy.current(), find_link(token, purpose)
    if link is None or (link.user_id and hold_user(link.user_id) is None):
        return None
    used = (
        update(OneUseToken)
        .where(
            OneUseToken.token_hash == token_hash(token),
            OneUseToken.purpose == purpose.value,
            OneUseToken.used_at.is_(None),
            OneUseToken.expires_at > clock.now(),
            OneUseToken.tenant_id == tenant.id if tenant else OneUseToken.tenant_id.is_(None),
        )
        .values(used_at=clock.now())
        .returning(OneUseToken)
    )
    found = session.scalars(used).first()
    if found and found.user_id:
        _void(found, OneUseToken.id != found.id)
    return found


def forget_old_links() -> bool:
    """Delete a batch of the links that were used, or expired, a month ago. Whether there may be more."""
    return delete_batch(
        OneUseToken, func.least(OneUseToken.used_at, OneUseToken.expires_at) < clock.now() - KEPT_AFTER_USE
    )


def schedule_mail(kind: str, *, key: str, user_id: int | None, **args: int | str) -> None:
    """Schedule a mail to a person in the school in force, else in one of theirs; for nobody in the first there is.

    Where there is no mail none is scheduled: it could only fail.
    """
    tenant = tenancy.current() or find_tenant_for_mail(user_id)
    if tenant is None or not can_send_mail():
        return
    with tenancy.tenant_scope(tenant):
        schedule_job(kind, key=key, **args)  # type: ignore[arg-type]


def _school_of(purpose: Purpose) -> int | None:
    """The id of the school that a link of this purpose belongs to; None where it is the person's, whatever their schools."""
    return tenancy.required().id if purpose in OF_A_SCHOOL else None
