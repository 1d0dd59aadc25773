"""Every SELECT on courses. What pages read most comes from a cache of this process, bounded in bytes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.orm import contains_eager, defer, joinedload, selectinload, undefer

from app.courses.models import Course, CourseAudience, Lesson, Module, Publication, PublishedLesson, Step
from app.courses.rules import base_variant, prefix_query, search_language, steps_of
from app.foundation import tenancy
from app.foundation.cache import ByteCache, size_of
from app.foundation.db import session
from app.foundation.pages import Choices, ListQuery, Page, paginate
from app.tenants.queries import lies_in

CATALOG_SORTS: Choices = {"title": _l("Title"), "newest": _l("Newest first")}
DESK_SORTS: Choices = {"title": _l("Title"), "updated": _l("Changed last")}
DESK_STATES: Choices = {"draft": _l("Never published"), "published": _l("Published"), "changed": _l("Changed since")}
MOST_VERSIONS = 50
CACHE_BYTES = 32_000_000

LESSON = """
select title, content::text as content from published_lesson where publication_id = %(publication)s and key = %(lesson)s
"""
OUTLINE = """
select course_id, version, title, summary, level, language, lesson_count, step_count,
  outline::text as outline
from publication where id = %(publication)s
"""
ANSWER_KEY = """
select answer_keys -> %(step)s as keys from published_lesson
where publication_id = %(publication)s and key = %(lesson)s
"""

_cache = ByteCache(CACHE_BYTES)


# -- what learners read --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepContent:
    """A published step as a person gets it. `content` is the public JSON of its kind; nothing in it is secret."""

    key: str
    kind: str
    title: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LessonContent:
    """A published lesson: its steps in order."""

    key: str
    title: str
    steps: tuple[StepContent, ...]

    def find_step(self, step_key: str) -> StepContent | None:
        return next((step for step in self.steps if step.key == step_key), None)


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Where a step stands. Numbers count from 1: the lesson's in the course, the step's in its lesson."""

    lesson_key: str
    lesson_title: str
    lesson_number: int
    key: str
    kind: str
    title: str
    number: int
    steps_in_lesson: int


@dataclass(frozen=True)
class Outline:
    """The outline of a publication. `modules` is the stored JSON: [{key, title, lessons: [{key, title, summary, minutes,
    steps: [{key, kind, title}]}]}]; `places` are all steps of the course in order."""

    publication_id: int
    course_id: int
    version: int
    title: str
    summary: str
    level: str
    language: str
    lesson_count: int
    step_count: int
    modules: list[dict[str, Any]]

    @cached_property
    def places(self) -> tuple[StepPlace, ...]:
        return tuple(_places(self.modules))

    @cached_property
    def positions(self) -> dict[str, int]:
        """Step keys with their position in `places`, from 0: next and previous are one away."""
        return {place.key: position for position, place in enumerate(self.places)}


def find_published_lesson(publication_id: int, lesson_key: str) -> LessonContent | None:
    """A lesson of a publication. Publications never change, so the cache is never stale; the answer keys are never in it."""
    cache_key = (tenancy.required().id, publication_id, lesson_key)
    cached = _cache.get(cache_key)
    if cached is not None:
        return cached
    row = _driver_row(LESSON, publication=publication_id, lesson=lesson_key)
    if row is None:
        return None
    stored = json.loads(row["content"])
    lesson = LessonContent(lesson_key, row["title"], tuple(map(_step_content, steps_of(stored))))
    _cache.put(cache_key, lesson, size=size_of(stored))
    return lesson


def find_outline(publication_id: int) -> Outline | None:
    """The outline of a publication, from the same cache."""
    cache_key = (tenancy.required().id, publication_id)
    cached = _cache.get(cache_key)
    if cached is not None:
        return cached
    row = _driver_row(OUTLINE, publication=publication_id)
    if row is None:
        return None
    modules = json.loads(row.pop("outline"))["modules"]
    outline = Outline(publication_id=publication_id, modules=modules, **row)
    # Places and positions hold the same texts again in other objects.
    _cache.put(cache_key, outline, size=2 * size_of(modules))
    return outline


