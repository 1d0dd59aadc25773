"""Permissions: declared on every route, granted to roles by each feature's policies, looked up through one door.

A view says `@requires(Can.EDIT_COURSE)` (or `@public("why")`, or `@signed_in`) and gets a record from a URL only by
`access(Course, course_id)`: not there or not seen is 404, seen but not allowed is 403.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from flask import abort, g, request
from flask_login import current_user
from sqlalchemy.orm.interfaces import ORMOption

from app.foundation import csrf, tenancy
from app.foundation.db import session
from app.foundation.refusals import NotWhileActing

if TYPE_CHECKING:
    from app.foundation.actor import Actor

T = TypeVar("T")
View = Callable[..., Any]
Predicate = Callable[["Actor", Any], bool]


class Role(StrEnum):
    """What a person is at a school. One may be several; permissions add up."""

    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    AUTHOR = "author"
    MANAGER = "manager"
    ADMIN = "admin"


EVERYONE = frozenset(Role)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_granted: dict[str, set[str]] = {role.value: set() for role in Role}
_never_while_acting: set[str] = set()
_words: dict[str, Any] = {}
_sees: dict[type, tuple[Predicate, ...]] = {}
_allows: dict[str, Predicate] = {}


class SignInNeeded(Exception):
    """Nobody is signed in; identity answers with the way to the sign-in page."""


class NotLetIn(Exception):
    """The school knows this person but does not let them in (yet); identity leads to where they read how they stand."""


class SecondFactorNeeded(Exception):
    """The school asks its admins for a second factor and this one has given none; identity leads to where it is set up."""


# -- what a policies room says -------------------------------------------------------------------------------------


def grants(table: Mapping[StrEnum, frozenset[Role] | set[Role]]) -> None:
    """Say which roles hold each permission of a feature."""
    for permission, roles in table.items():
        for role in roles:
            _granted[role.value].add(permission.value)
    permissions_of.cache_clear()


def never_while_acting(*permissions: StrEnum) -> None:
    """Name what nobody may do while acting as someone else: passwords, roles, money."""
    _never_while_acting.update(permission.value for permission in permissions)
    permissions_of.cache_clear()


def explains(words: Mapping[StrEnum, Any]) -> None:
    """Say what each permission lets people do, as a translatable sentence, for the matrix that admins read."""
    _words.update({permission.value: sentence for permission, sentence in words.items()})


def sees(model: type) -> Callable[[Predicate], Predicate]:
    """Mark a predicate that decides whether a member may know that a record exists.

    Those of several features add up: a course is seen by whom it is for, and by those whom it is assigned to.
    """

    def mark(predicate: Predicate) -> Predicate:
        _sees[model] = (*_sees.get(model, ()), predicate)
        return predicate

    return mark


def allows(permission: StrEnum) -> Callable[[Predicate], Predicate]:
    """Mark the predicate that narrows a permission to some records: a learner cancels only their own booking."""

    def mark(predicate: Predicate) -> Predicate:
        _allows[permission.value] = predicate
        return predicate

    return mark


@lru_cache(maxsize=128)
def permissions_of(roles: frozenset[str], *, acting: bool = False) -> frozenset[str]:
    """The union of the permissions of several roles; less some while acting as someone else."""
    held: frozenset[str] = frozenset().union(*(_granted.get(role, set()) for role in roles))
    return held - _never_while_acting if acting else held


def permission_matrix() -> dict[str, frozenset[str]]:
    """Each permission with the roles that hold it, by its name: the code's own policies."""
    names = sorted(set().union(*_granted.values()))
    return {name: frozenset(role for role, held in _granted.items() if name in held) for name in names}


def words_of(permission: str) -> str:
    """What a permission lets people do; its name where nobody explained it."""
    return str(_words.get(permission, permission))


def roles_with(permission: StrEnum) -> frozenset[str]:
    """The roles that hold a permission, for finding whom to tell."""
    return frozenset(role for role, held in _granted.items() if permission.value in held)


def may(actor: Actor, permission: StrEnum, record: object) -> bool:
    """Whether the actor may do this to that record: the role's grant and the record's predicate together."""
    predicate = _allows.get(permission.value)
    return actor.may(permission) and (predicate is None or predicate(actor, record))


