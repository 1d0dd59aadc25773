"""People are told by mail what was decided about them; but not of what a stranger asked for with their address."""

from __future__ import annotations

from app.foundation.db import session
from app.foundation.events import reacts_to
from app.identity.events import MemberApproved, MemberDeclined, MemberReinstated, MemberSuspended
from app.identity.models import Membership
from app.identity.operations.accounts import tell
from app.identity.queries import find_user


@reacts_to(MemberApproved)
def tell_of_approval(event: MemberApproved) -> None:
    _tell(event.membership_id, "let_in")


@reacts_to(MemberDeclined)
def tell_of_refusal(event: MemberDeclined) -> None:
    _tell(event.membership_id, "declined")


@reacts_to(MemberSuspended)
def tell_of_suspension(event: MemberSuspended) -> None:
    _tell(event.membership_id, "suspended")


@reacts_to(MemberReinstated)
def tell_of_return(event: MemberReinstated) -> None:
    _tell(event.membership_id, "let_in")


def _tell(membership_id: int, notice: str) -> None:
    member = session.get(Membership, membership_id)
    user = find_user(member.user_id) if member and not member.awaits_own_yes else None
    if user:
        tell(user, notice)
