"""Publishing: a draft becomes a version that never changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, cast, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import REGCONFIG

from app.audit.operations import audit
from app.courses.events import CoursePublished
from app.courses.kinds import BadContent, kind_of
from app.courses.models import Course, Lesson, Module, Publication, PublishedLesson, Step, Variant
from app.courses.queries import load_draft
from app.courses.rules import LESSON_FORMAT, search_language
from app.foundation import clock
from app.foundation.actor import Actor
from app.foundation.db import session
from app.foundation.events import announce
from app.foundation.formats import sort_key
from app.foundation.refusals import Refusal

MOST_SEARCHED = 250_000
"""Characters of a course's text that search reads, so that the search document stays below PostgreSQL's limit of 1 MB."""


class CourseIsEmpty(Refusal):
    """There is nothing to publish, or a lesson or step of the draft has nothing in it."""


class NothingChanged(Refusal):
    """The newest version is what the draft would become."""


@dataclass(frozen=True)
class Frozen:
    """A draft, rendered and sanitized: the outline, its lessons and the words that search reads."""

    outline: dict[str, Any]
    lessons: list[dict[str, Any]]
    words: str
    checksum: str


def publish_course(course: Course, *, actor: Actor) -> Publication:
    """Freeze the draft as the next version, which whoever enrolls from now on gets. Those enrolled keep theirs.

    Refuses CourseIsEmpty, and NothingChanged by checksum. Two at once make one version: the course's row is locked.
    """
    session.refresh(course, with_for_update={"key_share": True})
    modules = load_draft(course.id)
    _refuse_empty(course, modules)
    frozen = _freeze(course, modules)
    before = session.get(Publication, course.publication_id) if course.publication_id else None
    if before and before.checksum == frozen.checksum:
        raise NothingChanged(_("Nothing has changed since version %(version)s.", version=before.version))
    publication = _write(course, frozen, version=_last_version(course) + 1, actor=actor)
    _point_to(course, publication, frozen.words)
    audit(
        "course.published",
        actor=actor,
        subject=course,
        before={"version": before.version if before else None, "checksum": before.checksum if before else None},
        after={"version": publication.version, "checksum": publication.checksum},
    )
    announce(CoursePublished(course_id=course.id, publication_id=publication.id, version=publication.version))
    return publication


def _refuse_empty(course: Course, modules: list[Module]) -> None:
    """Whatever a learner would open must have something in it."""
    if not any(module.lessons for module in modules):
        raise CourseIsEmpty(_("“%(title)s” has no lesson yet. Add one with a step, then publish.", title=course.title))
    for module in modules:
        if not module.lessons:
            raise CourseIsEmpty(_("The module “%(title)s” has no lesson yet.", title=module.title))
        for lesson in module.lessons:
            if not lesson.steps:
                raise CourseIsEmpty(_("The lesson “%(title)s” has no step yet.", title=lesson.title))
            for step in lesson.steps:
                if all(variant.audience for variant in step.variants):
                    raise CourseIsEmpty(_("The step “%(title)s” has nothing for everybody yet.", title=step.title))


def _freeze(course: Course, modules: list[Module]) -> Frozen:
    texts: list[str] = []
    lessons = [_freeze_lesson(lesson, texts) for module in modules for lesson in module.lessons]
    outline = {"modules": [_outline_of(module) for module in modules]}
    head = [course.title, course.summary, course.level, course.language]
    return Frozen(outline, lessons, " ".join(texts)[:MOST_SEARCHED], _checksum([LESSON_FORMAT, head, outline, lessons]))


def _freeze_lesson(lesson: Lesson, texts: list[str]) -> dict[str, Any]:
    steps, answer_keys = [], {}
    for step in lesson.steps:
        frozen = [_freeze_variant(step, variant, texts) for variant in step.variants]
        variants = [{"audience": audience, "content": public} for audience, public, _key in frozen]
        keys = [{"audience": audience, "key": key} for audience, _public, key in frozen if key is not None]
        steps.append({"key": step.key, "kind": step.kind, "title": step.title, "variants": variants})
        if keys:
            answer_keys[step.key] = keys
    content = {"format": LESSON_FORMAT, "steps": steps}
    return {"key": lesson.key, "title": lesson.title, "content": content, "answer_keys": answer_keys}


def _freeze_variant(
    step: Step, variant: Variant, texts: list[str]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
    """The audience, what is public and the answer key. A draft may be anything, so it is validated before it is frozen."""
    kind = kind_of(step.kind)
    try:
        content = kind.validate(variant.content)
    except BadContent as bad:
        raise Refusal(
            _("The step “%(title)s” needs mending: %(faults)s", title=step.title, faults=" ".join(bad.sentences))
        ) from bad
    texts += (step.title, kind.words(content))
    return variant.audience, *kind.publish(content)


def _outline_of(module: Module) -> dict[str, Any]:
    return {
        "key": module.key,
        "title": module.title,
        "lessons": [
            {
                "key": lesson.key,
                "title": lesson.title,
                "summary": lesson.summary,
                "minutes": lesson.minutes,
                "steps": [{"key": step.key, "kind": step.kind, "title": step.title} for step in lesson.steps],
            }
            for lesson in module.lessons
        ],
    }


def _checksum(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _last_version(course: Course) -> int:
    return session.scalar(select(func.max(Publication.version)).where(Publication.course_id == course.id)) or 0


def _write(course: Course, frozen: Frozen, *, version: int, actor: Actor) -> Publication:
    publication = Publication(
        course_id=course.id,
        version=version,
        format=LESSON_FORMAT,
        title=course.title,
        summary=course.summary,
        level=course.level,
        language=course.language,
        outline=frozen.outline,
        step_count=sum(len(lesson["content"]["steps"]) for lesson in frozen.lessons),
        lesson_count=len(frozen.lessons),
        checksum=frozen.checksum,
        published_at=clock.now(),
        published_by_id=actor.membership_id,
    )
    session.add(publication)
    session.flush()
    session.add_all(
        PublishedLesson(publication_id=publication.id, position=position, **lesson)
        for position, lesson in enumerate(frozen.lessons)
    )
    session.flush()
    return publication


def _point_to(course: Course, publication: Publication, text: str) -> None:
    """The catalog now shows this version and finds it by its words. That is no change of the draft."""
    course.publication_id, course.title_key = publication.id, sort_key(publication.title)[:400]
    session.flush()
    words = _words(publication, search_language(publication.language), text).op("||")(
        _words(publication, "simple", text)
    )
    session.execute(
        update(Course).where(Course.id == course.id).values(words=words).execution_options(synchronize_session=False)
    )
    session.expire(course, ["publication", "words"])


def _words(publication: Publication, configuration: str, text: str) -> ColumnElement[Any]:
    """The search document: title before summary before text. Word forms by the course's language; "simple" knows beginnings."""
    parts = ((publication.title, "A"), (publication.summary, "B"), (text, "C"))
    documents = [
        func.setweight(func.to_tsvector(cast(configuration, REGCONFIG), part), literal_column(f"'{weight}'"))
        for part, weight in parts
    ]
    return documents[0].op("||")(documents[1]).op("||")(documents[2])
