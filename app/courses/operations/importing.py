"""Importing: a folder of files becomes the draft of a course, or of none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.audit.operations import audit
from app.courses.kinds import kind_of
from app.courses.models import Course, Lesson, Module, Step, Variant
from app.courses.operations.audience import choose_audience
from app.courses.operations.reading import CourseFolder, Problem
from app.courses.queries import find_course_by_slug, load_draft, published_steps
from app.foundation import clock, tenancy
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.formats import sort_key
from app.foundation.refusals import Refusal
from app.tenants.queries import list_departments, take_the_schools_turn

Part = TypeVar("Part", Module, Lesson, Step)


class ImportRefused(Refusal):
    """The folder is not a course. `problems` names every fault; nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = ngettext(
            "Nothing was imported: there is %(num)d problem.",
            "Nothing was imported: there are %(num)d problems.",
            len(problems),
        )
        super().__init__("\n".join([count, *map(str, problems)]))
        self.problems = list(problems)


def import_course(folder: Path, *, actor: Actor) -> Course:
    """Make or update the draft of the course in a folder (docs/content-format.md); learners see it once it is published.

    What has the same key stays the same row. A draft that is already so is left alone. Departments that the files name are whom
    it is for from now on; where they name none, that stays as it was chosen. Refuses ImportRefused.
    """
    files = CourseFolder(folder)
    departments = _known_departments(files)
    before = find_course_by_slug(files.course["slug"]) if files.course.get("slug") else None
    if before:
        _check_kinds(files, before)
    if problems := files.all_problems():
        raise ImportRefused(problems)
    course = _lock_or_make(files.course)
    modules = load_draft(course.id)
    old = _as_tree(course, modules)
    if old != files.course:
        _write_course(course, files.course)
        _write_modules(course, modules, files.course["modules"])
        audit(
            "course.imported", actor=actor, subject=course, before=_counted(old) if before else None,
            after=_counted(files.course),
        )  # fmt: skip
    if departments:
        choose_audience(course, departments, actor=actor)
    return course


def _known_departments(files: CourseFolder) -> list[int]:
    """The ids of the departments that the files name; a fault for each that the school has not."""
    if not files.departments:
        return []
    take_the_schools_turn()  # before the course's row is locked: whoever chooses its audience at the desk goes the same way
    known = {department.name: department.id for department in list_departments()}
    for fields, at, name in files.departments:
        if name and name not in known:
            fields.fault(_("The school has no department “%(name)s”.", name=name), "departments", at)
    return [known[name] for _fields, _at, name in files.departments if name in known]


def _check_kinds(files: CourseFolder, course: Course) -> None:
    """What a key meant in any publication it means for ever: answers and progress refer to it."""
    steps: dict[str, str] = {}
    parts: dict[str, str] = {}
    for step in published_steps(course.id):
        steps[step["key"]] = step["kind"]
        for variant in step["variants"]:
            parts |= kind_of(step["kind"]).parts(variant["content"])
    for fields, step, new_parts in files.steps:
        for key, kind, known in [(step["key"], step["kind"], steps), *((k, v, parts) for k, v in new_parts.items())]:
            if known.get(key, kind) != kind:
                fields.fault(
                    _(
                        "“%(key)s” was published as “%(kind)s”; what is of another kind needs a new id.",
                        key=key,
                        kind=known[key],
                    )
                )


def _lock_or_make(tree: dict[str, Any]) -> Course:
    """The course's row, locked until the commit, so that two imports at once follow each other."""
    made = (
        insert(Course)
        .values(
            tenant_id=tenancy.required().id, slug=tree["slug"], title=tree["title"], title_key=sort_key(tree["title"])[:400],
            created_at=clock.now(), updated_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "slug"])
    )  # fmt: skip
    session.execute(made)
    locked = select(Course).where(Course.slug == tree["slug"]).with_for_update(key_share=True)
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def _write_course(course: Course, tree: dict[str, Any]) -> None:
    for field in ("title", "summary", "level", "language"):
        setattr(course, field, tree[field])
    if not course.is_published:
        course.title_key = sort_key(course.title)[:400]
    course.updated_at = clock.now()


