"""Every SELECT about people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, true

from app.foundation import clock, tenancy
from app.foundation.actor import SCHOOL_SUSPENDED, STRANGER, ActingElsewhere, Actor
from app.foundation.db import rows, session
from app.foundation.formats import sort_key
from app.foundation.mail import can_send_mail
from app.foundation.pages import Page, paginate
from app.foundation.permissions import Role
from app.foundation.prepared import Prepared
from app.identity.models import Membership, OneUseToken, RecoveryCode, User, UserSession
from app.identity.rules import Purpose, token_hash
from app.tenants.models import Department, Tenant
from app.tenants.queries import department_ids_below

SEEN = "update user_session set seen_at = %(now)s where id = %(id)s"
NOT_LET_IN = frozenset({"pending", "invited", "declined", "suspended"})
ASKS_ERASURE = "asks_erasure"
"""Stands for a status where people are listed: whatever theirs is, they asked to be erased."""
NOT_COME_YET = "not_come_yet"
"""Stands for a status likewise: they were added outright, and have not come by their link."""
BETWEEN_SIGHTINGS = timedelta(minutes=5)
"""A session's last use is written at most this often."""
_SESSION = """
from user_session s join user_account u on u.id = s.user_id
{joins}
where s.token_hash = %(token)s and s.ended_at is null and s.expires_at > %(now)s
and (s.is_remembered or s.seen_at > %(idle)s)
"""
_TYPES = {"tenant": "bigint", "token": "text", "now": "timestamptz", "idle": "timestamptz"}
SIGNED_IN = Prepared(
    """
select s.id, s.seen_at, u.id, u.email, u.is_operator,
t.suspended_at is not null, g.admins_need_second_factor and s.second_factor_at is null, s.acting_until,
case when own.status = 'active' and own.link_awaited then 'invited' else own.status end,
own.id, own.name, own.roles, own.zone, own.locale, own.department_id,
acted.id, acted.name, acted.roles, acted.zone, acted.locale, acted.department_id,
t.name, t.zone, coalesce(g.brand_color, ''), coalesce(g.locale, 'en'), is_let_in_elsewhere(u.id, %(tenant)s)
"""
    + _SESSION.format(
        joins="""
join tenant t on t.id = %(tenant)s
left join membership own on own.user_id = u.id and own.tenant_id = %(tenant)s and not own.awaits_own_yes
left join membership acted on acted.tenant_id = %(tenant)s and acted.id = s.acting_membership_id
  and s.acting_tenant_id = %(tenant)s and s.acting_until > %(now)s and acted.status = 'active'
left join school_settings g on g.tenant_id = %(tenant)s
"""
    ),
    **_TYPES,
)
SIGNED_IN_NOWHERE = Prepared(
    """
select s.id, s.seen_at, u.id, u.email, u.is_operator, t.slug
"""
    + _SESSION.format(joins="left join tenant t on t.id = s.acting_tenant_id and s.acting_until > %(now)s"),
    **_TYPES,
)


def find_actor(token: str, *, idle: timedelta) -> Actor:
    """Who holds a session token, and what they are in the school in force: one SELECT, on every request.

    A session that has been idle for longer than `idle` has ended, unless its person asked to be remembered.
    """
    tenant, now = tenancy.current(), clock.now()
    values: dict[str, Any] = {"token": token_hash(token), "now": now, "idle": now - idle}
    if tenant:
        values["tenant"] = tenant.id
    with tenancy.all_tenants():
        row = (SIGNED_IN if tenant else SIGNED_IN_NOWHERE).first(values)
        if row and now - row[1] > BETWEEN_SIGHTINGS:
            rows(SEEN, {"id": row[0], "now": now})
    if row is None:
        return STRANGER
    if tenant:
        tenant = _renewed(tenant, row)
    actor = _actor(row, tenant)
    return replace(actor, acting_elsewhere=_acting_in(row[5], token, idle)) if tenant is None and row[5] else actor