# -- what a view says ----------------------------------------------------------------------------------------------


def requires(permission: StrEnum) -> Callable[[View], View]:
    """The view answers only members of the school in the path who hold the permission."""

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not _member_only().may(permission):
                _refuse(permission)
            g.permission = permission
            return view(*args, **kwargs)

        guarded.permission = permission.value  # type: ignore[attr-defined]
        return guarded

    return mark


def signed_in(view: View) -> View:
    """The view answers anyone who is signed in, and in a school any member of it."""

    for_anybody = getattr(view, "csrf_for_anybody", False)

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        _member_only(second_factor=not for_anybody, for_anybody=for_anybody)
        return view(*args, **kwargs)

    guarded.permission = "signed-in"  # type: ignore[attr-defined]
    return guarded


def own_account(view: View) -> View:
    """The view answers a signed-in person about their own account, never one who acts as another.

    Outside of the school where they act they read of their account, and change nothing.
    """

    return _of_oneself(view, "own-account")


def own_record(view: View) -> View:
    """Like `own_account`, of what a school keeps about a person: also one whom it does not let in (yet)."""
    return _of_oneself(view, "own-record", kept_out=True)


def _of_oneself(view: View, declared: str, *, kept_out: bool = False) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        person = _member_only(second_factor=False, kept_out=kept_out)
        if person.is_acting or (person.acting_elsewhere and request.method not in SAFE_METHODS):
            raise NotWhileActing
        return view(*args, **kwargs)

    guarded.permission = declared  # type: ignore[attr-defined]
    return guarded


def operator(view: View) -> View:
    """The view answers the platform's operators; to everybody else it is not there."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_user.is_authenticated and not current_user.is_operator:
            abort(404)
        _member_only()
        return view(*args, **kwargs)

    guarded.permission = "operator"  # type: ignore[attr-defined]
    return guarded


def public(reason: str) -> Callable[[View], View]:
    """The view answers everybody, for a reason that the list of routes shows."""
    return _open_to_all("public", reason)


def newcomers(reason: str) -> Callable[[View], View]:
    """The view of a school answers people whom the school does not let in yet, for a reason that the list of routes shows."""
    return _open_to_all("newcomers", reason)


def _open_to_all(declared: str, reason: str) -> Callable[[View], View]:
    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            _open_school_only()
            if request.method not in SAFE_METHODS:
                csrf.check()
            return view(*args, **kwargs)

        guarded.permission = declared  # type: ignore[attr-defined]
        guarded.public_reason = reason  # type: ignore[attr-defined]
        return guarded

    return mark


def _open_school_only() -> None:
    """A suspended school tells those it knows that it is, and is not there for anybody else."""
    school = tenancy.current()
    if school is not None and school.is_suspended and current_user.membership_id is None:
        if current_user.standing:
            raise NotLetIn
        abort(404)


def access(model: type[T], record_id: int, *options: ORMOption) -> T:
    """The record behind a URL id. 404 if it is not there or not seen by this member, 403 if seen but not allowed."""
    record = session.get(model, record_id, options=options)
    if record is None or not any(is_seen(current_user, record) for is_seen in _sees[model]):
        abort(404)
    if "permission" in g and not may(current_user, g.permission, record):
        abort(403)
    return record


def _refuse(permission: StrEnum) -> NoReturn:
    """403, with the reason: the role does not include it, or it does and nobody does it in another's name."""
    if current_user.is_acting and permission in permissions_of(current_user.roles):
        raise NotWhileActing
    abort(403)


def _member_only(*, second_factor: bool = True, for_anybody: bool = False, kept_out: bool = False) -> Actor:
    """Who asks. `kept_out` lets those through whom an open school knows and does not let in."""
    person: Actor = current_user._get_current_object()
    if not person.is_authenticated:
        raise SignInNeeded
    school = tenancy.current()
    if school is not None and person.membership_id is None:
        if not person.standing:
            abort(404)
        if school.is_suspended or not kept_out:
            raise NotLetIn
    if second_factor and person.needs_second_factor:
        raise SecondFactorNeeded
    if request.method not in SAFE_METHODS:
        csrf.check(for_anybody=for_anybody)
    return person