def answer_key(publication_id: int, lesson_key: str, step_key: str) -> dict[str, Any]:
    """What the grader grades a step by. Only the grader and a submitted attempt's review may ask. LookupError if there is none."""
    row = _driver_row(ANSWER_KEY, publication=publication_id, lesson=lesson_key, step=step_key)
    if row is None or row["keys"] is None:
        raise LookupError(f"publication {publication_id} has no answer key for {lesson_key}/{step_key}")
    return dict(base_variant(row["keys"])["key"])


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks for courses: a department (None: in none), whether they find all, whomever those are for, and the ids of more
    courses that are theirs to take."""

    department_id: int | None = None
    finds_all: bool = False
    more: Collection[int] = ()


def list_catalog(query: ListQuery, *, reader: Reader, only: Collection[int] | None = None) -> Page[Course]:
    """The published courses that are not archived and that this person is offered, or `only` those of some ids.

    Each has `publication` loaded (show its title, summary and level) and `audience`. Sorts: `title`, `newest`. Filters: `level`,
    `language`. The search reads titles, summaries and texts.
    """
    courses = (
        select(Course)
        .join(Course.publication)
        .where(Course.archived_at.is_(None), _is_offered(reader))
        .options(contains_eager(Course.publication).defer(Publication.outline), undefer(Course.audience))
    )
    if only is not None:
        courses = courses.where(Course.id.in_(only))
    for name, column in (("level", Publication.level), ("language", Publication.language)):
        if wanted := query.get(name):
            courses = courses.where(column == wanted)
    if query.search:
        courses = courses.where(Course.words.op("@@")(_search(query.search)))
    if query.sort == "newest":
        return paginate(courses, [Course.publication_id], cursor=query.cursor, descending=True)
    return paginate(courses, [Course.title_key, Course.id], cursor=query.cursor)


def list_catalog_levels(reader: Reader) -> list[str]:
    """The levels at which the catalog has a course for this person, by name: the choices of its filter."""
    levels = select(Publication.level).join(Course, Course.publication_id == Publication.id)
    offered = levels.where(Course.archived_at.is_(None), _is_offered(reader))
    return list(session.scalars(offered.distinct().order_by(Publication.level)))


def list_courses_to_choose() -> dict[int, str]:
    """The published titles by id of all courses in the catalog, by title."""
    courses = select(Course.id, Publication.title).join(Publication, Publication.id == Course.publication_id)
    rows = session.execute(courses.where(Course.archived_at.is_(None)).order_by(Course.title_key, Course.id))
    return {row.id: row.title for row in rows}


def titles_of(course_ids: Collection[int]) -> dict[int, str]:
    """The published titles of courses, by id."""
    courses = select(Course.id, Publication.title).join(Publication, Publication.id == Course.publication_id)
    return {row.id: row.title for row in session.execute(courses.where(Course.id.in_(course_ids)))}


# -- whom a course is for ------------------------------------------------------------------------------------------


def is_for(course_id: int, department_id: int | None) -> bool:
    """Whether a course is for somebody in a department, or in none."""
    found = select(Course.id).where(Course.id == course_id, _includes(department_id))
    return session.execute(found).first() is not None


def list_audience_ids(course_id: int) -> list[int]:
    """The departments that a course is for, as chosen; none are everybody."""
    ids = select(CourseAudience.department_id).where(CourseAudience.course_id == course_id)
    return sorted(session.scalars(ids))


def _is_offered(reader: Reader) -> ColumnElement[bool]:
    if reader.finds_all:
        return true()
    return or_(_includes(reader.department_id), Course.id.in_(reader.more))


def _includes(department_id: int | None) -> ColumnElement[bool]:
    """The condition that a course is for everybody, or for one of the departments in which this one lies."""
    chosen = select(CourseAudience.id).where(CourseAudience.course_id == Course.id).correlate(Course)
    everybody = ~chosen.exists()
    if department_id is None:
        return everybody
    return or_(everybody, chosen.where(lies_in(literal(department_id), CourseAudience.department_id)).exists())


# -- what authors read ---------------------------------------------------------------------------------------------

WITH_PUBLICATION = joinedload(Course.publication).defer(Publication.outline)
WITH_AUDIENCE = undefer(Course.audience)
"""For access(Course, …): the newest publication, and whom the course is for, in the same SELECT."""


def list_drafts_for_desk(query: ListQuery) -> Page[Course]:
    """All drafts of the school, each with `publication` loaded. Sorts: `title`, `updated`. Filter: `status`, of DESK_STATES."""
    drafts = (
        select(Course)
        .outerjoin(Course.publication)
        .options(contains_eager(Course.publication).defer(Publication.outline))
    )
    if query.search:
        drafts = drafts.where(Course.title.icontains(query.search, autoescape=True))
    if state := query.get("status"):
        drafts = drafts.where(_in_state(state))
    if query.sort == "updated":
        return paginate(drafts, [Course.updated_at, Course.id], cursor=query.cursor, descending=True)
    return paginate(drafts, [Course.title_key, Course.id], cursor=query.cursor)


def list_versions(course_id: int) -> list[Publication]:
    """The newest fifty publications of a course, newest first, without their outlines."""
    versions = select(Publication).where(Publication.course_id == course_id).options(defer(Publication.outline))
    return list(session.scalars(versions.order_by(Publication.version.desc()).limit(MOST_VERSIONS)))


def draft_outline(course_id: int) -> list[dict[str, Any]]:
    """The outline of a draft in the shape of a publication's `modules`, in one SELECT; modules and lessons may be empty."""
    rows = session.execute(
        select(Module.key, Module.title, Lesson.key, Lesson.title, Lesson.minutes, Step.key, Step.kind, Step.title)
        .outerjoin(Lesson, Lesson.module_id == Module.id)
        .outerjoin(Step, Step.lesson_id == Lesson.id)
        .where(Module.course_id == course_id)
        .order_by(Module.position, Module.id, Lesson.position, Lesson.id, Step.position, Step.id)
    )
    modules: dict[str, dict[str, Any]] = {}
    lessons: dict[str, dict[str, Any]] = {}
    for module_key, module_title, lesson_key, lesson_title, minutes, step_key, kind, step_title in rows:
        module = modules.setdefault(module_key, {"key": module_key, "title": module_title, "lessons": []})
        if lesson_key is not None and lesson_key not in lessons:
            lessons[lesson_key] = {"key": lesson_key, "title": lesson_title, "minutes": minutes, "steps": []}
            module["lessons"].append(lessons[lesson_key])
        if step_key is not None:
            lessons[lesson_key]["steps"].append({"key": step_key, "kind": kind, "title": step_title})
    return list(modules.values())


