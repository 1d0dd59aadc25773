"""Two deeds about one person at the same instant: each finds what the other did, whichever was first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.foundation import tenancy
from app.foundation.actor import Actor
from app.foundation.db import session, unit_of_work
from app.foundation.permissions import Role
from app.foundation.refusals import Refusal
from app.identity.models import Membership, PeopleImport, User
from app.identity.operations.accounts import add_user, confirm_new_email
from app.identity.operations.adding import add_outright
from app.identity.operations.erasure import ask_for_erasure, delete_own_account, erase_person
from app.identity.operations.imports import carry_out_import, draft_import
from app.identity.operations.links import prepare_link, renew_link, use_link
from app.identity.operations.profile import change_profile
from app.identity.operations.registration import accept_invitation, invite, join
from app.identity.rules import Purpose
from app.tenants.models import Department
from app.tenants.operations import add_department, remove_department
from tests.cast import ANA, BEA, HAL, LEO, PASSWORD, Person, actor, at_school, member, school

Deed = Callable[[], object]
NOBODYS = "nia@elsewhere.example"


@pytest.fixture
def rivals(committing_app: Flask) -> Rivals:
    return Rivals(committing_app)


class Rivals:
    """Two transactions: one has done its deed and is open while the other begins, which has to wait for its end."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.outcomes = ["", ""]

    def run(self, first: tuple[str, Deed], second: tuple[str, Deed]) -> list[str]:
        """How the deeds ended, each done at a school ("" for none): "done", "nothing", "refused", or what it raised."""
        done, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            done.set()
            go_on.wait(20)

        threads = [
            threading.Thread(target=self._do, args=(0, *first, hold)),
            threading.Thread(target=self._do, args=(1, *second, lambda: None)),
        ]
        threads[0].start()
        assert done.wait(20)
        threads[1].start()
        self._until_one_waits()
        go_on.set()
        for thread in threads:
            thread.join(20)
        return self.outcomes

    def _do(self, place: int, slug: str, deed: Deed, before_the_end: Deed) -> None:
        with self.app.test_request_context(), tenancy.tenant_scope(school(slug) if slug else None):
            try:
                with unit_of_work():
                    was_nothing = deed() is None
                    session.flush()
                    before_the_end()
                self.outcomes[place] = "nothing" if was_nothing else "done"
            except Exception as error:
                before_the_end()
                self.outcomes[place] = "refused" if isinstance(error, Refusal) else repr(error)

    def _until_one_waits(self) -> None:
        until = time.monotonic() + 20
        waits = text("select count(*) from pg_locks where not granted").execution_options(global_tables_only=True)
        while not session.execute(waits).scalar():
            session.rollback()
            assert time.monotonic() < until, self.outcomes
        session.rollback()


def actor_of(person: Person) -> Actor:
    with at_school(person.slug):
        found = actor(person)
    session.rollback()
    return found


def users(email: str) -> list[User]:
    return list(session.scalars(select(User).where(User.email == email)))


def standings(user_id: int, slug: str) -> list[str]:
    with at_school(slug):
        return list(session.scalars(select(Membership.status).where(Membership.user_id == user_id)))


def erase_leo(ana: Actor) -> tuple[str, Deed]:
    return "skyline", lambda: erase_person(member(LEO), actor=ana)


def invite_leo(hal: Actor) -> tuple[str, Deed]:
    return "harbour", lambda: invite(email=LEO.email, name="Leo", roles=[Role.LEARNER], actor=hal)


def import_leo(hal: Actor) -> tuple[str, Deed]:
    text = f"Name,E-mail\nLeo,{LEO.email}\n"
    return "harbour", lambda: carry_out_import(draft_import(text, actor=hal), actor=hal)


def using(token: str, use: Callable[[str], object]) -> tuple[str, Deed]:
    return "", lambda: use(token)


@pytest.mark.parametrize("into", [invite_leo, import_leo])
def test_who_is_erased_while_another_school_invites_them_is_invited_as_somebody_new(
    rivals: Rivals, into: Callable[[Actor], tuple[str, Deed]]
) -> None:
    before = users(LEO.email)[0].id
    assert rivals.run(erase_leo(actor_of(ANA)), into(actor_of(HAL))) == ["done", "done"]
    (now,) = users(LEO.email)
    assert now.id != before
    assert standings(now.id, "harbour") == ["invited"]
    assert standings(before, "harbour") == []


