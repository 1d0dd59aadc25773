"""Nothing about the key leaves the server before the answers are in: every body and header of a whole run is searched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

from app.foundation.kept import init_kept
from tests.cast import LEO
from tests.client import LintingClient, Page
from tests.learning.lessons import MULTIPLE, SECRETS, SINGLE, at_quiz

WORDS = re.compile(r"explanation|is_right|is_correct|answer_key|\"correct\"|data-(right|correct|key)", re.I)
"""What the key is called where it is kept; no page needs these words before the result."""


class Leak(AssertionError):
    """A response says something about the key."""


class SearchingClient(LintingClient):
    """Searches each answer, body and headers, while `watching`."""

    watching = True

    def request(self, *args: object, **kwargs: object) -> Page:
        page = super().request(*args, **kwargs)  # type: ignore[arg-type]
        if self.watching:
            search(page)
        return page


def search(page: Page) -> None:
    """Raise Leak where a page holds an explanation, the key's own words, or names a right option more often than a wrong one."""
    everything = page.answer.get_data(as_text=True) + "\n".join(f"{name}: {value}" for name, value in page.headers)
    found = [secret for secret in SECRETS if secret in everything]
    if found or WORDS.search(everything):
        raise Leak(f"{page.path} says {found or WORDS.findall(everything)}")
    counts = Counter({option["id"]: everything.count(option["id"]) for option in MULTIPLE["options"]})
    if len(set(counts.values())) > 1:
        raise Leak(f"{page.path} names some options more often: {dict(counts)}")


def run_through(app: Flask, course_id: int) -> Page:
    """Leo takes the quiz with script off and with htmx's requests, looking at every page there is before the submit."""
    client = SearchingClient(app).sign_in(LEO)
    page = at_quiz(client, course_id)
    client.partial(page.path)
    page = page.form("Start quiz").submit()
    while "/questions/" in page.path:
        client.partial(page.path)
        form = page.form("answer")
        options = list(form.choices("chosen"))
        for picked in options:
            _save_in_passing(client, form.action, form.value("attempt"), [picked])
        # All of a multiple choice, so that no option is named once more than another for being chosen.
        everything = options if "checkbox" in page.html else options[:1]
        _save_in_passing(client, form.action, form.value("attempt"), everything)
        client.partial(page.path)
        page = form.fill(chosen=everything).submit("Next" if "Next" in form.buttons() else "Review answers")
    client.partial(page.path)
    for path in ("", "/completion", "/attempts", "/submission"):
        client.get(page.path.removesuffix("/review") + path, follow=True)
    client.get("/skyline/courses?search=hail")
    client.get(f"/skyline/courses/{course_id}")
    client.get("/skyline/")
    client.watching = False
    return page.form("Submit answers").submit()


def _save_in_passing(client: LintingClient, path: str, attempt: str, chosen: list[str]) -> None:
    client.partial(path, {"attempt": attempt, "chosen": chosen})


def test_no_response_holds_a_key_or_an_explanation_before_the_submit(app: Flask, course_id: int) -> None:
    result = run_through(app, course_id)
    assert "EXPLANATIONTEXT" in result.html, (
        "after the submit the explanation is there, so the search would have found it"
    )


@contextmanager
def leaking(app: Flask, template: str, leak: str) -> Iterator[None]:
    """Puts a leak into one template: the file as it is, with more inside of its root."""
    environment = app.jinja_env
    loader = environment.loader
    assert loader
    source, _name, _fresh = loader.get_source(environment, template)
    broken = source.replace("</article>", f"{leak}</article>").replace("</span>", f"{leak}</span>", 1)
    broken = broken.replace("</ul>", f"{leak}</ul>")
    assert broken != source
    environment.loader = ChoiceLoader([DictLoader({template: broken}), loader])
    assert environment.cache is not None
    environment.cache.clear()
    init_kept(app)
    try:
        yield
    finally:
        environment.loader = loader
        environment.cache.clear()
        init_kept(app)


EXPLANATION = SINGLE["explanation"].split(", ")[1]
MARK = '<i hidden data-right="k-rime"></i>'
RIGHT_OPTIONS = "<i hidden>k-rime k-clear</i>"
WHY = MULTIPLE["options"][0]["why"]


@pytest.mark.parametrize(
    ("template", "leak"),
    [
        ("quizzes/_question.html", EXPLANATION),
        ("quizzes/_question.html", MARK),
        ("quizzes/_question.html", RIGHT_OPTIONS),
        ("quizzes/_question.html", WHY),
        ("quizzes/_review.html", RIGHT_OPTIONS),
        ("quizzes/_saved.html", RIGHT_OPTIONS),
        ("quizzes/_terms.html", WHY),
        ("learning/_step.html", EXPLANATION),
    ],
)
def test_a_key_in_one_partial_is_found(app: Flask, course_id: int, template: str, leak: str) -> None:
    with leaking(app, template, leak), pytest.raises(Leak):
        run_through(app, course_id)
