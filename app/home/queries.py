"""What a home shows, composed from all floors below: four statements at most, whatever roles a person has.

A person of several roles sees the sections of each. So that sections cost no statement each, those of one shape are asked
for together, as branches of one UNION ALL. All of it is plain SQL on the driver: a home is opened more often than any page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from app.analytics.queries import Activity, last_fourteen_days
from app.courses.queries import Outline, StepPlace, find_outline
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.formats import sort_key
from app.foundation.mail import can_send_mail
from app.foundation.permissions import Role
from app.foundation.prepared import Prepared
from app.learning.queries import ASSIGNED_TO_ME, COUNT_OVERDUE
from app.tenants.queries import DEPARTMENT_TREE

A_WEEK = timedelta(days=7)
TYPES = {
    "me": "bigint", "tenant": "bigint", "now": "timestamptz", "a_week_ago": "timestamptz", "in_a_week": "timestamptz",
    "today": "timestamptz", "tomorrow": "timestamptz", "mails": "boolean", "department": "bigint", "school_day": "date",
}  # fmt: skip
"""The SQL types of the values below."""

TAUGHT_BY_ME = """exists (select from claim c join resource r on r.id = c.resource_id
    where c.booking_id = b.id and c.role = 'instructor' and r.membership_id = %(me)s)"""
NUMBERS = {
    Role.ADMIN: """
(select count(*) from booking where status = 'requested') as requests,
(select count(*) from booking where status = 'approved') as unassigned,
(select count(*) from notification
  where membership_id = %(me)s and kind = 'booking.escalated' and read_at is null) as escalations,
(select count(*) from membership m join user_account u on u.id = m.user_id
  where m.status = 'pending' and ((u.email_confirmed_at is not null and not m.awaits_own_yes) or not %(mails)s)) as joining,
(select count(*) from membership where erasure_asked_at is not null) as asking_erasure,
(select count(*) from job where tenant_id = %(tenant)s and dead_at is not null) as stuck,
(select case when not exists (select from booking where status = 'completed') then array[
  opening_hours <> '{}' or exists (select from audit_entry where action = 'settings.changed'),
  exists (select from resource where kind <> 'person' and retired_at is null),
  exists (select from membership where status in ('active', 'invited') and 'instructor' = any(roles)),
  exists (select from availability_rule),
  exists (select from membership where status in ('active', 'invited') and 'learner' = any(roles)),
  exists (select from course where publication_id is not null)] end from school_settings) as first_steps""",
    Role.MANAGER: f"""
(select count(*) from membership where status = 'active' and 'learner' = any(roles)) as learners,
(select count(distinct membership_id) from enrollment where last_seen_at > %(a_week_ago)s) as learning,
({COUNT_OVERDUE}) as overdue""",  # noqa: S608 — put together from constants
    Role.INSTRUCTOR: f"""
(select count(*) from booking b where b.status = 'assigned' and b.starts_at <= %(now)s and {TAUGHT_BY_ME}) as to_complete,
(select count(*) from booking b where b.status = 'requested' and b.starts_at > %(now)s and {TAUGHT_BY_ME}) as asking,
(select count(*) from booking b where b.status in ('approved', 'assigned') and b.starts_at > %(now)s
  and b.starts_at < %(in_a_week)s and {TAUGHT_BY_ME}) as coming""",  # noqa: S608 — put together from constants
    Role.AUTHOR: """
