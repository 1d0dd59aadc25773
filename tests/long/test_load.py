"""Many learners at once through gunicorn: no 5xx, every answer saved once, everybody's progress right."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from app.courses.queries import find_course_by_slug
from app.foundation.actor import SYSTEM
from app.foundation.db import session
from app.foundation.permissions import Role
from app.identity.models import Membership
from app.identity.operations.accounts import add_member, add_user
from app.learning.models import Enrollment, StepProgress
from app.quizzes.models import Answer as SavedAnswer
from app.quizzes.models import Attempt
from tests.browser import Answer, Browser
from tests.cast import PASSWORD, Person
from tests.live import LiveServer
from tests.long import rounds
from tests.long.lessons import Lessons, Question
from tests.measured import measured

pytestmark = pytest.mark.long

LEARNERS = 200
AT_ONCE = 50
"""Connections open at the same time: what two cores answer within a person's patience."""
COURSE = "airspace"


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    server = LiveServer("load", workers=2, threads=8)
    yield server
    server.stop()


class Doubled(Lessons):
    """A learner whose mouse clicks twice: each answer is sent two times at the same moment."""

    def answer(self, question: Question, option: str) -> Answer:
        start = Barrier(2)

        def click(_number: int) -> Answer:
            start.wait(20)
            return super(Doubled, self).answer(question, option)

        with ThreadPoolExecutor(2) as clicks:
            first, second = clicks.map(click, range(2))
        assert first.location == second.location
        return first


def test_two_hundred_learners_take_a_course_at_once(live: LiveServer, the_app: Flask) -> None:
    with live.inside("skyline", app=the_app):
        people = new_learners(rounds(LEARNERS))
        course = find_course_by_slug(COURSE)
        assert course
        session.commit()
    host = urlsplit(live.url).netloc

    def take(number: int) -> Lessons:
        chance = random.Random(number)
        browser = Browser(host).sign_in(people[number])
        learner = (Doubled if number % 4 == 0 else Lessons)(browser, f"/skyline/courses/{course.id}")
        learner.take(chance.choice)
        return learner

    with ThreadPoolExecutor(AT_ONCE) as pool:
        everybody = list(pool.map(take, range(len(people))))

    answers = [answer for learner in everybody for answer in learner.answers]
    measured(f"{len(people)} learners: {in_words(answers)}")
    assert {answer.status for answer in answers} <= {200, 303}
    with live.inside("skyline", app=the_app):
        for person, learner in zip(people, everybody, strict=True):
            check_kept(person, learner)


def check_kept(person: Person, learner: Lessons) -> None:
    """What the database holds of a learner is what they did, once."""
    member_id = session.scalars(select(Membership.id).where(Membership.name == person.email)).one()
    enrollment = session.scalars(select(Enrollment).where(Enrollment.membership_id == member_id)).one()
    attempts = session.scalars(select(Attempt).where(Attempt.membership_id == member_id)).all()
    ids = [attempt.id for attempt in attempts]
    saved = session.scalars(select(SavedAnswer).where(SavedAnswer.attempt_id.in_(ids))).all()
    chosen = {path.rsplit("/", 2)[1]: [option] for path, option in learner.chosen.items()}
    assert chosen, "this course has a quiz"
    assert {answer.question_key: list(answer.chosen) for answer in saved} == chosen
    assert len(saved) == len(chosen)
    assert all(attempt.submitted_at for attempt in attempts)
    quizzes = {attempt.step_key for attempt in attempts}
    passed = {attempt.step_key for attempt in attempts if attempt.passed}
    assert len(quizzes) == len(attempts)
    done = {step.rsplit("/", 1)[1] for step in learner.read} - (quizzes - passed)
    kept = session.scalars(select(StepProgress.step_key).where(StepProgress.enrollment_id == enrollment.id)).all()
    assert sorted(kept) == sorted(done)
    assert enrollment.steps_done == len(done)
    assert enrollment.is_completed == (quizzes == passed)


def new_learners(count: int) -> list[Person]:
    people = [Person(f"load{number:03}@skyline.example", "skyline") for number in range(count)]
    for person in people:
        user = add_user(person.email, password=PASSWORD, cost=4)
        add_member(user, name=person.email, roles=[Role.LEARNER], actor=SYSTEM)
    return people


def in_words(answers: list[Answer]) -> str:
    waits = sorted(answer.seconds for answer in answers)
    statuses = dict(Counter(answer.status for answer in answers))
    return f"{statuses}, median {waits[len(waits) // 2]:.3f} s, p95 {waits[len(waits) * 95 // 100]:.3f}, slowest {waits[-1]:.3f} s"
