"""Course folders for the tests: a small right one, to be bent one way at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CONTENT = Path(__file__).parents[2] / "content"


def a_question(**over: Any) -> dict[str, Any]:
    return {
        "id": "which-cloud",
        "kind": "single",
        "prompt": "Which cloud brings *hail*?",
        "options": [
            {"id": "a", "text": "Cumulonimbus", "correct": True},
            {"id": "b", "text": "Cirrus", "correct": False, "why": "Cirrus is thin ice, WHYTEXT."},
        ],
        "explanation": "Only a thunderstorm, EXPLANATIONTEXT, makes hail.",
        "points": 2,
        **over,
    }


def a_quiz(**over: Any) -> dict[str, Any]:
    return {
        "id": "quiz-clouds",
        "kind": "quiz",
        "title": "Check yourself",
        "pass_percent": 80,
        "intro": "One question.",
        "questions": [a_question()],
        **over,
    }


def a_text(**over: Any) -> dict[str, Any]:
    return {"id": "clouds", "kind": "text", "title": "Clouds", "file": "sky/01-clouds.md", **over}


def a_course(*steps: dict[str, Any], **over: Any) -> dict[str, Any]:
    lesson = {
        "slug": "sky",
        "title": "The Sky",
        "summary": "Look up.",
        "minutes": 10,
        "steps": list(steps) or [a_text(), a_quiz()],
    }
    return {
        "format": 1,
        "slug": "clouds-for-all",
        "title": "Clouds for All",
        "summary": "What is above you.",
        "level": "student",
        "language": "en",
        "departments": [],
        "modules": [{"slug": "above", "title": "Above", "lessons": [lesson]}],
        **over,
    }


def write_folder(folder: Path, course: dict[str, Any] | str, **files: str | bytes) -> Path:
    """Write a course's folder. A dictionary becomes YAML; files are named `sky/01-clouds.md` unless given."""
    folder.mkdir(parents=True, exist_ok=True)
    text = course if isinstance(course, str) else yaml.safe_dump(course, sort_keys=False, allow_unicode=True)
    (folder / "course.yaml").write_text(text, encoding="utf-8")
    for name, content in (files or {"sky/01-clouds.md": "Look at the *clouds*.\n"}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
