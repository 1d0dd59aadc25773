"""A learner who takes a course over HTTP: reads its steps, answers its quizzes, hands them in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.browser import Answer, Browser

ATTEMPT = re.compile(r'name="attempt"[^>]*value="(\d+)"')
CHOICE = re.compile(r'name="chosen"[^>]*value="([^"]+)"')
Choose = Callable[[list[str]], str]


@dataclass
class Question:
    """A question as its page shows it; `path` is where its answer goes."""

    path: str
    attempt: str
    options: list[str]


@dataclass
class Lessons:
    """One learner in one course. `answers` holds every answer that came back, `read` and `chosen` what was done."""

    browser: Browser
    course: str
    answers: list[Answer] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)

    def begin(self) -> str:
        """Start the course; returns the address of its first step."""
        return self._post(f"{self.course}/enrollment", once=uuid.uuid4().hex).location

    def quiz_after(self, step: str) -> str:
        """The first quiz from this step on, reading what comes before."""
        while not self.is_quiz(step):
            step = self.read_step(step)
        return step

    def is_quiz(self, step: str) -> bool:
        return f'action="{step}/attempts"' in self._get(step).text

    def read_step(self, step: str) -> str:
        """Take a step; returns the address of the next, which after a lesson's last the course's page names."""
        following = self._post(f"{step}/completion").location
        self.read.append(step)
        return following if following != self.course else self.here()

    def here(self) -> str:
        """Where "Continue" leads; nowhere once the course is completed."""
        found = re.search(
            rf'href="({self.course}/lessons/[^"]+)"[^>]*>(?:<svg.*?</svg>)?\s*Continue',
            self._get(self.course).text,
            re.S,
        )
        return found.group(1) if found else ""

    def open_quiz(self, step: str) -> Question:
        return self.question(self._post(f"{step}/attempts", once=uuid.uuid4().hex).location)

    def question(self, path: str) -> Question:
        shown = self._get(path).text
        attempt = ATTEMPT.search(shown)
        assert attempt, shown[:400]
        return Question(f"{path}/answer", attempt.group(1), CHOICE.findall(shown))

    def answer(self, question: Question, option: str) -> Answer:
        """Choose one option; the answer leads to the next question, or to the review after the last."""
        return self._post(question.path, attempt=question.attempt, chosen=option, go="next")

    def take_quiz(self, step: str, choose: Choose) -> None:
        """Answer every question and hand it in."""
        question, leads = self.open_quiz(step), ""
        while not leads.endswith("/review"):
            option = choose(question.options)
            leads = self.answer(question, option).location
            self.chosen[question.path] = option
            if not leads.endswith("/review"):
                question = self.question(leads)
        self._post(f"{step}/submission")

    def take(self, choose: Choose) -> None:
        """All of the course, from its first step to its last."""
        step = self.begin()
        while step and step not in self.read:
            if self.is_quiz(step):
                self.take_quiz(step, choose)
            step = self.read_step(step)

    def _get(self, path: str) -> Answer:
        return self._keep(self.browser.ask("GET", path))

    def _post(self, path: str, **fields: object) -> Answer:
        answer = self._keep(self.browser.post(path, **fields))
        assert answer.status == 303, f"{answer.status} from {path}: {answer.text[:400]}"
        return answer

    def _keep(self, answer: Answer) -> Answer:
        self.answers.append(answer)
        return answer
