"""How each route that is no school's, or a school's for newcomers, is asked rightly, and what becomes of everybody else.

One line an endpoint, as in visits.py for the routes of a school: a route without a line fails tests/guards/test_doors.py, and
so does a line without a route.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyotp
from flask import current_app
from sqlalchemy import select

from app.console.operations import open_school, suspend_school
from app.console.queries import find_school
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.assets import asset
from app.foundation.crypto import derive_key
from app.foundation.db import session
from app.foundation.mail import mail_folder
from app.identity.models import Membership, User, UserSession
from app.identity.operations import second_factor as factor
from app.identity.operations.accounts import add_user
from app.identity.operations.links import issue_link, prepare_link, renew_link
from app.identity.queries import find_user_by_email
from app.identity.rules import Purpose, new_token, token_hash
from app.tenants.queries import school_settings
from app.tenants.rules import brand_digest
from tests.cast import ANA, BEA, BO, HAL, LEO, LOU, OPERATOR, PASSWORD, Person, actor
from tests.guards.visits import MOST_STATEMENTS, Values, once, somebody

NEW_PASSWORD = "another long one of theirs"
MAIL = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Door:
    """One rightful visit. `address` makes the records, at Skyline, and returns the values of the URL; `fields` what is posted.

    `turned_away` are shown the sign-in page or 404. `others` are answered with what is their own: no word of `theirs` is on
    their page. Whatever any of them asks, Leo's account is afterwards as before. `guess` is what somebody without the link
    would try in its place. Of the values, "person" is who asks, where the record says who that is, and "cookie" what their
    cookie holds besides.
    """

    person: Person | None
    address: Callable[[], Values] = dict
    fields: Callable[[Values], Values] = lambda values: {}
    statements: int = MOST_STATEMENTS
    turned_away: tuple[Person | None, ...] = ()
    others: tuple[Person | None, ...] = ()
    theirs: Callable[[Values], str] = lambda values: ""
    guess: tuple[str, str] | None = None


# -- records in addresses ------------------------------------------------------------------------------------------


def user_of(person: Person) -> User:
    found = find_user_by_email(person.email)
    assert found
    return found


def a_session() -> Values:
    """A browser elsewhere in which Leo is signed in."""
    opened = UserSession(
        user_id=user_of(LEO).id, token_hash=token_hash(new_token()), expires_at=clock.now() + timedelta(days=1)
    )
    session.add(opened)
    session.flush()
    return {"session_id": opened.id}


def a_link(purpose: Purpose, **more: Any) -> Callable[[], Values]:
    """A link of Leo's as it was mailed, as a maker of records."""
    return lambda: {"token": renew_link(prepare_link(purpose, user_id=user_of(LEO).id, **more))}


def somebodys_link(purpose: Purpose, status: str) -> Callable[[], Values]:
    """The link of somebody whom the school does not let in yet."""

    def make() -> Values:
        made = session.get_one(Membership, somebody(status)()["member_id"])
        user = session.get_one(User, made.user_id)
        user.email_confirmed_at = None
        link = prepare_link(purpose, user_id=user.id, membership_id=made.id)
        return {"token": renew_link(link), "email": user.email}

    return make


def somebody_of_no_school() -> Values:
    """Whose account is only their own."""
    person = Person("nia@elsewhere.example", "")
    add_user(person.email, password=PASSWORD, cost=4).email_confirmed_at = clock.now()
    session.flush()
    return {"person": person}


def somebody_who_waits() -> Values:
    return _person_of(somebody("pending"))


def somebody_who_was_added() -> Values:
    values = _person_of(somebody("active"))
    found = user_of(values["person"])
    session.query(Membership).filter_by(user_id=found.id).one().link_awaited = True
    session.flush()
    return values


def _person_of(maker: Callable[[], Values]) -> Values:
    made = session.get_one(Membership, maker()["member_id"])
    return {"person": Person(session.get_one(User, made.user_id).email, "skyline")}


def _key() -> bytes:
    return derive_key(str(current_app.secret_key), "second factors")


def a_secret() -> Values:
    """Leo has begun to set his second factor up."""
    user = factor.begin_second_factor(password=PASSWORD, key=_key(), actor=actor(LEO))
    return {"secret": factor.show_secret(user, key=_key())}


def a_second_factor() -> Values:
    """Leo has a second factor, whose present code was not used yet."""
    values = a_secret()
    factor.confirm_second_factor(pyotp.TOTP(values["secret"]).at(clock.now()), key=_key(), actor=actor(LEO))
    user_of(LEO).totp_last_step = None
    return values