def _renewed(tenant: tenancy.TenantRef, row: tuple[Any, ...]) -> tenancy.TenantRef:
    """The school as it is now, which the lookup has read beside: another process may have changed it a moment ago."""
    name, zone, brand_color, locale = row[21:25]
    now = tenancy.TenantRef(tenant.id, tenant.slug, name, zone, brand_color, is_suspended=row[5], locale=locale)
    if now != tenant:
        tenancy.renew(now)
    return now


def _acting_in(slug: str, token: str, idle: timedelta) -> ActingElsewhere | None:
    """Whom a session acts as in a school, asked from outside of it; None where that is over."""
    school = tenancy.find_by_slug(slug)
    if school is None:
        return None
    with tenancy.tenant_scope(school):
        there = find_actor(token, idle=idle)
    return ActingElsewhere(slug, there.name, there.acting_until) if there.acting_until else None


def _actor(row: tuple[Any, ...], tenant: tenancy.TenantRef | None) -> Actor:
    """What the sign-in lookup found. Whoever acts as a person does so as long as time, both standings and their own roles allow."""
    session_id, _seen_at, user_id, email, is_operator = row[:5]
    whoever = {"user_id": user_id, "session_id": session_id, "email": email, "is_operator": is_operator}
    if tenant is None:
        return Actor(**whoever, name=email)
    whoever["has_other_schools"] = row[25]
    is_school_suspended, lacks_second_factor, acting_until, status = row[5:9]
    own, acted = _Held(*row[9:15]), _Held(*row[15:21])
    is_active = status == "active" and not is_school_suspended
    is_admin = is_active and Role.ADMIN in own.roles_held
    is_acting = (
        acted.id is not None
        and not is_school_suspended
        and (is_operator or (is_admin and Role.ADMIN not in acted.roles_held))
    )
    needs_second_factor = bool(lacks_second_factor) and (is_admin or is_acting)
    if not (is_acting or is_active):
        standing = SCHOOL_SUSPENDED if is_school_suspended and status not in {None, "erased"} else status
        return Actor(
            **whoever,
            name=email,
            zone=tenant.zone,
            standing=standing if standing in {*NOT_LET_IN, SCHOOL_SUSPENDED} else "",
            needs_second_factor=needs_second_factor,
        )
    held = acted if is_acting else own
    return Actor(
        **whoever,
        membership_id=held.id,
        name=held.name or email,
        roles=held.roles_held,
        zone=held.zone or tenant.zone,
        locale=held.locale or tenant.locale,
        department_id=held.department_id,
        needs_second_factor=needs_second_factor,
        acting_until=acting_until if is_acting else None,
        real_membership_id=own.id if is_acting else None,
    )


class _Held(NamedTuple):
    """A membership as the sign-in lookup reads it; all None where there is none."""

    id: int | None
    name: str | None
    roles: list[str] | None
    zone: str | None
    locale: str | None
    department_id: int | None

    @property
    def roles_held(self) -> frozenset[str]:
        return frozenset(self.roles or ())


def find_user_by_email(email: str) -> User | None:
    """The person of an e-mail address, whatever its case."""
    return session.scalars(select(User).where(func.lower(User.email) == func.lower(email.strip()))).first()


def list_schools_of_user(user_id: int) -> list[tuple[Tenant, Membership]]:
    """The schools that let a person in, by name. Needs the person's stamp in force, not a school's."""
    is_in = (Membership.status == "active") & ~Membership.link_awaited
    rows = (
        select(Tenant, Membership)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id, is_in, Tenant.suspended_at.is_(None))
        .order_by(Tenant.name)
    )
    return [(tenant, membership) for tenant, membership in session.execute(rows)]


