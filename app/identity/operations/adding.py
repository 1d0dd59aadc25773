"""Adding people outright: the school lets them in and can book them at once; by a mailed link they choose a password.

Whoever has an account keeps it as it is, and nobody at the school is told whether they have one. Until somebody comes by the
link, or the e-mail is known to be theirs, the account does not open the school: a stranger may have registered with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.events import MemberAdded
from app.identity.models import Membership, User
from app.identity.operations.links import mail_link
from app.identity.operations.registration import find_to_invite, take_over
from app.identity.rules import Purpose, address_problem, plain_address
from app.tenants.models import Department


def add_outright(
    *, email: str, name: str, roles: Iterable[Role], department: Department | None = None, actor: Actor
) -> Membership:
    """Let somebody in to the school in force who is not asked first; a mail with a link follows.

    Who was invited before, or in whose name anybody may have asked, is in now, as what this says of them. Refuses who is known
    otherwise.
    """
    email = plain_address(email)
    if problem := address_problem(email):
        raise Refusal(problem)
    user_id = hold_accounts([email])[email]
    member = find_to_invite(user_id, email) or Membership(user_id=user_id, known_as=email, tags=[])
    chosen = sorted({role.value for role in roles})
    take_over(member, name=name, roles=chosen, department_id=department.id if department else None)
    session.add(member)
    let_in_at_once([member], actor=actor)
    mail_link(Purpose.INVITATION, user_id=user_id, membership_id=member.id)
    return member


def let_in_at_once(members: list[Membership], *, actor: Actor) -> None:
    """Let in people who were invited, or are just being added, without waiting for their link."""
    for member in members:
        member.status, member.link_awaited = "active", True
        member.approved_at = member.invited_at = clock.now()
    session.flush()
    record_added(members, actor=actor)


def record_added(members: list[Membership], *, actor: Actor) -> None:
    """Record and announce that these people are in."""
    for member in members:
        after = {"roles": member.roles, "department_id": member.department_id, "name": member.name}
        audit("member.added", actor=actor, subject=member, after=after)
        announce(MemberAdded(member.id))


def hold_accounts(emails: Iterable[str]) -> dict[str, int]:
    """The ids of the people of these e-mails, in small letters, made where there are none, held until the transaction ends.

    In one order, so that two lists with the same people do not wait for each other. Who is erased while this waits for them is
    made anew in a second round.
    """
    wanted = {plain_address(email) for email in emails}
    found: dict[str, int] = {}
    for _round in range(2):
        missing = sorted(wanted - found.keys())
        if not missing:
            break
        session.execute(insert(User).on_conflict_do_nothing(), [{"email": mail} for mail in missing])
        users = select(User.id, func.lower(User.email)).where(func.lower(User.email).in_(missing)).order_by(User.id)
        found |= {mail: user_id for user_id, mail in session.execute(users.with_for_update(key_share=True))}
    return found
