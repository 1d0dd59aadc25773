"""Attempts: one at a time, every answer kept, graded once, explained only afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.queries import list_entries_about
from app.courses.operations import import_course, publish_course
from app.courses.queries import answer_key, find_course_by_slug, find_outline, find_published_lesson
from app.foundation import clock, db, tenancy
from app.foundation.db import session
from app.foundation.models import OutboxEvent
from app.foundation.refusals import NotWhileActing
from app.quizzes.models import Answer, Attempt
from app.quizzes.operations import AttemptIsClosed, NoSuchChoice, NotYours, save_answer, start_attempt, submit_attempt
from app.quizzes.queries import (
    NotSubmitted,
    answers_of,
    explanations_of,
    find_latest_attempt,
    find_open_attempt,
    find_quiz,
    list_attempts_of,
)
from tests.cast import ADA, ANA, LEO, Person, actor, at_school, member
from tests.courses.folders import a_course, a_question, a_quiz, a_text, write_folder
from tests.servers import clone_database, drop_database, settings_for

MULTIPLE = a_question(
    id="which-ice",
    kind="multiple",
    points=1,
    options=[
        {"id": "a", "text": "Rime", "correct": True},
        {"id": "b", "text": "Clear", "correct": True},
        {"id": "c", "text": "Cubes", "correct": False},
    ],
)


@pytest.fixture
def publication_id(app: Flask, tmp_path: Path) -> Iterator[int]:
    """A published course at Skyline with a quiz of a single choice (2 points) and a multiple choice (1 point)."""
    with at_school("skyline"):
        tree = a_course(a_text(), a_quiz(questions=[a_question(), MULTIPLE]))
        course = import_course(write_folder(tmp_path, tree), actor=actor(ADA))
        yield publish_course(course, actor=actor(ADA)).id


def begin(publication_id: int, person: Person = LEO) -> Attempt:
    return start_attempt(
        membership_id=member(person).id, publication_id=publication_id, lesson_key="sky", step_key="quiz-clouds",
        quiz=quiz_of(publication_id), actor=actor(person),
    )  # fmt: skip


def quiz_of(publication_id: int) -> dict[str, Any]:
    lesson = find_published_lesson(publication_id, "sky")
    assert lesson
    step = lesson.find_step("quiz-clouds")
    assert step
    return step.content


def hand_in(attempt: Attempt) -> Attempt:
    key = answer_key(attempt.publication_id, attempt.lesson_key, attempt.step_key)
    return submit_attempt(attempt, find_quiz(attempt), key, actor=actor(LEO))


def test_an_attempt_begins_with_its_own_order(publication_id: int) -> None:
    attempt = begin(publication_id)
    assert (attempt.number, attempt.most_points, attempt.is_open) == (1, 3, True)
    assert [(question, sorted(options)) for question, options in attempt.question_order] == [
        ("which-cloud", ["a", "b"]),
        ("which-ice", ["a", "b", "c"]),
    ]
    assert [entry.action for entry in list_entries_about("Attempt", attempt.id)] == ["attempt.started"]


def test_starting_again_returns_the_open_one(publication_id: int) -> None:
    first = begin(publication_id)
    order = first.question_order
    assert begin(publication_id).id == first.id
    assert first.question_order == order
    assert len(list_entries_about("Attempt", first.id)) == 1


def test_answers_are_kept_as_they_change(publication_id: int) -> None:
    attempt = begin(publication_id)
    first = save_answer(attempt, "which-ice", ["a"], actor=actor(LEO))
    saved_at = first.saved_at
    again = save_answer(attempt, "which-ice", ["c", "b", "b"], actor=actor(LEO))
    assert (again.id, again.chosen) == (first.id, ["b", "c"])
    assert again.saved_at > saved_at
    assert {key: answer.chosen for key, answer in answers_of(attempt).items()} == {"which-ice": ["b", "c"]}
    assert save_answer(attempt, "which-ice", [], actor=actor(LEO)).chosen == []
    assert [entry.action for entry in list_entries_about("Attempt", attempt.id)] == ["attempt.started"]


@pytest.mark.parametrize(
    ("question", "chosen", "sentence"),
    [
        ("no-such", ["a"], "no such question"),
        ("which-cloud", ["z"], "no such answer"),
        ("which-cloud", ["a", "b"], "one answer only"),
    ],
)
def test_what_the_quiz_does_not_offer_is_refused(
    publication_id: int, question: str, chosen: list[str], sentence: str
) -> None:
    attempt = begin(publication_id)
    with pytest.raises(NoSuchChoice, match=sentence):
        save_answer(attempt, question, chosen, actor=actor(LEO))
    assert answers_of(attempt) == {}


def test_submitting_grades_every_question(publication_id: int) -> None:
    attempt = begin(publication_id)
    save_answer(attempt, "which-cloud", ["a"], actor=actor(LEO))
    save_answer(attempt, "which-ice", ["a"], actor=actor(LEO))
    done = hand_in(attempt)
    assert (done.points, done.most_points, done.percent, done.passed) == (2.5, 3, 83, True)
    session.expire_all()
    graded = {key: (answer.points, answer.is_correct) for key, answer in answers_of(done).items()}
    assert graded == {"which-cloud": (2, True), "which-ice": (0.5, False)}


def test_submitting_is_audited_and_announced_once(publication_id: int) -> None:
    attempt = begin(publication_id)
    first = hand_in(attempt)
    at = first.submitted_at
    assert hand_in(attempt).submitted_at == at
    session.flush()
    assert [entry.action for entry in list_entries_about("Attempt", attempt.id)].count("attempt.submitted") == 1
    events = session.scalars(select(OutboxEvent.payload).where(OutboxEvent.name == "AttemptSubmitted")).all()
    assert [event for event in events if event["attempt_id"] == attempt.id] == [
        {
            "attempt_id": attempt.id, "membership_id": member(LEO).id, "publication_id": publication_id,
            "lesson_key": "sky", "step_key": "quiz-clouds", "passed": 0,
        }
    ]  # fmt: skip


def test_nothing_is_answered_after_the_submission(publication_id: int) -> None:
    attempt = begin(publication_id)
    hand_in(attempt)
    with pytest.raises(AttemptIsClosed):
        save_answer(attempt, "which-cloud", ["a"], actor=actor(LEO))
    assert attempt.points == 0


def test_explanations_are_for_a_submitted_attempt_only(publication_id: int) -> None:
    attempt = begin(publication_id)
    with pytest.raises(NotSubmitted):
        explanations_of(attempt)
    hand_in(attempt)
    assert explanations_of(attempt)["which-cloud"]["why"] == {"b": "Cirrus is thin ice, WHYTEXT."}


def test_trying_again_is_another_attempt(publication_id: int) -> None:
    first = begin(publication_id)
    hand_in(first)
    second = begin(publication_id)
    assert (second.number, second.is_open) == (2, True)
    leo = member(LEO).id
    open_one = find_open_attempt(leo, publication_id, "quiz-clouds")
    assert open_one
    assert open_one.id == second.id
    assert [attempt.number for attempt in list_attempts_of(leo, publication_id, "quiz-clouds")] == [2, 1]
    hand_in(second)
    latest = find_latest_attempt(leo, publication_id, "quiz-clouds")
    assert latest
    assert (latest.number, find_open_attempt(leo, publication_id, "quiz-clouds")) == (2, None)


def test_nobody_answers_for_another(publication_id: int) -> None:
    attempt = begin(publication_id)
    with pytest.raises(NotYours):
        save_answer(attempt, "which-cloud", ["a"], actor=actor(ADA))
    with pytest.raises(NotYours):
        submit_attempt(attempt, {}, {}, actor=actor(ADA))
    with pytest.raises(NotYours):
        start_attempt(
            membership_id=member(LEO).id, publication_id=publication_id, lesson_key="sky", step_key="quiz-clouds",
            quiz={}, actor=actor(ADA),
        )  # fmt: skip


# -- at the same time ----------------------------------------------------------------------------------------------


@pytest.fixture
def own_database(the_app: Flask) -> Iterator[Flask]:
    """The application on a database of its own, where several connections see each other's commits."""
    before = db.engine()
    name = clone_database("attempts_at_once")
    db.init_db(settings_for(name).database_url, pool_size=8)
    tenancy.ring_on(db.engine())
    yield the_app
    db.session.remove()
    db.engine().dispose()
    db._engine = before
    db.session.configure(bind=before)
    drop_database(name)


