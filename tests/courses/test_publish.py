"""Publishing: a version never changes, holds nothing secret, and leaves those who have begun where they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from app.audit.queries import list_entries_about
from app.courses.kinds import kind_of
from app.courses.models import Course, Publication, PublishedLesson, Step, Variant
from app.courses.operations import CourseIsEmpty, NothingChanged, import_course, publish_course
from app.courses.queries import answer_key, find_outline, find_published_lesson, published_steps
from app.courses.rules import LESSON_FORMAT, UnknownFormat
from app.foundation import clock
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.foundation.refusals import Refusal
from tests.cast import ADA, LEO, actor, at_school, member
from tests.client import LintingClient, count_statements
from tests.courses.folders import a_course, a_question, a_quiz, a_text, write_folder

XSS = '<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) <a href="javascript:alert(1)">y</a>'


def draft(tmp_path: Path, *steps: dict[str, Any], **over: Any) -> Course:
    return import_course(write_folder(tmp_path, a_course(*steps, **over)), actor=actor(ADA))


def publish(course: Course) -> Publication:
    return publish_course(course, actor=actor(ADA))


def test_a_draft_becomes_version_one(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = draft(tmp_path)
        made = publish(course)
        assert (made.version, made.step_count, made.lesson_count, made.level) == (1, 2, 1, "student")
        assert made.published_by_id == member(ADA).id
        assert (course.publication_id, course.is_changed_since_published) == (made.id, False)
        outline = find_outline(made.id)
        assert outline
        assert [(place.lesson_key, place.key, place.number) for place in outline.places] == [
            ("sky", "clouds", 1),
            ("sky", "quiz-clouds", 2),
        ]
        lesson = find_published_lesson(made.id, "sky")
        assert lesson
        assert lesson.steps[0].content == {"html": "<p>Look at the <em>clouds</em>.</p>\n"}


def test_publishing_is_audited_and_announced(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = draft(tmp_path)
        made = publish(course)
        session.flush()
        entry = next(e for e in list_entries_about("Course", course.id) if e.action == "course.published")
        assert (entry.actor_id, entry.after) == (member(ADA).id, {"version": 1, "checksum": made.checksum})
        event = session.scalars(
            select(OutboxEvent).where(OutboxEvent.name == "CoursePublished").order_by(OutboxEvent.id.desc())
        ).first()
        assert event
        assert event.payload == {"course_id": course.id, "publication_id": made.id, "version": 1}


def test_nothing_new_is_refused(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = draft(tmp_path)
        publish(course)
        with pytest.raises(NothingChanged, match="since version 1"):
            publish(course)


@pytest.mark.parametrize(
    ("steps", "over"),
    [
        ([a_text(title="Reworded"), a_quiz()], {}),
        ([a_text(), a_quiz()], {"title": "Other"}),
        ([a_text(), a_quiz()], {"level": "private"}),
        ([a_text(), a_quiz(questions=[a_question(explanation="Another why.")])], {}),
        ([a_quiz(), a_text()], {}),
    ],
)
def test_any_change_makes_the_next_version(
    app: Flask, tmp_path: Path, steps: list[dict[str, Any]], over: dict[str, Any]
) -> None:
    """Also one that only the answer key shows: whoever is graded by it must be in another version."""
    with at_school("skyline"):
        first = publish(draft(tmp_path))
        course = draft(tmp_path, *steps, **over)
        assert course.is_changed_since_published
        assert publish(course).version == 2
        assert first.checksum != course.publication.checksum  # type: ignore[union-attr]


def test_republishing_keeps_the_step_keys_and_the_old_version(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        first = publish(draft(tmp_path))
        second = publish(
            draft(tmp_path, a_text(title="Reworded"), a_quiz(), a_quiz(id="quiz-2", questions=[a_question(id="q2")]))
        )
        old, new = find_outline(first.id), find_outline(second.id)
        assert old
        assert new
        assert list(old.positions) == ["clouds", "quiz-clouds"]
        assert list(new.positions) == ["clouds", "quiz-clouds", "quiz-2"]
        assert (old.places[0].title, new.places[0].title) == ("Clouds", "Reworded")


def test_a_changed_draft_shows_nobody_a_word(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = draft(tmp_path)
        publish(course)
        draft(tmp_path, a_text(title="Not yet"), title="Not yet", summary="Not yet.")
        assert course.publication
        assert (course.publication.title, course.title_key) == ("Clouds for All", "clouds for all")


def test_an_empty_course_is_refused(app: Flask) -> None:
    with at_school("skyline"):
        course = Course(slug="empty", title="Empty", title_key="empty")
        session.add(course)
        session.flush()
        with pytest.raises(CourseIsEmpty, match="no lesson yet"):
            publish(course)


def test_a_lesson_without_steps_is_refused(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = draft(tmp_path)
        session.query(Step).filter(Step.course_id == course.id).delete()
        with pytest.raises(CourseIsEmpty, match="“The Sky” has no step yet"):
            publish(course)


def test_a_draft_that_went_bad_is_refused(app: Flask, tmp_path: Path) -> None:
    """A draft is edited by more than the importer: whatever is in it is checked before it is frozen."""
    with at_school("skyline"):
        course = draft(tmp_path)
        step = session.scalars(select(Step.id).where(Step.course_id == course.id, Step.kind == "text")).one()
        session.execute(update(Variant).where(Variant.step_id == step).values(content={"markdown": XSS}))
        with pytest.raises(Refusal, match="“Clouds” needs mending: markdown: Line 1: raw HTML"):
            publish(course)
        assert not course.is_published


@pytest.mark.parametrize("table", ["publication", "published_lesson"])
@pytest.mark.parametrize("deed", ["update {} set title = 'x'", "delete from {}"])
def test_the_web_role_cannot_change_what_is_published(app: Flask, table: str, deed: str) -> None:
    with at_school("skyline"), pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(text(deed.format(table)))


# -- nothing secret, nothing live ----------------------------------------------------------------------------------


def test_no_public_json_of_any_content_holds_a_key_or_an_explanation(app: Flask) -> None:
    """Reads every lesson that the seed has published: neither the fields of a key nor any of its texts are in `content`."""
    with at_school("skyline"):
        lessons = session.execute(select(PublishedLesson.content, PublishedLesson.answer_keys)).all()
        assert sum(len(keys) for _content, keys in lessons) >= 5
        for content, answer_keys in lessons:
            public = json.dumps(content, ensure_ascii=False)
            assert not {"correct", "explanation", "explanation_html", "why", "markdown"} & names_in(content)
            for step in answer_keys.values():
                for question in step[0]["key"]["questions"].values():
                    for secret in (question["explanation_html"], *question["why"].values()):
                        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in public


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def test_the_grader_finds_the_key_and_no_other_step_has_one(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        made = publish(draft(tmp_path))
        key = answer_key(made.id, "sky", "quiz-clouds")["questions"]["which-cloud"]
        assert (key["correct"], key["why"]) == (["a"], {"b": "Cirrus is thin ice, WHYTEXT."})
        for lesson_key, step_key in (("sky", "clouds"), ("sky", "none"), ("none", "quiz-clouds")):
            with pytest.raises(LookupError):
                answer_key(made.id, lesson_key, step_key)


def test_search_does_not_find_a_course_by_its_answers(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = draft(tmp_path)
        publish(course)
        words = str(session.scalar(select(Course.words).where(Course.id == course.id)))
        assert "cumulonimbus" in words
        assert "explanationtext" not in words
        assert "whytext" not in words


def test_markup_in_authors_text_comes_out_dead(app: Flask) -> None:
    """The importer refuses raw HTML; were it ever to slip through, rendering and sanitizing still disarm it."""
    public, _key = kind_of("text").publish({"markdown": XSS})
    question = {**a_question(prompt=XSS, explanation=XSS), "points": 1}
    quiz, key = kind_of("quiz").publish({"pass_percent": 50, "intro": XSS, "questions": [question]})
    assert key
    for html in (
        public["html"], quiz["intro_html"], quiz["questions"][0]["prompt_html"],
        key["questions"]["which-cloud"]["explanation_html"],
    ):  # fmt: skip
        assert "<script" not in html
        assert "<img" not in html
        assert "<a" not in html


def test_markup_in_an_option_stays_text(app: Flask, tmp_path: Path) -> None:
    """An option is plain text: it is stored as typed, and whatever shows it escapes it."""
    option = {"id": "a", "text": "<script>alert(1)</script>", "correct": True, "why": "<b>bold</b>"}
    with at_school("skyline"):
        quiz = a_quiz(questions=[a_question(options=[option, {"id": "b", "text": "No", "correct": False}])])
        made = publish(draft(tmp_path, a_text(), quiz))
        lesson = find_published_lesson(made.id, "sky")
        assert lesson
        [shown, _other] = lesson.steps[1].content["questions"][0]["options"]
        assert shown == {"key": "a", "text": "<script>alert(1)</script>"}
    with app.app_context():
        assert "<script>" not in app.jinja_env.overlay(autoescape=True).from_string("{{ option.text }}").render(
            option=shown
        )


# -- the cache -----------------------------------------------------------------------------------------------------


def test_a_lesson_read_twice_is_asked_for_once(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        made = publish(draft(tmp_path))
        first = find_published_lesson(made.id, "sky")
        with count_statements() as statements:
            assert find_published_lesson(made.id, "sky") is first
        assert statements == []


def test_the_cache_never_shows_another_schools_lesson(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        made = publish(draft(tmp_path))
        assert find_published_lesson(made.id, "sky")
        assert find_outline(made.id)
        session.flush()
    with at_school("harbour"):
        assert find_published_lesson(made.id, "sky") is None
        assert find_outline(made.id) is None
    with at_school("skyline"):
        assert find_published_lesson(made.id, "none") is None


# -- formats -------------------------------------------------------------------------------------------------------

FORMAT_1 = json.loads((Path(__file__).parent / "lesson_format_1.json").read_text())
"""A lesson as format 1 stored it. The file never changes: there are databases full of such lessons."""


def stored(tmp_path: Path, **over: Any) -> Publication:
    """A publication whose one lesson lies in the database as it did when format 1 was the newest."""
    course = draft(tmp_path)
    outline = find_outline(publish(course).id)
    assert outline
    made = Publication(
        course_id=course.id, version=2, title=course.title, outline={"modules": outline.modules}, step_count=2,
        lesson_count=1, checksum="0" * 64, published_at=clock.now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    content = {**FORMAT_1["content"], **over}
    session.add(
        PublishedLesson(
            publication_id=made.id, key="sky", position=0, title=FORMAT_1["title"], content=content,
            answer_keys=FORMAT_1["answer_keys"],
        )
    )  # fmt: skip
    course.publication_id = made.id
    session.flush()
    return made


def test_a_lesson_of_format_one_is_read_for_ever(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        made = stored(tmp_path)
        lesson = find_published_lesson(made.id, "sky")
        assert lesson
        assert [(step.key, step.kind, step.title) for step in lesson.steps] == [
            ("clouds", "text", "Clouds"),
            ("quiz-clouds", "quiz", "Check yourself"),
        ]
        assert lesson.steps[0].content == {"html": "<p>Look at the <em>clouds</em>.</p>\n"}
        assert lesson.steps[1].content["questions"][0]["options"][1] == {"key": "b", "text": "Cumulonimbus"}
        assert answer_key(made.id, "sky", "quiz-clouds")["questions"]["which"]["correct"] == ["b"]
        address = f"/skyline/courses/{made.course_id}"
        session.commit()
    page = LintingClient(app).sign_in(LEO).get(address).form("Start course").submit()
    assert "Look at the clouds." in page.text
    assert "At night you see none." not in page.text


@pytest.mark.parametrize("named", [2, "1", None])
def test_a_lesson_of_an_unknown_format_is_refused_and_not_guessed_at(app: Flask, tmp_path: Path, named: Any) -> None:
    with at_school("skyline"):
        made = stored(tmp_path, format=named)
        with pytest.raises(UnknownFormat, match=f"published in format {named!r}, and this version reads format 1 only"):
            find_published_lesson(made.id, "sky")
        with pytest.raises(UnknownFormat):
            list(published_steps(made.course_id))


def test_what_is_published_now_names_the_newest_format(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        made = publish(draft(tmp_path))
        lesson = session.scalars(select(PublishedLesson).where(PublishedLesson.publication_id == made.id)).one()
        assert (made.format, lesson.content["format"]) == (LESSON_FORMAT, LESSON_FORMAT)