def _write_modules(course: Course, old_modules: list[Module], tree: list[dict[str, Any]]) -> None:
    """Write the whole outline, level by level. Parts that moved keep their rows, so whatever is gone goes last."""
    old_lessons = [lesson for module in old_modules for lesson in module.lessons]
    old_steps = [step for lesson in old_lessons for step in lesson.steps]
    new_lessons = [(lesson, module["key"]) for module in tree for lesson in module["lessons"]]
    new_steps = [(step, lesson["key"]) for lesson, _module in new_lessons for step in lesson["steps"]]

    top = {"course_id": course.id}
    modules = _write_level(Module, old_modules, [(module, top) for module in tree], ("title",))
    in_modules = [(lesson, {**top, "module_id": modules[key].id}) for lesson, key in new_lessons]
    lessons = _write_level(Lesson, old_lessons, in_modules, ("title", "summary", "minutes"))
    in_lessons = [(step, {**top, "lesson_id": lessons[key].id}) for step, key in new_steps]
    steps = _write_level(Step, old_steps, in_lessons, ("kind", "title"))
    _write_base_variants(old_steps, steps, {step["key"]: step["content"] for step, _lesson in new_steps})

    _drop(Step, old_steps, steps)
    _drop(Lesson, old_lessons, lessons)
    _drop(Module, old_modules, modules)
    session.expire_all()


def _write_level(
    model: type[Part], old: list[Part], new: list[tuple[dict[str, Any], dict[str, int]]], fields: tuple[str, ...]
) -> dict[str, Part]:
    """Modules, lessons or steps by key, in their order: the row of before with the same key, or a new one."""
    known = {part.key: part for part in old}
    written = {}
    for position, (tree, parents) in enumerate(new):
        part = known.get(tree["key"]) or model(key=tree["key"])
        for name, value in {**parents, "position": position, **{field: tree[field] for field in fields}}.items():
            setattr(part, name, value)
        session.add(part)
        written[part.key] = part
    session.flush()
    return written


def _write_base_variants(old: list[Step], steps: dict[str, Step], contents: dict[str, dict[str, Any]]) -> None:
    bases = {step.key: variant for step in old for variant in step.variants if not variant.audience}
    for key, content in contents.items():
        base = bases.get(key)
        if base is None:
            session.add(Variant(step_id=steps[key].id, audience={}, content=content))
        elif base.content != content:
            base.content = content
    session.flush()


def _drop(model: type[Part], before: list[Part], now: dict[str, Part]) -> None:
    gone = [part.id for part in before if part.key not in now]
    if gone:
        session.execute(delete(model).where(model.id.in_(gone)).execution_options(synchronize_session=False))


def _as_tree(course: Course, modules: list[Module]) -> dict[str, Any]:
    """A draft in the shape in which a folder is read."""
    return {
        "slug": course.slug,
        "title": course.title,
        "summary": course.summary,
        "level": course.level,
        "language": course.language,
        "modules": [
            {"key": module.key, "title": module.title, "lessons": [_lesson_tree(lesson) for lesson in module.lessons]}
            for module in modules
        ],
    }


def _lesson_tree(lesson: Lesson) -> dict[str, Any]:
    return {
        "key": lesson.key,
        "title": lesson.title,
        "summary": lesson.summary,
        "minutes": lesson.minutes,
        "steps": [
            {
                "key": step.key,
                "kind": step.kind,
                "title": step.title,
                "content": next((variant.content for variant in step.variants if not variant.audience), {}),
            }
            for step in lesson.steps
        ],
    }


def _counted(tree: dict[str, Any]) -> dict[str, Any]:
    """What the audit trail says of a draft."""
    lessons = [lesson for module in tree["modules"] for lesson in module["lessons"]]
    steps = sum(len(lesson["steps"]) for lesson in lessons)
    return {"title": tree["title"], "lessons": len(lessons), "steps": steps}