def list_schools_that_know(user_id: int) -> list[tuple[Tenant, Membership]]:
    """The schools where a person is in, waits to be let in or is suspended, by name. Needs the person's stamp in force.

    Not those where they wait and have not proven that it is they who asked, nor those that added them and where they have not come:
    what such a school read in its trail would tell whether the address has an account, and where it signs in.
    """
    asked = (Membership.status == "pending") & User.email_confirmed_at.is_not(None) & ~Membership.awaits_own_yes
    came = Membership.status.in_(["active", "suspended"]) & ~Membership.link_awaited
    rows = (
        select(Tenant, Membership)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.user_id == user_id, or_(came, asked))
        .order_by(Tenant.name)
    )
    return [(tenant, membership) for tenant, membership in session.execute(rows)]


def find_membership_of_user(user_id: int) -> Membership | None:
    """What a person is in the school in force."""
    return session.scalars(
        select(Membership).where(Membership.user_id == user_id, Membership.status == "active")
    ).first()


def list_members_with_role(role: str) -> list[Membership]:
    """The active people of a role in the school in force, by name."""
    members = select(Membership).where(Membership.roles.contains([role]), Membership.status == "active")
    return list(session.scalars(members.order_by(Membership.name_key, Membership.id)))


def email_of_member(membership_id: int) -> str | None:
    """Where to write to a member of the school in force."""
    mail = select(User.email).join(Membership, Membership.user_id == User.id).where(Membership.id == membership_id)
    return session.scalars(mail).first()


def names_of_members(ids: set[int]) -> dict[int, str]:
    """The names behind membership ids, in one SELECT."""
    if not ids:
        return {}
    return {
        row.id: row.name
        for row in session.execute(select(Membership.id, Membership.name).where(Membership.id.in_(ids)))
    }


# -- links ---------------------------------------------------------------------------------------------------------


def find_link(token: str, purpose: Purpose) -> OneUseToken | None:
    """A link that still works, for the school in force or for none; looking at it does not use it."""
    tenant = tenancy.current()
    return session.scalars(
        select(OneUseToken).where(
            OneUseToken.token_hash == token_hash(token),
            OneUseToken.purpose == purpose.value,
            OneUseToken.used_at.is_(None),
            OneUseToken.expires_at > clock.now(),
            OneUseToken.tenant_id == tenant.id if tenant else OneUseToken.tenant_id.is_(None),
        )
    ).first()


def is_like(link: OneUseToken) -> tuple[ColumnElement[bool], ...]:
    """The conditions of links that do the same for the same person."""
    return (
        OneUseToken.purpose == link.purpose,
        OneUseToken.user_id == link.user_id if link.user_id else OneUseToken.user_id.is_(None),
        OneUseToken.tenant_id == link.tenant_id if link.tenant_id else OneUseToken.tenant_id.is_(None),
    )


def list_twins(link: OneUseToken, *, newer_than: datetime) -> list[OneUseToken]:
    """The links that were asked for before this one, for the same, and that still work."""
    twins = select(OneUseToken).where(
        *is_like(link),
        OneUseToken.new_email == link.new_email if link.new_email else OneUseToken.new_email.is_(None),
        OneUseToken.id < link.id,
        OneUseToken.used_at.is_(None),
        OneUseToken.created_at > newer_than,
    )
    return list(session.scalars(twins))


def known_address() -> ColumnElement[str]:
    """The address by which the school in force knows a member: once they are in, the one they sign in with. Joins User."""
    return func.coalesce(Membership.known_as, User.email)


def find_facts(member: Membership) -> tuple[str, bool, str | None]:
    """A member's e-mail, whether it is known to be theirs, and the name of their department, in one SELECT."""
    facts = (
        select(known_address(), counts_as_confirmed(), Department.name)
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .outerjoin(Department, Department.id == Membership.department_id)
        .where(Membership.id == member.id)
    )
    email, is_theirs, department = session.execute(facts).one()
    return email, is_theirs, department


def is_confirmed(member: Membership) -> bool:
    """Whether a member's e-mail is known to be theirs, as far as an admin's yes asks for it."""
    confirmed = select(Membership.id).join(User, User.id == Membership.user_id)
    return session.execute(confirmed.where(Membership.id == member.id, counts_as_confirmed())).first() is not None


