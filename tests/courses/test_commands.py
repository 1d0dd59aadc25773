"""`flask courses import`: against a database of its own, since a command commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app.courses.queries import find_course_by_slug
from app.foundation.db import session
from tests.cast import at_school
from tests.courses.folders import a_course, a_quiz, a_text, write_folder


@pytest.fixture
def cli(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    yield app
    session.remove()


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["courses", "import", *words])


def test_a_folder_is_imported_and_published_with_a_report(cli: Flask, tmp_path: Path) -> None:
    result = run(cli, str(write_folder(tmp_path, a_course())), "--tenant", "skyline", "--publish")
    assert (result.exit_code, result.output) == (
        0,
        "“Clouds for All” (clouds-for-all) is imported. Lessons: 1, steps: 2.\nPublished as version 1.\n",
    )
    with at_school("skyline"):
        course = find_course_by_slug("clouds-for-all")
        assert course
        assert course.is_published


def test_without_publish_it_stays_a_draft(cli: Flask, tmp_path: Path) -> None:
    assert run(cli, str(write_folder(tmp_path, a_course())), "--tenant", "skyline").exit_code == 0
    with at_school("skyline"):
        course = find_course_by_slug("clouds-for-all")
        assert course
        assert not course.is_published


def test_a_refusal_names_each_problem_and_writes_nothing(cli: Flask, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, a_course(a_text(title=""), a_quiz(pass_percent=101)))
    result = run(cli, str(folder), "--tenant", "skyline", "--publish")
    assert result.exit_code == 1
    assert (
        "Nothing was imported: there are 2 problems.\ncourse.yaml:19: modules 1 › lessons 1 › steps 1 › title: This is empty.\n"
        in result.output
    )
    with at_school("skyline"):
        assert find_course_by_slug("clouds-for-all") is None


def test_if_it_cannot_be_published_it_is_not_imported_either(cli: Flask, tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path, a_course()))
    assert run(cli, folder, "--tenant", "skyline", "--publish").exit_code == 0
    result = run(cli, folder, "--tenant", "skyline", "--publish")
    assert (result.exit_code, result.output) == (1, "Error: Nothing has changed since version 1.\n")


def test_an_unknown_school_is_named(cli: Flask, tmp_path: Path) -> None:
    result = run(cli, str(write_folder(tmp_path, a_course())), "--tenant", "nowhere")
    assert (result.exit_code, result.output) == (1, "Error: There is no school at 'nowhere'.\n")
