"""Who is acting: the person signed in, a stranger, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.foundation.permissions import permissions_of

SCHOOL_SUSPENDED = "school_suspended"
"""The standing of everybody whom a suspended school knows."""


@dataclass(frozen=True)
class ActingElsewhere:
    """Whom a person acts as in a school, seen on a page outside of it: the school's slug, that person's name, until when."""

    slug: str
    name: str
    until: datetime


@dataclass(frozen=True)
class Actor:
    """One person in one school, as the sign-in lookup found them.

    `membership_id` is None for a signed-in person on a page outside their schools, for strangers and for the system.
    `standing` says why in a school that knows the person but does not let them in (yet): pending, invited, declined,
    suspended, or SCHOOL_SUSPENDED where nobody is let in; it is empty for everybody else.
    `zone` is the IANA zone in which the person reads times. `has_other_schools` says, in a school, whether another lets them in.

    While someone acts as another person, name, roles and membership are that person's and `acting_until` is set; `user_id`
    and `real_membership_id` (None for an operator) are those of whoever really sits there. On a page outside of the schools a
    person is themself, and `acting_elsewhere` says that they act somewhere.
    """

    user_id: int | None = None
    membership_id: int | None = None
    session_id: int | None = None
    name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()
    zone: str = "UTC"
    locale: str = "en"
    department_id: int | None = None
    is_system: bool = False
    is_operator: bool = False
    needs_second_factor: bool = False
    standing: str = ""
    acting_until: datetime | None = None
    real_membership_id: int | None = None
    acting_elsewhere: ActingElsewhere | None = None
    has_other_schools: bool = False

    @cached_property
    def permissions(self) -> frozenset[str]:
        """The union of what each role may do, less what nobody may do in another's name."""
        return permissions_of(self.roles, acting=self.is_acting)

    @property
    def is_acting(self) -> bool:
        """Whether someone else acts as this person."""
        return self.acting_until is not None

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    # The four names that Flask-Login asks of a user.
    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None

    @property
    def is_active(self) -> bool:
        return self.is_authenticated

    @property
    def is_anonymous(self) -> bool:
        return not self.is_authenticated

    def get_id(self) -> str:
        return str(self.user_id or "")


STRANGER = Actor()
SYSTEM = Actor(name="Groundschool", is_system=True)