def counts_as_confirmed() -> ColumnElement[bool]:
    """The condition on a User and their Membership that an admin may let them in: the mailbox is theirs, and so is the request.
    Without mail nobody can confirm it, and the admin's yes stands in."""
    return User.email_confirmed_at.is_not(None) & ~Membership.awaits_own_yes if can_send_mail() else true()


def may_be_anybodys() -> ColumnElement[bool]:
    """The condition on a User and their Membership that it is a request which anybody may have typed: whoever holds the address has
    not said yes to it, so that it keeps no school from inviting or adding them."""
    return Membership.status.in_(["pending", "declined"]) & ~counts_as_confirmed()


def is_anybodys(member: Membership) -> bool:
    """Whether a member is only a request that anybody may have typed."""
    found = select(Membership.id).join(User, User.id == Membership.user_id)
    return session.execute(found.where(Membership.id == member.id, may_be_anybodys())).first() is not None


def find_user(user_id: int | None) -> User | None:
    return session.get(User, user_id or 0)


def find_tenant_for_mail(user_id: int | None) -> tenancy.TenantRef | None:
    """A school whose worker mails a person: the first of theirs; for nobody the first there is, at the same cost."""
    before = tenancy.current()
    tenancy.enter(None, user_id=user_id or 0)
    theirs = select(func.min(Membership.tenant_id)).where(_is_their_own(user_id or 0)).scalar_subquery()
    first = select(func.min(Tenant.id)).scalar_subquery()
    found = select(Tenant.id, Tenant.slug, Tenant.name, Tenant.zone).where(Tenant.id == func.coalesce(theirs, first))
    row = session.execute(found).first()
    tenancy.enter(before)
    return tenancy.TenantRef(*row) if row else None


def _is_their_own(user_id: int) -> ColumnElement[bool]:
    """The condition on a row that it is a person's, and not of a stranger who asked with their address."""
    return (Membership.user_id == user_id) & (Membership.status != "erased") & ~Membership.awaits_own_yes


def list_standings_of_user(user_id: int) -> list[tuple[Tenant, Membership]]:
    """The schools that know a person but do not let them in (yet), or let nobody in, by name. Needs the person's stamp in force."""
    kept_out = or_(Membership.status.in_(NOT_LET_IN), Membership.link_awaited, Tenant.suspended_at.is_not(None))
    rows = (
        select(Tenant, Membership)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(_is_their_own(user_id), kept_out)
        .order_by(Tenant.name)
    )
    return [(tenant, membership) for tenant, membership in session.execute(rows)]


def is_let_in_elsewhere(user_id: int) -> bool:
    """Whether a school besides the one in force lets a person in."""
    return bool(session.scalar(select(func.is_let_in_elsewhere(user_id, tenancy.required().id))))


def find_standing_member(user_id: int) -> Membership | None:
    """What a person is in the school in force, in whatever state."""
    return session.scalars(select(Membership).where(Membership.user_id == user_id)).first()


def list_schools_holding(user_id: int) -> list[tuple[Tenant, Membership]]:
    """The schools that `count_schools_of_user` counts, by name. Needs the person's stamp in force."""
    rows = select(Tenant, Membership).join(Membership, Membership.tenant_id == Tenant.id)
    rows = rows.where(_is_their_own(user_id)).order_by(Tenant.name)
    return [(tenant, membership) for tenant, membership in session.execute(rows)]


def list_requests_of_strangers(user_id: int) -> list[tuple[Tenant, Membership]]:
    """Where strangers asked to join with a person's address, by school. Needs the person's stamp in force."""
    rows = select(Tenant, Membership).join(Membership, Membership.tenant_id == Tenant.id)
    rows = rows.where(Membership.user_id == user_id, Membership.status != "erased", Membership.awaits_own_yes)
    return [(tenant, membership) for tenant, membership in session.execute(rows.order_by(Tenant.id))]


def find_link_by_id(link_id: int) -> OneUseToken | None:
    return session.get(OneUseToken, link_id)


def is_without_school() -> bool:
    """Whether this is an empty instance, which wants to be set up."""
    return session.execute(select(Tenant.id).limit(1)).first() is None