def at_once(deed: Any, times: int = 6) -> list[Any]:
    """Run a deed in so many threads, each in a transaction of its own at Skyline, all begun before any goes on."""
    gate = Barrier(times)

    def one(_n: int) -> Any:
        with at_school("skyline"), db.unit_of_work():
            actor(LEO)
            gate.wait(timeout=10)
            return deed()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))


def seeded_quiz() -> tuple[int, str, str]:
    """Publication, lesson and step of the first quiz of the weather course."""
    with at_school("skyline"), db.unit_of_work():
        course = find_course_by_slug("weather-for-pilots")
        assert course
        assert course.publication_id
        outline = find_outline(course.publication_id)
        assert outline
        place = next(place for place in outline.places if place.kind == "quiz")
        return course.publication_id, place.lesson_key, place.key


def test_a_double_click_makes_one_attempt_one_submission_and_loses_no_answer(own_database: Flask) -> None:
    publication_id, lesson_key, step_key = seeded_quiz()

    def start() -> int:
        lesson = find_published_lesson(publication_id, lesson_key)
        assert lesson
        step = lesson.find_step(step_key)
        assert step
        return start_attempt(
            membership_id=member(LEO).id, publication_id=publication_id, lesson_key=lesson_key, step_key=step_key,
            quiz=step.content, actor=actor(LEO),
        ).id  # fmt: skip

    [attempt_id] = set(at_once(start))

    def answer_and_submit() -> bool:
        attempt = session.get_one(Attempt, attempt_id)
        question = find_quiz(attempt)["questions"][0]
        try:
            save_answer(attempt, question["key"], [question["options"][0]["key"]], actor=actor(LEO))
        except AttemptIsClosed:
            return False
        submit_attempt(attempt, find_quiz(attempt), answer_key(publication_id, lesson_key, step_key), actor=actor(LEO))
        return True

    assert at_once(answer_and_submit).count(True) == 1
    with at_school("skyline"), db.unit_of_work():
        assert session.query(Attempt).filter_by(publication_id=publication_id).count() == 1
        assert session.query(Answer).filter_by(attempt_id=attempt_id).count() == 1
        submitted = [
            entry for entry in list_entries_about("Attempt", attempt_id) if entry.action == "attempt.submitted"
        ]
        assert len(submitted) == 1


def test_nobody_answers_in_anothers_name(publication_id: int) -> None:
    attempt = begin(publication_id)
    as_leo = replace(actor(LEO), acting_until=clock.now() + timedelta(minutes=5), real_membership_id=member(ANA).id)
    with pytest.raises(NotWhileActing):
        start_attempt(
            membership_id=member(LEO).id, publication_id=publication_id, lesson_key="sky", step_key="quiz-clouds",
            quiz=quiz_of(publication_id), actor=as_leo,
        )  # fmt: skip
    with pytest.raises(NotWhileActing):
        save_answer(attempt, "which-cloud", ["a"], actor=as_leo)
    with pytest.raises(NotWhileActing):
        submit_attempt(attempt, quiz_of(publication_id), {}, actor=as_leo)
    assert attempt.is_open
