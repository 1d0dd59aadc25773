"""`flask demo grow`: many schools full of people, courses, progress and bookings, written by COPY as the owner.

All of it or nothing, and the same each time but for the dates, which are relative to today. The courses are the real ones
of content/, imported and published by the real deeds in a transaction that is rolled back, then copied under new ids, so
that whatever a publication is, these are. The audit trail tells of what is seen there, and its chains hold.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]
from psycopg2 import sql

from app.courses.operations import import_course, publish_course
from app.demo import cast
from app.demo.grow.bookings import Booked, School, bookings_of
from app.demo.grow.sizes import SIZES, SLUG, ZONES, Size, school_name
from app.demo.grow.trail import COLUMNS, begin_trail, entries_of, seal
from app.foundation import clock, tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.permissions import Role
from app.foundation.settings import Settings
from app.identity.rules import hash_password
from app.tenants.operations import create_school

CONTENT = Path(__file__).parents[3] / "content"
COPIED_TABLES: dict[str, dict[str, str]] = {
    "course": {"publication_id": ""},
    "module": {"course_id": "course"},
    "lesson": {"course_id": "course", "module_id": "module"},
    "step": {"course_id": "course", "lesson_id": "lesson"},
    "variant": {"step_id": "step"},
    "publication": {"course_id": "course", "published_by_id": ""},
    "published_lesson": {"publication_id": "publication"},
}
"""What a course is made of, parents first: each table's references, and the table they point to ("" is left empty)."""
ROWS_OF_A_COURSE = {
    "course": "id = {}",
    "variant": "step_id in (select id from step where course_id = {})",
    "published_lesson": "publication_id in (select id from publication where course_id = {})",
}
"""How the rows of a course are found in tables that have no course_id."""
LONG_AGO = timedelta(days=90)
"""Since when people are there."""
NULL = r"\N"
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
Row = Sequence[object]


class AlreadyGrown(Exception):
    """The schools that grow makes are there already."""


@dataclass(frozen=True)
class Template:
    """One real course as it lies in the database: its rows by table, as COPY's text columns, and its steps in order.

    `steps` holds (lesson key, step key).
    """

    columns: dict[str, list[str]]
    rows: dict[str, list[list[str]]]
    steps: tuple[tuple[str, str], ...]


def grow(size_name: str, settings: Settings) -> dict[str, int]:
    """Write one of SIZES as the owner of the database. Returns the rows written by table. Raises AlreadyGrown."""
    templates = read_templates()
    connection = psycopg2.connect(_libpq(settings.owner_database_url or settings.database_url))
    try:
        with connection, connection.cursor() as cursor:
            garden = Garden(cursor, SIZES[size_name], templates)
            garden.plant()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("analyze")
        return garden.written
    finally:
        connection.close()
        tenancy.forget_tenants()


# -- the real courses ----------------------------------------------------------------------------------------------


def read_templates() -> list[Template]:
    """Import and publish every course of content/ at a school that is rolled back again, and keep the rows they made."""
    try:
        with tenancy.tenant_scope(None):
            school = create_school(slug="growing", name="Growing", zone="UTC", actor=SYSTEM)
            with tenancy.tenant_scope(school):
                return [_template(folder) for folder in sorted(CONTENT.iterdir()) if folder.is_dir()]
    finally:
        session.rollback()
        session.remove()


def _template(folder: Path) -> Template:
    course = import_course(folder, actor=SYSTEM)
    publication = publish_course(course, actor=SYSTEM)
    session.flush()
    cursor = session.connection().connection.cursor()
    columns, rows = {}, {}
    for table in COPIED_TABLES:
        columns[table], rows[table] = _rows_of(cursor, table, course.id)
    steps = tuple(
        (lesson["key"], step["key"])
        for module in publication.outline["modules"]
        for lesson in module["lessons"]
        for step in lesson["steps"]
    )
    return Template(columns, rows, steps)


def _rows_of(cursor: Any, table: str, course_id: int) -> tuple[list[str], list[list[str]]]:
    """A table's rows of one course. Not all of them name it themselves."""
    way = ROWS_OF_A_COURSE.get(table, "course_id = {}")
    rows = sql.SQL("select * from {} where {} order by id").format(
        sql.Identifier(table), sql.SQL(way).format(sql.Literal(course_id))
    )
    text = io.StringIO()
    cursor.copy_expert(sql.SQL("copy ({}) to stdout (header)").format(rows), text)
    header, *lines = text.getvalue().splitlines()
    return header.split("\t"), [line.split("\t") for line in lines]


# -- writing -------------------------------------------------------------------------------------------------------