def find_course_by_slug(slug: str) -> Course | None:
    """The course of that slug, archived or not."""
    return session.scalars(select(Course).where(Course.slug == slug)).first()


def load_draft(course_id: int) -> list[Module]:
    """The draft of a course, freshly read, down to the variants: one SELECT a level."""
    down = selectinload(Module.lessons).selectinload(Lesson.steps).selectinload(Step.variants)
    modules = select(Module).where(Module.course_id == course_id).order_by(Module.position, Module.id)
    return list(session.scalars(modules.options(down).execution_options(populate_existing=True)))


def published_steps(course_id: int) -> Iterator[dict[str, Any]]:
    """Each step of each publication of a course, as its JSON: what stable keys have ever meant."""
    contents = select(PublishedLesson.content).join(Publication, Publication.id == PublishedLesson.publication_id)
    for content in session.scalars(contents.where(Publication.course_id == course_id)):
        yield from steps_of(content)


# -- parts of the above --------------------------------------------------------------------------------------------


def _driver_row(sql: str, **values: Any) -> dict[str, Any] | None:
    row = session.connection().exec_driver_sql(sql, values).first()
    return row._asdict() if row else None


def _step_content(stored: dict[str, Any]) -> StepContent:
    return StepContent(stored["key"], stored["kind"], stored["title"], base_variant(stored["variants"])["content"])


def _places(modules: list[dict[str, Any]]) -> Iterator[StepPlace]:
    lessons = [lesson for module in modules for lesson in module["lessons"]]
    for lesson_number, lesson in enumerate(lessons, start=1):
        for number, step in enumerate(lesson["steps"], start=1):
            yield StepPlace(
                lesson["key"], lesson["title"], lesson_number, step["key"], step["kind"], step["title"], number,
                len(lesson["steps"]),
            )  # fmt: skip


def _search(text: str) -> ColumnElement[Any]:
    """What people typed as one tsquery: with the reader's word forms, word for word, or as the beginning of the last word."""
    typed: BindParameter[str] = bindparam("typed", text)
    query: ColumnElement[Any] = _websearch(search_language("en"), typed).op("||")(_websearch("simple", typed))
    prefix = prefix_query(text)
    if prefix:
        query = query.op("||")(func.to_tsquery(cast("simple", REGCONFIG), prefix))
    return query.self_group()


def _websearch(configuration: str, typed: Any) -> ColumnElement[Any]:
    return func.websearch_to_tsquery(cast(configuration, REGCONFIG), typed)


def _in_state(state: str) -> ColumnElement[bool]:
    changed = Course.updated_at > Publication.published_at
    return {
        "draft": Course.publication_id.is_(None),
        "published": Course.publication_id.is_not(None),
        "changed": and_(Course.publication_id.is_not(None), changed),
    }[state]