(select count(*) from course where archived_at is null and publication_id is null) as drafts,
(select count(*) from course where archived_at is null and publication_id is not null) as published,
(select count(*) from course c join publication p on p.id = c.publication_id
  where c.archived_at is null and c.updated_at > p.published_at) as changed""",
}
"""One row of numbers; a branch for each role that is shown some."""

BOOKING = """
(select '{section}' as section, b.id, b.status, b.starts_at, b.ends_at, b.activity, b.escalations, m.name,
  (select r.name from claim c join resource r on r.id = c.resource_id
    where c.booking_id = b.id and c.role = 'instructor'),
  (select r.name from claim c join resource r on r.id = c.resource_id
    where c.booking_id = b.id and c.role in ('aircraft', 'simulator') limit 1),
  count(*) over ()
from booking b join membership m on m.id = b.learner_id
where {which} order by {order}, b.id limit {most})"""
BOOKINGS = {
    Role.LEARNER: [
        BOOKING.format(
            section="next",
            which="b.learner_id = %(me)s and b.status in ('requested', 'approved', 'assigned') and b.ends_at > %(now)s",
            order="b.starts_at",
            most=1,
        )
    ],
    Role.INSTRUCTOR: [
        BOOKING.format(
            section="today",
            which="b.status in ('approved', 'assigned', 'completed') and b.ends_at > %(today)s and "
            "b.starts_at > %(today)s - interval '1 day' and b.starts_at < %(tomorrow)s and " + TAUGHT_BY_ME,
            order="b.starts_at",
            most=20,
        ),
        BOOKING.format(
            section="waiting",
            which="((b.status = 'assigned' and b.starts_at <= %(now)s) or "
            "(b.status = 'requested' and b.starts_at > %(now)s)) and " + TAUGHT_BY_ME,
            order="b.status = 'requested', b.starts_at",
            most=6,
        ),
    ],
    Role.ADMIN: [
        BOOKING.format(section="queue", which="b.status in ('requested', 'approved')", order="b.requested_at", most=6)
    ],
}
"""Sections whose rows are bookings: a learner's next one, an instructor's day and work, the admins' queue."""

ROWS = {
    Role.LEARNER: [
        """
(select 'course' as section, e.course_id, p.title, e.last_step_key, null::text, e.steps_done, p.step_count, e.last_seen_at,
  e.completed_at, e.publication_id, count(*) filter (where e.completed_at is null) over (),
  (select count(*) from lesson_progress l join enrollment mine on mine.id = l.enrollment_id
    where mine.membership_id = %(me)s)
from enrollment e join publication p on p.id = e.publication_id
where e.membership_id = %(me)s order by e.completed_at is not null, e.last_seen_at desc, e.id desc limit 12)"""
    ],
    Role.MANAGER: [
        """
(select 'learner', e.course_id, m.name, p.title, d.name, e.steps_done, p.step_count, e.last_seen_at,
  e.completed_at, e.publication_id, count(*) over (), m.id
from enrollment e join membership m on m.id = e.membership_id join publication p on p.id = e.publication_id
left join department d on d.id = m.department_id
where m.status = 'active' order by e.last_seen_at desc, e.id desc limit 12)""",
        f"""
(with recursive {DEPARTMENT_TREE}
select 'department', d.id, d.name, null::text, null::text, count(m.id)::int, null::int, null::timestamptz,
  null::timestamptz, null::bigint, d.parent_id, null::bigint
from department d join department_tree t on t.top = d.id
left join membership m on m.department_id = t.inside and m.status = 'active' and 'learner' = any(m.roles)
group by d.tenant_id, d.id)""",  # noqa: S608 — put together from constants
    ],
    Role.AUTHOR: [
        """
(select 'desk', c.id, c.title, null::text, null::text, p.version, null::int, c.updated_at, p.published_at, null::bigint,
  count(*) over (), null::bigint
from course c left join publication p on p.id = c.publication_id
where c.archived_at is null order by c.updated_at desc, c.id desc limit 6)"""
    ],
}
"""Sections of other rows: a learner's courses, who is where and in which department, an author's desk.

A department counts the learners of those below it, too.
"""
OF_EVERYBODY = f"""
(with recursive {DEPARTMENT_TREE}, mine as (
  select distinct on (a.course_id) a.course_id, a.due_on from assignment a
  where {ASSIGNED_TO_ME} order by a.course_id, a.due_on nulls last)
select 'assigned' as section, c.id, p.title, e.last_step_key, mine.due_on::text, e.steps_done, p.step_count, e.last_seen_at,
  e.completed_at, e.publication_id, count(*) over (), null::bigint
from mine join course c on c.id = mine.course_id and c.archived_at is null
left join enrollment e on e.course_id = c.id and e.membership_id = %(me)s
join publication p on p.id = coalesce(e.publication_id, c.publication_id)
where e.completed_at is null order by mine.due_on nulls last, c.title_key, c.id limit 6)"""  # noqa: S608 — put together from constants
"""What is assigned to a person, whatever their roles, and not completed: the day is in the fifth column, in ISO."""