@pytest.mark.parametrize("into", [invite_leo, import_leo])
def test_who_is_invited_elsewhere_while_they_are_erased_keeps_the_account(
    rivals: Rivals, into: Callable[[Actor], tuple[str, Deed]]
) -> None:
    before = users(LEO.email)[0].id
    assert rivals.run(into(actor_of(HAL)), erase_leo(actor_of(ANA))) == ["done", "done"]
    assert [user.id for user in users(LEO.email)] == [before]
    assert (standings(before, "harbour"), standings(before, "skyline")) == (["invited"], [])


def test_who_asks_twice_at_once_to_join_is_known_the_second_time(rivals: Rivals) -> None:
    leo = Actor(user_id=users(LEO.email)[0].id)
    session.rollback()
    asking = ("harbour", lambda: join(name="Leo", actor=leo))
    assert rivals.run(asking, asking) == ["done", "refused"]


def test_who_asks_to_join_while_they_are_erased_is_refused(rivals: Rivals) -> None:
    leo = Actor(user_id=users(LEO.email)[0].id)
    asking = ("harbour", lambda: join(name="Leo", actor=leo))
    assert rivals.run(erase_leo(actor_of(ANA)), asking) == ["done", "refused"]


def test_two_admins_who_invite_one_person_at_once_invite_them_once(rivals: Rivals) -> None:
    inviting = invite_leo(actor_of(HAL))
    assert rivals.run(inviting, inviting) == ["done", "done"]
    assert standings(users(LEO.email)[0].id, "harbour") == ["invited"]


def test_who_is_erased_while_they_accept_does_not_come_in(rivals: Rivals) -> None:
    hal = actor_of(HAL)
    with rivals.app.app_context(), at_school("harbour"), unit_of_work():
        invited = invite(email="ines@x.example", name="Ines", roles=[Role.LEARNER], actor=hal).id
        user_id = session.get_one(Membership, invited).user_id
        token = renew_link(prepare_link(Purpose.INVITATION, user_id=user_id, membership_id=invited))
    erasing = ("harbour", lambda: erase_person(session.get_one(Membership, invited), actor=hal))
    accepting = ("harbour", lambda: accept_invitation(token, password="a b c d e", cost=4, actor=Actor()))
    assert rivals.run(erasing, accepting) == ["done", "nothing"]
    with at_school("harbour"):
        assert session.get_one(Membership, invited).status == "erased"


def test_who_comes_in_while_they_are_erased_was_let_in(rivals: Rivals) -> None:
    """Whether the account goes with the row is decided by how they stand once the account is held."""
    ana = actor_of(ANA)
    with rivals.app.app_context(), at_school("skyline"), unit_of_work():
        added = add_outright(email="ines@x.example", name="Ines", roles=[Role.LEARNER], actor=ana)
        added_id, user_id = added.id, added.user_id
        token = renew_link(prepare_link(Purpose.INVITATION, user_id=user_id, membership_id=added_id))
    coming = ("skyline", lambda: accept_invitation(token, password="a b c d e", cost=4, actor=Actor()))
    erasing = ("skyline", lambda: erase_person(session.get_one(Membership, added_id), actor=ana))
    assert rivals.run(coming, erasing) == ["done", "done"]
    assert session.get_one(User, user_id).erased_at


def test_who_is_erased_while_their_profile_is_changed_stays_erased(rivals: Rivals) -> None:
    ana = actor_of(ANA)
    changing = (
        "skyline",
        lambda: change_profile(leo_read_before(), {"name": "Leo", "phone": "+1 555 0100"}, actor=ana),
    )
    assert rivals.run(erase_leo(ana), changing) == ["done", "refused"]
    assert facts_of_the_erased() == [("Erased person", None, "erased person")]


