"""The quiz step: questions with one or several right options, graded on the server."""

from __future__ import annotations

from html import unescape
from typing import Any

from flask_babel import gettext as _

from app.courses.kinds import StepKind
from app.courses.rules import LONGEST_LINE, Fields, check, doubles
from app.foundation.markdown import plain_text, render_markdown

MOST_QUESTIONS = 100
MOST_OPTIONS = 9
"""So that each option has a number key."""
MOST_POINTS = 100


class QuizKind(StepKind):
    """Draft: the fields of docs/content-format.md: `{pass_percent, intro, questions: [{id, kind, prompt, points, explanation,
    options: [{id, text, correct, why}]}]}`.

    Published: `{intro_html, pass_percent, questions: [{key, kind, prompt_html, points, options: [{key, text}]}]}`.
    Answer key: `{questions: {question key: {correct: [option key], explanation_html, why: {option key: text}}}}`.
    """

    name = "quiz"
    template = "quizzes/kinds/quiz.html"
    icon = "clipboard-check"
    ends_by = "grading"

    def validate(self, content: dict[str, Any]) -> dict[str, Any]:
        return check(content, _read_quiz)

    def publish(self, content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        questions = content["questions"]
        public = {
            "intro_html": render_markdown(content["intro"]),
            "pass_percent": content["pass_percent"],
            "questions": [_public(question) for question in questions],
        }
        return public, {"questions": {question["id"]: _secret(question) for question in questions}}

    def words(self, content: dict[str, Any]) -> str:
        """The intro, the questions and the options; never an explanation."""
        texts = [_plain(content["intro"])]
        for question in content["questions"]:
            texts += [_plain(question["prompt"]), *(option["text"] for option in question["options"])]
        return " ".join(texts)

    def parts(self, public: dict[str, Any]) -> dict[str, str]:
        return {question["key"]: question["kind"] for question in public["questions"]}


def _read_quiz(fields: Fields) -> dict[str, Any]:
    quiz: dict[str, Any] = {
        "pass_percent": fields.whole("pass_percent", low=1, high=100),
        "intro": fields.markdown("intro"),
    }
    items = fields.items("questions", low=1, high=MOST_QUESTIONS)
    quiz["questions"] = [_read_question(item) for item in items]
    doubles((item, "id", question["id"]) for item, question in zip(items, quiz["questions"], strict=True))
    return quiz


def _read_question(fields: Fields) -> dict[str, Any]:
    question: dict[str, Any] = {
        "id": fields.key("id"),
        "kind": fields.choice("kind", ("single", "multiple")),
        "prompt": fields.markdown("prompt"),
        "explanation": fields.markdown("explanation"),
        "points": fields.whole("points", low=1, high=MOST_POINTS, default=1),
    }
    items = fields.items("options", low=2, high=MOST_OPTIONS)
    question["options"] = [_read_option(item) for item in items]
    doubles((item, "id", option["id"]) for item, option in zip(items, question["options"], strict=True))
    _check_correct(fields, question)
    fields.nothing_else()
    return question


def _read_option(fields: Fields) -> dict[str, Any]:
    option = {
        "id": fields.key("id"),
        "text": fields.text("text", longest=LONGEST_LINE),
        "correct": fields.flag("correct"),
    }
    if why := fields.text("why", longest=LONGEST_LINE, must=False):
        option["why"] = why
    fields.nothing_else()
    return option


def _check_correct(fields: Fields, question: dict[str, Any]) -> None:
    correct = sum(option["correct"] for option in question["options"])
    if question["kind"] == "single" and correct != 1:
        fields.fault(
            _("A single choice needs exactly one correct option; this has %(count)s.", count=correct), "options"
        )
    if question["kind"] == "multiple" and not correct:
        fields.fault(_("A multiple choice needs at least one correct option."), "options")


def _public(question: dict[str, Any]) -> dict[str, Any]:
    """Field by field, so that nothing secret comes along when the draft gains a field."""
    return {
        "key": question["id"],
        "kind": question["kind"],
        "prompt_html": render_markdown(question["prompt"]),
        "points": question["points"],
        "options": [{"key": option["id"], "text": option["text"]} for option in question["options"]],
    }


def _secret(question: dict[str, Any]) -> dict[str, Any]:
    return {
        "correct": [option["id"] for option in question["options"] if option["correct"]],
        "explanation_html": render_markdown(question["explanation"]),
        "why": {option["id"]: option["why"] for option in question["options"] if "why" in option},
    }


def _plain(markdown: str) -> str:
    return unescape(plain_text(render_markdown(markdown)))