def a_sign_in_that_waits_for_the_code() -> Values:
    waiting = {"user": user_of(LEO).id, "at": clock.now().timestamp(), "remembered": False}
    return {**a_second_factor(), "cookie": {"waits_for_code": waiting}}


def a_suspended_school() -> Values:
    with tenancy.tenant_scope(None):
        school = find_school("harbour")
        assert school
        suspend_school(school, reason="The invoice is not paid", actor=_operator())
        session.commit()
    return {"slug": "harbour"}


def an_invited_admin() -> Values:
    slug = f"kestrel-{uuid.uuid4().hex[:8]}"
    with tenancy.tenant_scope(None):
        opened = open_school(
            slug=slug, name="Kestrel Gliding", zone="Europe/Berlin", admin_name="Ines Roy",
            admin_email="ines.roy@elsewhere.example", key=uuid.uuid4().hex, actor=_operator(),
        )  # fmt: skip
        session.commit()
    with tenancy.tenant_scope(opened.school):
        return {"slug": slug, "member_id": session.scalars(select(Membership.id)).one()}


def _operator() -> Actor:
    return Actor(user_id=user_of(OPERATOR).id, email=OPERATOR.email, is_operator=True)


def a_mail() -> Values:
    """A mail in the demo's folder; no transaction takes it back, and the next one of this name replaces it."""
    folder = mail_folder(current_app.config["SETTINGS"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{MAIL}.eml").write_text("To: leo@skyline.example\nSubject: A walk\n\nThrough the doors.\n")
    return {"name": MAIL}


def a_color() -> Values:
    school_settings().brand_color = "#123456"
    return {"digest": brand_digest("#123456")}


def a_file() -> Values:
    return {"name": asset("vendor/htmx.min.js").removeprefix("/static/")}


# -- fields of posts -----------------------------------------------------------------------------------------------


def code(values: Values) -> Values:
    return {"totp_code": pyotp.TOTP(values["secret"]).at(clock.now()), "password": PASSWORD}


def a_school(_values: Values) -> Values:
    return {
        **once(_values), "slug": "kestrel", "name": "Kestrel Gliding", "zone": "Europe/Berlin",
        "admin_name": "Ines Roy", "admin_email": "ines.roy@elsewhere.example",
    }  # fmt: skip


def a_newcomer(_values: Values) -> Values:
    return {"name": "Ines Roy", "email": "ines.roy@elsewhere.example", "password": NEW_PASSWORD}


def password(_values: Values) -> Values:
    return {"password": PASSWORD}


def new_password(_values: Values) -> Values:
    return {"current": PASSWORD, "password": NEW_PASSWORD}


# -- kinds of doors ------------------------------------------------------------------------------------------------


def own(address: Callable[[], Values] = dict, fields: Callable[[Values], Values] = lambda _: {}, **more: Any) -> Door:
    """Leo's own account: others have one too, of a colleague or at another school."""
    return Door(LEO, address, fields, **{"turned_away": (None,), "others": (BEA, LOU), **more})


def console(
    address: Callable[[], Values] = lambda: {"slug": "harbour"},
    fields: Callable[[Values], Values] = lambda _: {},
    **more: Any,
) -> Door:
    """The operator's: for nobody else is it there."""
    return Door(OPERATOR, address, fields, turned_away=(None, BEA, ANA, HAL), **more)


def link(
    address: Callable[[], Values], fields: Callable[[Values], Values] = lambda _: {}, *, deed: bool = False, **more: Any
) -> Door:
    """For whoever holds the link, signed in or not; a guessed one says nothing of whose it is."""
    theirs = (lambda _: "") if deed else lambda values: values.get("email", LEO.email)
    return Door(None, address, fields, theirs=theirs, guess=("token", "A" * 43), **more)


def anybody(
    address: Callable[[], Values] = dict, fields: Callable[[Values], Values] = lambda _: {}, **more: Any
) -> Door:
    """For everybody, signed in or not."""
    return Door(None, address, fields, **more)


DOORS: dict[str, Door] = {
    "identity.account_show": own(theirs=lambda _: LEO.email),
    "identity.password_edit": own(),
    "identity.password_update": own(fields=new_password, statements=20),
    "identity.email_edit": own(),
    "identity.email_update": own(
        fields=lambda _: {"email": "leo@elsewhere.example", "password": PASSWORD}, statements=20
    ),
    "identity.sessions_index": own(a_session, theirs=lambda values: f"/account/sessions/{values['session_id']}/end"),
    "identity.session_end": own(a_session, turned_away=(None, BEA, LOU), others=(), statements=12),
    "identity.sessions_end_others": own(a_session, statements=12),
    "identity.sessions_end_all": own(a_session, statements=12),
    "identity.second_factor_show": own(a_second_factor),
    "identity.second_factor_begin": own(fields=password, statements=12),
    "identity.second_factor_set_up": own(a_secret, theirs=lambda values: values["secret"][:4]),
    "identity.second_factor_confirm": own(a_secret, code, statements=20),
    "identity.recovery_codes_new": own(a_second_factor),
    "identity.recovery_codes_create": own(a_second_factor, code, statements=20),
    "identity.second_factor_end_new": own(a_second_factor),
    "identity.second_factor_end": own(a_second_factor, code, statements=20),
    "identity.deletion_new": own(),
    "identity.deletion_create": Door(None, somebody_of_no_school, password, statements=30),
    "identity.schools_index": Door(BO, turned_away=(None,), others=(HAL, LOU), theirs=lambda _: "/skyline/"),
    "identity.session_destroy": own(statements=12),
    "identity.front_door": anybody(),
    "identity.session_new": anybody(),
    "identity.session_create": anybody(
        fields=lambda _: {"email": LEO.email, "password": PASSWORD, "tenant": "skyline", "next": ""}, statements=20
    ),
    "identity.session_code_new": Door(None, a_sign_in_that_waits_for_the_code),
    "identity.session_code_create": Door(None, a_sign_in_that_waits_for_the_code, code, statements=24),
    "identity.session_forget": anybody(),
    "identity.forgotten_new": anybody(),
    "identity.forgotten_create": anybody(fields=lambda _: {"email": LEO.email}, statements=12),
    "identity.forgotten_sent": anybody(),
    "identity.reset_new": link(a_link(Purpose.RESET_PASSWORD)),
    "identity.reset_create": link(a_link(Purpose.RESET_PASSWORD), new_password, deed=True, statements=30),
    "identity.email_confirmation_new": link(
        lambda: {**a_link(Purpose.CHANGE_EMAIL, new_email="leo@elsewhere.example")(), "email": "leo@elsewhere.example"}
    ),
    "identity.email_confirmation_create": link(
        a_link(Purpose.CHANGE_EMAIL, new_email="leo@elsewhere.example"), deed=True, statements=24
    ),
    "identity.set_up_new": link(lambda: {"token": issue_link(Purpose.SET_UP)}, deed=True),
    "identity.registration_new": anybody(),
    "identity.registration_create": anybody(fields=a_newcomer, statements=20),
    "identity.registration_sent": anybody(),
    "identity.confirmation_new": link(somebodys_link(Purpose.CONFIRM_EMAIL, "pending")),
    "identity.confirmation_create": link(
        somebodys_link(Purpose.CONFIRM_EMAIL, "pending"),
        lambda _: {"password": "a long password of theirs"},
        deed=True,
        statements=24,
    ),
    "identity.invitation_new": link(somebodys_link(Purpose.INVITATION, "invited")),
    "identity.invitation_create": link(
        somebodys_link(Purpose.INVITATION, "invited"), new_password, deed=True, statements=30
    ),
    "identity.standing_show": Door(None, somebody_who_waits, turned_away=(None, LOU)),
    "identity.standing_come_in": Door(None, somebody_who_was_added, statements=24, turned_away=(None, LOU)),
    "identity.operator_acting_new": console(),
    "identity.operator_acting_create": console(
        fields=lambda _: {"school": "skyline", "email": LEO.email, "reason": "They asked for help"}, statements=24
    ),
    "console.show": console(),
    "console.school_index": console(),
    "console.school_new": console(),
    "console.school_create": console(fields=a_school, statements=40),
    "console.school_show": console(),
    "console.suspension_create": console(fields=lambda _: {"reason": "The invoice is not paid"}, statements=16),
    "console.resumption_create": console(a_suspended_school, statements=16),
    "console.invitation_create": console(an_invited_admin, statements=24),
    "console.deed_show": console(lambda: {**an_invited_admin(), "deed": "suspension"}),
    "tenants.brand_show": anybody(a_color),
    "demo.mailbox_index": anybody(a_mail),
    "demo.mailbox_show": Door(None, a_mail, guess=("name", "f" * 32)),
    "health.healthz": anybody(),
    "health.readyz": anybody(),
    "health.show_metrics": anybody(),
    "assets.show": anybody(a_file),
    "theme_update": anybody(fields=lambda _: {"theme": "dark"}),
}
"""Every route of no school, and those of a school for newcomers."""

WALKED_ELSEWHERE = {
    "identity.set_up_create": "only an empty instance is set up: tests/identity/test_setup.py",
}