@dataclass(frozen=True, slots=True)
class BookingLine:
    """A booking as a home lists it. `total` is how many its section has, shown or not."""

    SECTIONS: ClassVar = ("next", "today", "waiting", "queue")

    section: str
    id: int
    status: str
    starts_at: datetime
    ends_at: datetime
    activity: str
    escalations: int
    learner: str
    instructor: str | None
    craft: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Line:
    """Another row of a home. What the numbers and instants count differs by section: see ROWS.

    `total` and `more` are the section's, the same on each of its rows: what is assigned, a learner's courses in progress and
    lessons completed, all enrollments, all courses at the desk. But a department's `total` is the id of the one above it, and
    a learner's `more` their own.
    """

    SECTIONS: ClassVar = ("assigned", "course", "learner", "department", "desk")

    section: str
    id: int
    title: str
    detail: str | None
    extra: str | None
    number: int | None
    most: int | None
    at: datetime | None
    ended_at: datetime | None
    publication_id: int | None
    total: int | None
    more: int | None

    @property
    def percent(self) -> int:
        """Progress in the course of this row, 0–100."""
        return min(100, 100 * (self.number or 0) // self.most) if self.most else 0

    @property
    def due_on(self) -> date | None:
        """The last day of an assigned course, which is the school's."""
        return date.fromisoformat(self.extra) if self.section == "assigned" and self.extra else None

    @property
    def is_changed(self) -> bool:
        """Whether a published course was changed since."""
        return bool(self.at and self.ended_at and self.at > self.ended_at)


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of a home, and what they depend on: equal figures look equal. `counted` are those of NUMBERS, by name."""

    roles: frozenset[str]
    counted: tuple[tuple[str, int], ...]
    activity: Activity | None
    bookings_ahead: int
    lessons_today: int
    courses_going: int
    lessons_completed: int

    def __getitem__(self, name: str) -> int:
        return next(value for known, value in self.counted if known == name)


@dataclass(frozen=True)
class Home:
    """What one person's home shows. Sections of roles they do not have are empty."""

    now: datetime
    school_day: date
    roles: frozenset[str]
    numbers: dict[str, int] = field(default_factory=dict)
    first_steps: tuple[bool, ...] = ()
    """Which of the steps that a new school begins with are done, for its admins, until its first lesson is over."""
    activity: Activity | None = None
    bookings: dict[str, tuple[BookingLine, ...]] = field(default_factory=dict)
    rows: dict[str, tuple[Line, ...]] = field(default_factory=dict)

    @property
    def figures(self) -> Figures:
        """The numbers of this home."""
        courses = self.rows["course"]
        return Figures(
            roles=self.roles,
            counted=tuple(self.numbers.items()),
            activity=self.activity,
            bookings_ahead=_total(self.bookings["next"]),
            lessons_today=_total(self.bookings["today"]),
            courses_going=_total(courses),
            lessons_completed=(courses[0].more or 0) if courses else 0,
        )

    @cached_property
    def departments(self) -> tuple[tuple[Line, int], ...]:
        """Each department with how deep it lies, from 0, below the one that it lies in and by name."""
        below: dict[int | None, list[Line]] = {}
        for line in sorted(self.rows["department"], key=lambda line: sort_key(line.title)):
            below.setdefault(line.total, []).append(line)

        def walk(above: int | None, depth: int) -> Iterator[tuple[Line, int]]:
            for line in below.get(above, ()):
                yield line, depth
                yield from walk(line.id, depth + 1)

        return tuple(walk(None, 0))

    @cached_property
    def next_booking(self) -> BookingLine | None:
        return next(iter(self.bookings["next"]), None)

    @cached_property
    def course(self) -> Line | None:
        """The course a learner was in last and has not completed."""
        return next((line for line in self.rows["course"] if not line.ended_at), None)

    @cached_property
    def outline(self) -> Outline | None:
        """The outline of that course, from the cache of this process."""
        return find_outline(self.course.publication_id) if self.course and self.course.publication_id else None

    @property
    def lesson_count(self) -> int:
        """How many lessons that course has."""
        return self.outline.lesson_count if self.outline else 0

    @cached_property
    def place(self) -> StepPlace | None:
        """The exact step at which they left it."""
        if not self.course or not self.outline:
            return None
        return self.outline.places[self.outline.positions.get(self.course.detail or "", 0)]


def find_home(actor: Actor) -> Home:
    """Everything on a member's home: one statement each for numbers, days, bookings and other rows, if their roles need it."""
    now, roles = clock.now(), actor.roles
    school_day = clock.today(tenancy.required().zone)
    midnight = datetime.combine(clock.today(actor.zone), datetime.min.time(), ZoneInfo(actor.zone))
    values = {
        "me": actor.membership_id, "tenant": tenancy.required().id, "now": now, "a_week_ago": now - A_WEEK,
        "in_a_week": now + A_WEEK, "today": midnight, "tomorrow": midnight + timedelta(days=1),
        "mails": can_send_mail(), "department": actor.department_id, "school_day": school_day,
    }  # fmt: skip
    numbers = _numbers(roles, values)
    return Home(
        now=now,
        school_day=school_day,
        roles=roles,
        first_steps=tuple(numbers.pop("first_steps", None) or ()),
        numbers=numbers,
        activity=last_fourteen_days() if roles & {Role.ADMIN, Role.MANAGER} else None,
        bookings=_by_section(BookingLine, _union_of_bookings(roles), values),
        rows=_by_section(Line, _union_of_rows(roles), values),
    )


def _total(lines: Sequence[Any]) -> int:
    """The number of a section, whose rows may not all be shown."""
    return (lines[0].total or 0) if lines else 0


def _numbers(roles: frozenset[str], values: dict[str, Any]) -> dict[str, Any]:
    statement = _select_numbers(roles)
    return dict(statement.value(values)) if statement else {}


def _by_section(kind: Any, statement: Prepared | None, values: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    sections: dict[str, list[Any]] = {section: [] for section in kind.SECTIONS}
    for row in statement.run(values) if statement else ():
        sections[row[0]].append(kind(*row))
    return {section: tuple(lines) for section, lines in sections.items()}


@lru_cache(maxsize=64)
def _select_numbers(roles: frozenset[str]) -> Prepared | None:
    branches = [sql for role, sql in NUMBERS.items() if role in roles]
    return Prepared(f"select to_jsonb(n) from (select {','.join(branches)}) n", **TYPES) if branches else None  # noqa: S608 — put together from constants


@lru_cache(maxsize=64)
def _union_of_bookings(roles: frozenset[str]) -> Prepared | None:
    return _union([sql for role, branches in BOOKINGS.items() if role in roles for sql in branches])


@lru_cache(maxsize=64)
def _union_of_rows(roles: frozenset[str]) -> Prepared | None:
    return _union([OF_EVERYBODY, *(sql for role, branches in ROWS.items() if role in roles for sql in branches)])


def _union(branches: Sequence[str]) -> Prepared | None:
    return Prepared(" union all ".join(branches), **TYPES) if branches else None