# -- the people of a school ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """One row of the people list: the member, their e-mail, and whether that is known to be theirs."""

    member: Membership
    email: str
    email_confirmed: bool

    @property
    def is_ready(self) -> bool:
        """Whether all they wait for is an admin's yes."""
        return self.member.status == "pending" and self.email_confirmed


def list_people(
    *, search: str = "", status: str | None = None, role: str | None = None, department_id: int | None = None,
    newest_first: bool = False, cursor: str = "",
) -> Page[Listed]:  # fmt: skip
    """A page of the school's people, by name or newest first, in one SELECT. Erased ones are left out.

    `search` is part of a name, an e-mail or a phone number, however that is spaced; a department includes those below it.
    `status` is one of a member's, ASKS_ERASURE or NOT_COME_YET.
    """
    facts = known_address().label("email"), counts_as_confirmed().label("is_theirs")
    columns = (Membership, *facts, Membership.name_key, Membership.id)
    people: Any = select(*columns).join(User, User.id == Membership.user_id)
    people = people.where(_stands(status))
    if role:
        people = people.where(Membership.roles.contains([role]))
    if department_id is not None:
        people = people.where(Membership.department_id.in_(department_ids_below(department_id)))
    if search:
        people = people.where(or_(*_named(search)))
    by = [Membership.id] if newest_first else [Membership.name_key, Membership.id]
    found = paginate(people, by, cursor=cursor, descending=newest_first, scalars=False)
    rows = [Listed(row.Membership, row.email, row.is_theirs) for row in found.rows]
    return Page(rows, found.before, found.after)


def _stands(status: str | None) -> ColumnElement[bool]:
    there = Membership.status != "erased"
    if status == ASKS_ERASURE:
        return Membership.erasure_asked_at.is_not(None) & there
    if status == NOT_COME_YET:
        return Membership.link_awaited & (Membership.status == "active")
    return Membership.status == status if status else there


def _named(search: str) -> Iterator[Any]:
    yield Membership.name_key.contains(sort_key(search), autoescape=True)
    yield known_address().contains(search.lower(), autoescape=True)
    digits = "".join(c for c in search if c in "0123456789")
    if digits and not search.strip("+-()/. 0123456789"):
        yield func.regexp_replace(Membership.phone, "[^0-9]", "", "g").contains(digits)


def find_by_name_or_address(typed: str, *, most: int = 2) -> list[Membership]:
    """The people, `most` of them, whose address or whole name is what somebody typed; those who are in come first."""
    text = " ".join(typed.split())
    people = select(Membership).join(User, User.id == Membership.user_id).where(Membership.status != "erased")
    named = or_(known_address() == text.lower(), Membership.name_key == sort_key(text))
    by = (Membership.status != "active", Membership.id)
    return list(session.scalars(people.where(named).order_by(*by).limit(most)))


def find_waiting(membership_id: int) -> Membership | None:
    """A person who still waits to be let in."""
    waiting = select(Membership).where(Membership.id == membership_id, Membership.status == "pending")
    return session.scalars(waiting).first()


def find_erasure_asker(membership_id: int) -> Membership | None:
    """A person who still asks to be erased."""
    asks = select(Membership).where(Membership.id == membership_id, Membership.erasure_asked_at.is_not(None))
    return session.scalars(asks).first()


def count_waiting() -> tuple[int, int]:
    """How many people wait for an admin to let them in, and how many have yet to confirm their e-mail before."""
    ready = counts_as_confirmed()
    counted = select(func.count().filter(ready), func.count().filter(~ready)).select_from(Membership)
    waiting = counted.join(User, User.id == Membership.user_id).where(Membership.status == "pending")
    row = session.execute(waiting).one()
    return row[0], row[1]


def count_unconfirmed(ids: Iterable[int]) -> int:
    """How many of these people wait to be let in, and have not confirmed their e-mail."""
    waiting = select(func.count()).select_from(Membership).join(User, User.id == Membership.user_id)
    theirs = waiting.where(Membership.id.in_(list(ids)), Membership.status == "pending")
    return session.execute(theirs.where(~counts_as_confirmed())).scalar_one()