def test_who_is_erased_while_a_list_changes_them_stays_erased(rivals: Rivals) -> None:
    ana = actor_of(ANA)
    with rivals.app.app_context(), at_school("skyline"), unit_of_work():
        draft = draft_import(f"Name,E-mail,Phone\nLeo,{LEO.email},+1 555 0100\n", actor=ana)
        assert [row["outcome"] for row in draft.rows] == ["changed"]
        draft_id = draft.id
    carrying_out = ("skyline", lambda: carry_out_import(session.get_one(PeopleImport, draft_id), actor=ana))
    assert rivals.run(erase_leo(ana), carrying_out) == ["done", "done"]
    assert facts_of_the_erased() == [("Erased person", None, "erased person")]


def leo_read_before() -> Membership:
    """As a page reads him before its deed: nobody is held yet."""
    return member(LEO)


def facts_of_the_erased() -> list[tuple[str, str | None, str]]:
    with at_school("skyline"):
        erased = select(Membership.name, Membership.phone, Membership.name_key).where(Membership.status == "erased")
        return [tuple(row) for row in session.execute(erased)]


def test_of_two_mailed_links_used_at_once_one_wins(rivals: Rivals) -> None:
    with at_school("skyline"), unit_of_work():
        leo = users(LEO.email)[0].id
        tokens = [renew_link(prepare_link(Purpose.RESET_PASSWORD, user_id=leo)) for _ in range(2)]
    deeds = [using(token, lambda token: use_link(token, Purpose.RESET_PASSWORD)) for token in tokens]
    assert rivals.run(deeds[0], deeds[1]) == ["done", "nothing"]


def test_two_who_confirm_one_address_at_once_do_not_share_it(rivals: Rivals) -> None:
    with at_school("skyline"), unit_of_work():
        tokens = [
            renew_link(prepare_link(Purpose.CHANGE_EMAIL, user_id=users(person.email)[0].id, new_email="one@x.example"))
            for person in (LEO, BEA)
        ]
    deeds = [using(token, lambda token: confirm_new_email(token)) for token in tokens]
    assert rivals.run(deeds[0], deeds[1]) == ["done", "refused"]
    assert len(users("one@x.example")) == 1


def test_a_department_below_one_that_is_removed_at_the_same_instant_has_no_place(rivals: Rivals) -> None:
    ana = actor_of(ANA)
    with at_school("skyline"), unit_of_work():
        top = add_department("Night", actor=ana).id
    removing = ("skyline", lambda: remove_department(session.get_one(Department, top), actor=ana))
    adding = ("skyline", lambda: add_department("Moonless", actor=ana, parent=Department(id=top)))
    assert rivals.run(removing, adding) == ["done", "refused"]


def test_two_clicks_on_the_request_to_be_erased_are_one(rivals: Rivals) -> None:
    leo = actor_of(LEO)
    ask: tuple[str, Deed] = ("skyline", lambda: ask_for_erasure(member(LEO), actor=leo))
    rivals.run(ask, ask)
    with at_school("skyline"):
        asked = select(AuditEntry.id).where(AuditEntry.action == "erasure.requested")
        assert len(session.scalars(asked).all()) == 1


def a_person_of_no_school() -> Actor:
    user = add_user(NOBODYS, password=PASSWORD, cost=4)
    session.commit()
    return Actor(user_id=user.id)


def deleting(person: Actor) -> tuple[str, Deed]:
    return "", lambda: delete_own_account(password=PASSWORD, code="", key=b"", actor=person)


def inviting(hal: Actor) -> tuple[str, Deed]:
    return "harbour", lambda: invite(email=NOBODYS, name="Nia", roles=[Role.LEARNER], actor=hal)


def test_who_is_invited_while_they_delete_their_account_keeps_it(rivals: Rivals) -> None:
    nia = a_person_of_no_school()
    assert rivals.run(inviting(actor_of(HAL)), deleting(nia)) == ["done", "refused"]
    assert [user.id for user in users(NOBODYS)] == [nia.user_id]


def test_who_deletes_their_account_while_they_are_invited_is_invited_as_somebody_new(rivals: Rivals) -> None:
    nia = a_person_of_no_school()
    assert rivals.run(deleting(nia), inviting(actor_of(HAL))) == ["nothing", "done"]
    (now,) = users(NOBODYS)
    assert now.id != nia.user_id
    assert standings(now.id, "harbour") == ["invited"]
