"""A small course for the tests of learning, with secrets that can be searched for, and people in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.courses.models import Course
from app.courses.operations import import_course, publish_course
from app.courses.queries import find_course_by_slug
from app.foundation.db import session
from app.learning.models import Enrollment
from app.learning.operations import enroll
from app.learning.queries import Taking, find_taking
from tests.cast import ADA, LEO, Person, actor, at_school, member
from tests.client import LintingClient, Page
from tests.courses.folders import a_course, a_question, a_quiz, a_text, write_folder

STEPS = ("clouds", "quiz-clouds", "gusts")
SINGLE = a_question()
MULTIPLE = a_question(
    id="which-ice",
    kind="multiple",
    prompt="Which *ice* grows on a wing?",
    points=2,
    options=[
        {"id": "k-rime", "text": "Rime", "correct": True, "why": "Rime is milky, RIMEWHY."},
        {"id": "k-clear", "text": "Clear ice", "correct": True},
        {"id": "k-cubes", "text": "Cubes", "correct": False, "why": "Those are for drinks, CUBEWHY."},
        {"id": "k-cream", "text": "Cream", "correct": False},
    ],
    explanation="Two kinds grow in flight, ICEEXPLAINED.",
)
RIGHT = {"which-cloud": ["a"], "which-ice": ["k-rime", "k-clear"]}
WRONG = {"which-cloud": ["b"], "which-ice": ["k-cubes"]}
SECRETS = ("EXPLANATIONTEXT", "WHYTEXT", "ICEEXPLAINED", "RIMEWHY", "CUBEWHY")
"""Words that stand in explanations and nowhere else."""


def tree(*, more_steps: int = 0) -> dict[str, Any]:
    """The course: two lessons, of a text and a quiz, and of one text and as many `more_steps` as are asked for."""
    course = a_course(a_text(), a_quiz(questions=[SINGLE, MULTIPLE]))
    steps = [a_text(id="gusts", title="Gusts", file="wind/01-gusts.md")]
    steps += [a_text(id=f"more-{n}", title=f"More {n}", file=f"wind/more-{n}.md") for n in range(more_steps)]
    course["modules"][0]["lessons"].append(
        {"slug": "wind", "title": "The Wind", "summary": "Feel it.", "minutes": 5, "steps": steps}
    )
    return course


def make_course(folder: Path, *, more_steps: int = 0) -> int:
    """Import and publish the course at Skyline, or its next version. Returns its id."""
    texts = {f"wind/more-{n}.md": f"More wind, {n}.\n" for n in range(more_steps)}
    written = write_folder(
        folder, tree(more_steps=more_steps),
        **{"sky/01-clouds.md": "Look at the *clouds*.\n", "wind/01-gusts.md": "Hold the yoke.\n", **texts},
    )  # fmt: skip
    with at_school("skyline"):
        course = import_course(written, actor=actor(ADA))
        publish_course(course, actor=actor(ADA))
        session.commit()
        return course.id


def weather() -> int:
    """The id of Skyline's course about weather."""
    with at_school("skyline"):
        found = find_course_by_slug("weather-for-pilots")
        assert found
        return found.id


def begin(course_id: int, person: Person = LEO) -> Enrollment:
    """A person of Skyline begins a course; a school must be in force."""
    enrollment = enroll(session.get_one(Course, course_id), actor=actor(person))
    session.flush()
    return enrollment


def taking_of(course_id: int, person: Person = LEO) -> Taking:
    """The person in the course, as the player sees them; a school must be in force."""
    session.flush()
    found = find_taking(member(person).id, course_id)
    assert found
    return found


def start(client: LintingClient, course_id: int) -> Page:
    """Press Start on the course's page; returns its first step."""
    return client.get(f"/skyline/courses/{course_id}").form("Start course").submit()


def at_quiz(client: LintingClient, course_id: int) -> Page:
    """Start the course and go to its quiz."""
    return start(client, course_id).form("Next").submit()


def answer(page: Page, answers: dict[str, list[str]]) -> Page:
    """Answer every question from the one on the page on; returns the review."""
    while "/questions/" in page.path:
        key = page.path.rsplit("/", 1)[1]
        form = page.form("answer").fill(chosen=answers.get(key, []))
        page = form.submit("Next" if "Next" in form.buttons() else "Review answers")
    return page


def take_quiz(page: Page, answers: dict[str, list[str]]) -> Page:
    """From the quiz's own page: start (or try again), answer, submit; returns the result."""
    buttons = [words for form in page.forms() for words in form.buttons()]
    page = page.form("Start quiz" if "Start quiz" in buttons else "Try again").submit()
    return answer(page, answers).form("Submit answers").submit()