def list_admin_ids(*, who_came: bool = False) -> set[int]:
    """The membership ids of the school's active admins; on demand without those who were added and have not come yet."""
    admins = select(Membership.id).where(Membership.roles.contains(["admin"]), Membership.status == "active")
    return set(session.scalars(admins.where(~Membership.link_awaited) if who_came else admins))


def list_office() -> dict[int, str]:
    """Names by id of the school's active admins and managers, by name."""
    runs_it = or_(Membership.roles.contains(["admin"]), Membership.roles.contains(["manager"]))
    office = select(Membership.id, Membership.name).where(runs_it, Membership.status == "active")
    return {row.id: row.name for row in session.execute(office.order_by(Membership.name_key, Membership.id))}


def count_people_in(department_id: int) -> int:
    """How many people are in a department itself, erased ones left out."""
    inside = select(func.count()).select_from(Membership).where(Membership.department_id == department_id)
    return session.execute(inside.where(Membership.status != "erased")).scalar_one()


def count_people_by_department(*, who_are_in: bool = False) -> dict[int, int]:
    """How many people are in each department itself, by its id; on demand only those whom the school lets in."""
    there = Membership.status == "active" if who_are_in else Membership.status != "erased"
    counted = select(Membership.department_id, func.count()).where(Membership.department_id.is_not(None), there)
    rows = session.execute(counted.group_by(Membership.department_id))
    return {department_id: people for department_id, people in rows if department_id}


def list_members_by_id(ids: Iterable[int]) -> list[Membership]:
    """The members behind ids, by name; those of another school, or of none, are not among them."""
    wanted = select(Membership).where(Membership.id.in_(list(ids)))
    return list(session.scalars(wanted.order_by(Membership.name_key, Membership.id)))


def count_recovery_codes(user_id: int) -> int:
    """How many recovery codes of a person still work."""
    left = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.execute(left).scalar_one()


# -- sessions ------------------------------------------------------------------------------------------------------


def find_session(token: str) -> UserSession | None:
    """The row of a session token, also after its end, for as long as it is kept."""
    return session.scalars(select(UserSession).where(UserSession.token_hash == token_hash(token))).first()


def list_open_sessions(user_id: int, *, idle: timedelta) -> list[UserSession]:
    """Where a person is signed in, last used first."""
    now = clock.now()
    still = select(UserSession).where(
        UserSession.user_id == user_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
        UserSession.is_remembered | (UserSession.seen_at > now - idle),
    )
    return list(session.scalars(still.order_by(UserSession.seen_at.desc(), UserSession.id.desc())))


def count_schools_of_user(user_id: int) -> int:
    """How many schools have a row of a person, in whatever state, that is not of a stranger's asking: also from inside one."""
    session.flush()
    before = tenancy.current()
    tenancy.enter(None, user_id=user_id)
    count = session.execute(select(func.count()).where(_is_their_own(user_id))).scalar_one()
    tenancy.enter(before)
    return count


def is_known_elsewhere(member: Membership) -> bool:
    """Whether another school knew the person before, or they have come in there: also from inside one school."""
    session.flush()
    before, school_id, user_id, member_id = tenancy.current(), member.tenant_id, member.user_id, member.id
    tenancy.enter(None, user_id=user_id)
    others = select(Membership.id).where(
        Membership.user_id == user_id, Membership.tenant_id != school_id, ~Membership.awaits_own_yes,
        or_(Membership.id < member_id, (Membership.status != "invited") & ~Membership.link_awaited),
    )  # fmt: skip
    found = session.execute(others.limit(1)).first() is not None
    tenancy.enter(before)
    return found


def list_instructor_choices() -> dict[str, str]:
    """The active instructors of the school in force, id → name, by name."""
    return {str(member.id): member.name for member in list_members_with_role("instructor")}
