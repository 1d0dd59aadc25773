"""Importing a course: all of it or nothing, and every problem named with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.queries import list_entries_about
from app.courses.models import Course, Lesson, Module, Step, Variant
from app.courses.operations import ImportRefused, import_course, publish_course
from app.courses.queries import draft_outline, find_course_by_slug, find_published_lesson, load_draft
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from tests.cast import ADA, actor, at_school
from tests.courses.folders import CONTENT, a_course, a_question, a_quiz, a_text, write_folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(ImportRefused) as refused:
        import_course(folder, actor=actor(ADA))
    return [str(problem) for problem in refused.value.problems]


def test_a_folder_becomes_a_draft(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = import_course(write_folder(tmp_path, a_course()), actor=actor(ADA))
        assert (course.title, course.level, course.language, course.is_published) == (
            "Clouds for All",
            "student",
            "en",
            False,
        )
        [module] = draft_outline(course.id)
        assert module["lessons"][0]["minutes"] == 10
        assert [(step["key"], step["kind"]) for step in module["lessons"][0]["steps"]] == [
            ("clouds", "text"),
            ("quiz-clouds", "quiz"),
        ]
        [entry] = list_entries_about("Course", course.id)
        assert (entry.action, entry.after) == ("course.imported", {"title": "Clouds for All", "lessons": 1, "steps": 2})


def test_importing_the_same_again_changes_nothing(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        folder = write_folder(tmp_path, a_course())
        course = import_course(folder, actor=actor(ADA))
        changed = course.updated_at
        assert import_course(folder, actor=actor(ADA)).updated_at == changed
        assert len(list_entries_about("Course", course.id)) == 1


def test_what_keeps_its_key_keeps_its_row(app: Flask, tmp_path: Path) -> None:
    """Else everything that will refer to a draft's rows is cut off by each import."""
    with at_school("skyline"):
        course = import_course(write_folder(tmp_path, a_course()), actor=actor(ADA))
        [step] = [step for step in load_draft(course.id)[0].lessons[0].steps if step.key == "clouds"]
        before = step.id
        moved: dict[str, Any] = {
            "slug": "second",
            "title": "Second",
            "summary": "More.",
            "minutes": 5,
            "steps": [a_text(title="Clouds, reworded")],
        }
        tree = a_course(a_quiz())
        tree["modules"].append({"slug": "beyond", "title": "Beyond", "lessons": [moved]})
        import_course(write_folder(tmp_path, tree), actor=actor(ADA))
        [module, beyond] = load_draft(course.id)
        assert [step.key for step in module.lessons[0].steps] == ["quiz-clouds"]
        assert [(step.id, step.title) for step in beyond.lessons[0].steps] == [(before, "Clouds, reworded")]