class Garden:
    """One growth: hands out ids, gathers the rows of a school and copies them in, parents first."""

    def __init__(self, cursor: Any, size: Size, templates: Sequence[Template]) -> None:
        self.cursor, self.size, self.templates = cursor, size, templates
        self.now = clock.now().replace(microsecond=0)
        self.password = hash_password(cast.PASSWORD, cost=cast.DEMO_COST)
        self.next_ids: dict[str, int] = {}
        self.written: dict[str, int] = {}

    def plant(self) -> None:
        """Write every school, then let the identity columns go on behind what was written."""
        self.cursor.execute("select count(*) from tenant where slug ~ '^field-[0-9]{3}$'")
        if self.cursor.fetchone()[0]:
            raise AlreadyGrown
        begin_trail(self.cursor, self.now)
        tenants = [self._plant_school(number) for number in range(1, self.size.schools + 1)]
        seal(self.cursor, tenants[0], tenants[-1])
        for table, following in self.next_ids.items():
            self.cursor.execute("select setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, following - 1))

    def _plant_school(self, number: int) -> int:
        """One school with all that is in it. Returns its id."""
        zone = ZONES[number % len(ZONES)]
        slug, tenant = SLUG.format(number=number), self._ids("tenant", 1)
        self._copy("tenant", "id slug name zone", [(tenant, slug, school_name(number), zone)])
        self._copy("school_settings", "tenant_id id", [(tenant, self._ids("school_settings", 1))])
        first_department = self._ids("department", len(cast.DEPARTMENTS))
        departments = [(tenant, first_department + n, name) for n, name in enumerate(cast.DEPARTMENTS)]
        self._copy("department", "tenant_id id name", departments)
        school = self._people(tenant, slug, zone, [row[1] for row in departments])
        self._hours(school)
        courses = self._courses(tenant)
        self._progress(school, courses)
        self._wanted(school, [course[0] for course in courses], [row[1] for row in departments])
        self._trail(school, self._bookings(school))
        return tenant

    def _people(self, tenant: int, slug: str, zone: str, departments: list[int]) -> School:
        """Staff first, then learners, who fill the departments in turn. Everybody has the demo's password."""
        roles = _roles(self.size)
        user, member, resource = (self._ids(t, len(roles)) for t in ("user_account", "membership", "resource"))
        users: list[Row] = []
        members: list[Row] = []
        resources: list[Row] = []
        for n, (local, held) in enumerate(roles):
            name = _name(n)
            department = departments[n % len(departments)] if Role.LEARNER in held else None
            users.append((user + n, f"{local}@{slug}.example", self.password, self.now))
            members.append(
                (tenant, member + n, user + n, name, sort_key(name), _array(held), department, self.now - LONG_AGO)
            )
            if {Role.LEARNER, Role.INSTRUCTOR} & set(held):
                resources.append((tenant, resource + n, "person", name, "", member + n))
        teaching = [n for n, (_local, held) in enumerate(roles) if Role.INSTRUCTOR in held]
        learning = [n for n, (_local, held) in enumerate(roles) if Role.LEARNER in held]
        aircraft = self._ids("resource", len(teaching))
        for n in range(len(teaching)):
            resources.append((tenant, aircraft + n, "aircraft", f"N{101 + n}FL", _craft_type(n), None))
        self._copy("user_account", "id email password_hash email_confirmed_at", users)
        self._copy("membership", "tenant_id id user_id name name_key roles department_id created_at", members)
        self._copy("resource", "tenant_id id kind name detail membership_id", resources)
        return School(
            tenant=tenant,
            zone=zone,
            admins=[member + n for n, (_local, held) in enumerate(roles) if Role.ADMIN in held],
            learners=[(member + n, resource + n) for n in learning],
            instructors=[(member + n, resource + n) for n in teaching],
            aircraft=[(aircraft + n, f"N{101 + n}FL") for n in range(len(teaching))],
        )

    def _hours(self, school: School) -> None:
        """Every instructor works Monday to Friday from nine to five, with an hour at noon."""
        rows = [
            (weekday, start, end) for weekday in range(5) for start, end in ((9 * 60, 12 * 60 + 15), (13 * 60, 17 * 60))
        ]
        first = self._ids("availability_rule", len(rows) * len(school.instructors))
        self._copy(
            "availability_rule",
            "tenant_id id resource_id weekday start_minute end_minute zone",
            [
                (school.tenant, first + n * len(rows) + m, resource, *row, school.zone)
                for n, (_member, resource) in enumerate(school.instructors)
                for m, row in enumerate(rows)
            ],
        )

    def _courses(self, tenant: int) -> list[tuple[int, int, Template]]:
        """Copies of the real courses in turn. Returns the course, the publication and the template of each."""
        made = []
        texts: dict[str, io.StringIO] = {table: io.StringIO() for table in COPIED_TABLES}
        for n in range(self.size.courses):
            template = self.templates[n % len(self.templates)]
            made.append((*self._copy_course(tenant, n, template, texts), template))
        for table, text in texts.items():
            self._copy_text(table, self.templates[0].columns[table], text)
        pairs = ", ".join(f"({course}, {publication})" for course, publication, _template in made)
        self.cursor.execute(
            f"update course set publication_id = made.publication from (values {pairs}) as made(course, publication)"  # noqa: S608
            " where course.tenant_id = %s and course.id = made.course",
            (tenant,),
        )
        return made

    def _copy_course(self, tenant: int, n: int, template: Template, texts: dict[str, io.StringIO]) -> tuple[int, int]:
        """One course's rows under new ids, with a number behind title and slug. Returns course and publication."""
        new: dict[tuple[str, str], str] = {}
        suffix = n // len(self.templates) + 1
        for table, references in COPIED_TABLES.items():
            columns, rows = template.columns[table], template.rows[table]
            place = {column: index for index, column in enumerate(columns)}
            first = self._ids(table, len(rows))
            for offset, row in enumerate(rows):
                copied = list(row)
                new[table, row[place["id"]]] = copied[place["id"]] = str(first + offset)
                copied[place["tenant_id"]] = str(tenant)
                for column, target in references.items():
                    copied[place[column]] = new[target, row[place[column]]] if target else NULL
                if suffix > 1 and table in {"course", "publication"}:
                    for column in {"title", "title_key", "slug"} & set(columns):
                        copied[place[column]] += f"-{suffix}" if column == "slug" else f" {suffix}"
                texts[table].write("\t".join(copied) + "\n")
            self.written[table] = self.written.get(table, 0) + len(rows)
        course, publication = template.rows["course"][0], template.rows["publication"][0]
        at = template.columns["course"].index("id"), template.columns["publication"].index("id")
        return int(new["course", course[at[0]]]), int(new["publication", publication[at[1]]])

    def _progress(self, school: School, courses: list[tuple[int, int, Template]]) -> None:
        """Enrollments with some steps done in order, until the school has its number of steps done."""
        left = self.size.steps_done
        enrollments, steps, lessons = [], [], []
        takers = [
            (member, courses[(n * 7 + m) % len(courses)], n + m)
            for n, (member, _resource) in enumerate(school.learners)
            for m in range(self.size.courses_taken)
        ]
        enrollment = self._ids("enrollment", len(takers))
        share = 1.1 * left / max(1, sum(len(course[2].steps) for _member, course, _n in takers))
        for n, (member, (course, publication, template), spread) in enumerate(takers):
            keys = template.steps
            wanted = min(len(keys), round(len(keys) * share * (0.4 + 0.3 * (spread % 5))))
            done = keys[: min(wanted, left)]
            left -= len(done)
            at = self.now - timedelta(days=spread % 20, hours=n % 12)
            ended = at if len(done) == len(keys) else None
            here = keys[min(len(done), len(keys) - 1)]
            enrollments.append(
                (school.tenant, enrollment + n, member, course, publication, len(done), *here, at,
                 at - timedelta(days=30), ended)
            )  # fmt: skip
            for m, (lesson, step) in enumerate(done):
                moment = at - timedelta(hours=len(done) - m - 1)
                steps.append((school.tenant, enrollment + n, lesson, step, moment))
                if m + 1 == len(keys) or (m + 1 < len(keys) and keys[m + 1][0] != lesson):
                    lessons.append((school.tenant, enrollment + n, lesson, moment))
        self._copy(
            "enrollment",
            "tenant_id id membership_id course_id publication_id steps_done last_lesson_key last_step_key last_seen_at"
            " enrolled_at completed_at",
            enrollments,
        )
        self._copy("step_progress", "tenant_id enrollment_id lesson_key step_key done_at", steps)
        self._copy("lesson_progress", "tenant_id enrollment_id lesson_key completed_at", lessons)

    def _wanted(self, school: School, courses: list[int], departments: list[int]) -> None:
        """Every fifth course is for two departments, and each is assigned: to a department or a person in turn, and each tenth to
        everybody. The days lie from two months ago to two months from now."""
        audience = [
            (school.tenant, course, departments[(n + m) % len(departments)])
            for n, course in enumerate(courses)
            if n % 5 == 4
            for m in range(2)
        ]
        self._copy("course_audience", "tenant_id course_id department_id", audience)
        assignments: list[Row] = []
        for n, course in enumerate(courses):
            department = departments[n % len(departments)] if n % 2 == 0 and n % 10 else None
            learner = school.learners[n % len(school.learners)][0] if n % 2 else None
            due_on = (self.now + timedelta(days=(n * 13) % 120 - 60)).date()
            assignments.append((school.tenant, course, department, learner, due_on, self.now - timedelta(days=61)))
        self._copy("assignment", "tenant_id course_id department_id membership_id due_on assigned_at", assignments)

    def _bookings(self, school: School) -> list[tuple[int, Booked]]:
        """Bookings of the last twenty weeks and the next three, with their claims and what people were told of them.

        Returns each with its id.
        """
        bookings = list(bookings_of(school, self.size.bookings, self.now))
        first = self._ids("booking", len(bookings))
        self._copy(
            "booking",
            "tenant_id id learner_id status starts_at ends_at note wished_instructor_id requested_at approved_at"
            " assigned_at ended_at decided_by_id reason escalations escalated_at",
            [(school.tenant, first + n, *booking.columns) for n, booking in enumerate(bookings)],
        )
        self._copy(
            "claim",
            "tenant_id booking_id resource_id role state during",
            [
                (school.tenant, first + n, resource, role, booking.claim_state, booking.during)
                for n, booking in enumerate(bookings)
                for role, resource in booking.takes
            ],
        )
        told = [row for n, booking in enumerate(bookings) for row in _told(school, first + n, booking)]
        self._copy(
            "notification", "tenant_id membership_id kind cause subject_id facts created_at read_at mailed_at", told
        )
        return [(first + n, booking) for n, booking in enumerate(bookings)]

    def _trail(self, school: School, bookings: list[tuple[int, Booked]]) -> None:
        first = self._ids("audit_entry", self.size.entries)
        entries = entries_of(school, bookings, count=self.size.entries, first_id=first, now=self.now)
        self._copy("audit_entry", COLUMNS, entries)

    # -- ids and COPY --

    def _ids(self, table: str, count: int) -> int:
        """The first of `count` ids of a table, which no one else has."""
        if table not in self.next_ids:
            self.cursor.execute(sql.SQL("select coalesce(max(id), 0) + 1 from {}").format(sql.Identifier(table)))
            self.next_ids[table] = self.cursor.fetchone()[0]
        first = self.next_ids[table]
        self.next_ids[table] += count
        return first

    def _copy(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        text = io.StringIO("".join("\t".join(map(_field, row)) + "\n" for row in rows))
        self._copy_text(table, columns.split(), text)
        self.written[table] = self.written.get(table, 0) + len(rows)

    def _copy_text(self, table: str, columns: Sequence[str], text: io.StringIO) -> None:
        text.seek(0)
        into = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self.cursor.copy_expert(into, text)


def _told(school: School, booking_id: int, booking: Booked) -> Iterator[Row]:
    """The learner of a decided booking was told; the admins of an escalated one. What is past has been read."""
    facts = json.dumps(booking.facts)
    if booking.told_as:
        kind = f"booking.{booking.told_as}"
        read = booking.told_at if booking.starts_at < booking.now else None
        yield (
            school.tenant, booking.learner, kind, f"{kind}:{booking_id}", booking_id, facts, booking.told_at, read,
            booking.told_at,
        )  # fmt: skip
    if booking.escalated_at:
        for admin in school.admins:
            cause = f"booking.escalated:{booking_id}:1"
            yield (
                school.tenant, admin, "booking.escalated", cause, booking_id, facts, booking.escalated_at, None,
                booking.escalated_at,
            )  # fmt: skip


def _roles(size: Size) -> list[tuple[str, tuple[Role, ...]]]:
    """The local part of each person's address, with their roles: one of each role first, as in the demo."""
    staff: list[tuple[str, tuple[Role, ...]]] = [
        ("admin", (Role.ADMIN,)),
        ("owner", (Role.ADMIN, Role.INSTRUCTOR, Role.AUTHOR)),
        ("manager", (Role.MANAGER,)),
        ("author", (Role.AUTHOR,)),
        ("instructor", (Role.INSTRUCTOR,)),
        *((f"instructor{n:02}", (Role.INSTRUCTOR,)) for n in range(2, size.instructors)),
    ]
    learners = size.people - len(staff)
    return [
        *staff,
        ("learner", (Role.LEARNER,)),
        *((f"learner{n:04}", (Role.LEARNER,)) for n in range(2, learners + 1)),
    ]


def _name(n: int) -> str:
    lasts = (*cast.LAST_NAMES["skyline"], *cast.LAST_NAMES["harbour"])
    return f"{cast.FIRST_NAMES[n % len(cast.FIRST_NAMES)]} {lasts[(n * 7 + n // len(lasts)) % len(lasts)]}"


def _craft_type(n: int) -> str:
    return ("Cessna 172S", "Piper Archer", "Diamond DA20")[n % 3]


def _array(roles: Sequence[Role]) -> str:
    return "{" + ",".join(sorted(role.value for role in roles)) + "}"


def _field(value: object) -> str:
    """A value as a column of COPY's text format."""
    if value is None:
        return NULL
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).translate(ESCAPES)


def _libpq(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1]