def test_what_the_files_no_longer_have_is_gone(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        tree = a_course()
        tree["modules"].append(
            {
                "slug": "beyond",
                "title": "Beyond",
                "lessons": [
                    {
                        **tree["modules"][0]["lessons"][0],
                        "slug": "far",
                        "steps": [a_quiz(id="quiz-far", questions=[a_question(id="far")])],
                    }
                ],
            }
        )
        course = import_course(write_folder(tmp_path, tree), actor=actor(ADA))
        import_course(write_folder(tmp_path, a_course(a_text())), actor=actor(ADA))
        of_course = [
            session.scalars(select(model.key).where(model.course_id == course.id)).all()
            for model in (Module, Lesson, Step)
        ]
        assert of_course == [["above"], ["sky"], ["clouds"]]
        assert (
            session.query(Variant)
            .filter(Variant.step_id.in_(select(Step.id).where(Step.course_id == course.id)))
            .count()
            == 1
        )


def test_a_refused_import_leaves_nothing(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        before = session.query(Course).count()
        assert problems_of(write_folder(tmp_path, a_course(a_text(), a_quiz(pass_percent=0))))
        assert session.query(Course).count() == before
        assert find_course_by_slug("clouds-for-all") is None


def test_a_refused_import_leaves_the_draft_as_it_was(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        course = import_course(write_folder(tmp_path, a_course()), actor=actor(ADA))
        before = draft_outline(course.id)
        assert problems_of(write_folder(tmp_path, a_course(a_text(title="Other"), a_quiz(title=""))))
        session.expire_all()
        assert draft_outline(course.id) == before


def test_every_problem_is_named_with_file_and_place(app: Flask, tmp_path: Path) -> None:
    text = """format: 1
slug: Clouds
title: Clouds
summary: Above you.
level: student
language: en
departments: []
departments: []
color: blue
modules:
  - slug: above
    title: Above
    lessons:
      - slug: sky
        title: The Sky
        summary: Look up.
        minutes: ten
        steps:
          - id: clouds
            kind: text
            title: Clouds
            file: sky/01-clouds.md
          - id: more
            kind: text
            title: More
            file: ../secret.md
"""
    files = {"sky/01-clouds.md": "# Clouds\n\nSee <b>them</b>.\n", "sky/02-lost.md": "Nobody names me.\n"}
    with at_school("skyline"):
        assert problems_of(write_folder(tmp_path, text, **files)) == [
            "course.yaml:2: slug: Use lowercase letters, digits and single hyphens: “read-a-metar”.",
            "course.yaml:8: departments: This field stands twice.",
            "course.yaml:9: color: There is no field of this name here.",
            "course.yaml:17: modules 1 › lessons 1 › minutes: This must be a whole number.",
            "course.yaml:26: modules 1 › lessons 1 › steps 2 › file: "
            "Name a file inside the course's folder, with / between folders: lesson/01-step.md.",
            "sky/01-clouds.md: Line 1: a level-one heading is not taken, the step's title is the page's; begin with ##.",
            "sky/01-clouds.md: Line 3: raw HTML is not taken; write Markdown.",
            "sky/02-lost.md: No step names this file.",
        ]


def with_options(*options: dict[str, Any], **over: Any) -> dict[str, Any]:
    return a_course(a_text(), a_quiz(questions=[a_question(options=list(options), **over)]))


RIGHT = {"id": "a", "text": "Yes", "correct": True}
WRONG = {"id": "b", "text": "No", "correct": False}


@pytest.mark.parametrize(
    ("course", "sentence"),
    [
        (a_course(format=2), "format: This must be from 1 to 1."),
        (a_course(title=""), "title: This is empty."),
        (a_course(title="x" * 201), "title: This has 201 characters; 200 is the most."),
        (a_course(title="a\x00b"), "title: This holds a character that is none."),
        (a_course(summary=None), "summary: This has no value."),
        (a_course(language="english please"), "language: This is no language tag."),
        (a_course(departments=["Gliders"]), "departments 1: The school has no department “Gliders”."),
        (a_course(departments=["Commercial", 7]), "departments 2: This must be text."),
        (a_course(departments="Commercial"), "departments: This must be a list."),
        (a_course(modules=[]), "modules: There must be at least 1 here."),
        (a_course(modules="none"), "modules: This must be a list."),
        (a_course(modules=["none"]), "modules 1: Fields with names belong here."),
        (a_course(a_text(), a_text()), "id: “clouds” stands twice; it must be unique."),
        (a_course(a_text(), a_text(id="again")), "“clouds” has this file already."),
        (a_course(a_text(kind="video")), "kind: This must be one of: text, quiz."),
        (a_course(a_text(variants=[{}])), "variants: Only [] is taken here"),
        (a_course(a_text(markdown="Hello")), "markdown: There is no field of this name here."),
        (a_course(a_text(), a_quiz(file="x.md")), "file: There is no field of this name here."),
        (a_course(a_text(), a_quiz(id="quiz-2"), a_quiz()), "“which-cloud” stands in another step too"),
        (with_options(WRONG, {**WRONG, "id": "c"}), "exactly one correct option; this has 0."),
        (with_options(RIGHT, {**RIGHT, "id": "c"}), "exactly one correct option; this has 2."),
        (with_options(WRONG, {**WRONG, "id": "c"}, kind="multiple"), "at least one correct option."),
        (with_options(RIGHT), "options: There must be at least 2 here."),
        (with_options(RIGHT, *({**WRONG, "id": f"w{n}"} for n in range(9))), "options: There may be 9 here at most."),
        (with_options(RIGHT, {**WRONG, "id": "a"}), "options 2 › id: “a” stands twice"),
        (with_options(RIGHT, {**WRONG, "correct": "false"}), "correct: This must be true or false, without quotes."),
        (with_options(RIGHT, {**WRONG, "hint": "x"}), "options 2 › hint: There is no field of this name here."),
        (with_options(RIGHT, {**WRONG, "text": 5}), "text: This must be text. Put it in quotes."),
        (with_options(RIGHT, WRONG, prompt="![sky](https://x.example/a.png)"), "prompt: Line 1: images are not taken."),
        (with_options(RIGHT, WRONG, prompt="[sky](javascript:alert(1))"), "a link must begin with https://."),
        (with_options(RIGHT, WRONG, prompt="| a | |\n|---|---|\n| 1 | 2 |"), "a table's header needs words in every cell."),
        (with_options(RIGHT, WRONG, prompt="x" * 10_001), "prompt: This is longer than 10000 bytes."),
        (with_options(RIGHT, WRONG, points=0), "points: This must be from 1 to 100."),
    ],
)  # fmt: skip
def test_what_the_format_does_not_take_is_refused(
    app: Flask, tmp_path: Path, course: dict[str, Any], sentence: str
) -> None:
    with at_school("skyline"):
        problems = problems_of(write_folder(tmp_path, course))
        assert any(sentence in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Fields with names belong here."),
        ("- a\n- b\n", "Fields with names belong here."),
        ("title: [unclosed\n", "This is no YAML"),
        ("title: a\n\ttabs: b\n", "This is no YAML"),
        ("a: &x [1]\nb: *x\n", "write it out instead of *x"),
        ("a: " + "[" * 60 + "]" * 60, "nested too deeply"),
        ("title: !!python/object/apply:os.system [ls]\n", "This must be text."),
        ("title: !unknown x\n", "This value cannot be read."),
    ],
)
def test_yaml_that_is_odd_is_refused_and_never_run(app: Flask, tmp_path: Path, text: str, sentence: str) -> None:
    with at_school("skyline"):
        problems = problems_of(write_folder(tmp_path, text))
        assert any(sentence in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "sky/01-clouds.md: This is empty."),
        (b"\xff\xfe", "is not UTF-8, from byte 0 on."),
        (b"x" * 100_001, "is longer than 100000 bytes."),
        (b"a\x00b", "sky/01-clouds.md: This holds a character that is none."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(app: Flask, tmp_path: Path, content: bytes, sentence: str) -> None:
    with at_school("skyline"):
        problems = problems_of(write_folder(tmp_path, a_course(), **{"sky/01-clouds.md": content}))
        assert any(sentence in problem for problem in problems), problems


def test_no_file_outside_the_folder_is_read(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("the server's own")
    folder = write_folder(
        tmp_path / "course", a_course(a_text(file="sky/link.md"), a_text(id="b", file="/etc/hostname"))
    )
    (folder / "sky/01-clouds.md").unlink()
    (folder / "sky/link.md").symlink_to(tmp_path / "secret.md")
    with at_school("skyline"):
        problems = problems_of(folder)
        assert any("“sky/link.md” is a symbolic link" in problem for problem in problems)
        assert any("Name a file inside the course's folder" in problem for problem in problems)


def test_a_folder_without_a_course_is_refused(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        assert problems_of(tmp_path) == ["course.yaml: There is no file “course.yaml”."]


def test_what_was_published_keeps_its_kind_for_ever(app: Flask, tmp_path: Path) -> None:
    with at_school("skyline"):
        publish_course(import_course(write_folder(tmp_path, a_course()), actor=actor(ADA)), actor=actor(ADA))
        publish_course(import_course(write_folder(tmp_path, a_course(a_text())), actor=actor(ADA)), actor=actor(ADA))
        problems = problems_of(
            write_folder(
                tmp_path,
                a_course(a_text(id="quiz-clouds"), a_quiz(id="clouds", questions=[a_question(kind="multiple")])),
            )
        )
        assert [problem.split(": ", 2)[2] for problem in problems] == [
            "“quiz-clouds” was published as “quiz”; what is of another kind needs a new id.",
            "“clouds” was published as “text”; what is of another kind needs a new id.",
            "“which-cloud” was published as “single”; what is of another kind needs a new id.",
        ]


def test_another_school_has_a_course_of_the_same_slug(app: Flask, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, a_course())
    with at_school("skyline"):
        first = import_course(folder, actor=actor(ADA)).id
        session.flush()
    with at_school("harbour"):
        assert import_course(folder, actor=SYSTEM).id != first


@pytest.mark.parametrize("name", ["weather", "radio", "airspace"])
def test_the_courses_we_ship_are_taken_and_published(app: Flask, name: str) -> None:
    """The seed has imported them: the same files again are no change, and every lesson can be opened."""
    with at_school("skyline"):
        course = import_course(CONTENT / name, actor=actor(ADA))
        assert course.publication_id
        assert not course.is_changed_since_published
        for module in draft_outline(course.id):
            for lesson in module["lessons"]:
                published = find_published_lesson(course.publication_id, lesson["key"])
                assert published
                assert [step.key for step in published.steps] == [step["key"] for step in lesson["steps"]]
