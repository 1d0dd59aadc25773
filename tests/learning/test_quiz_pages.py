"""A quiz in the player: each answer saved, all seen once more, submitted once, explained afterwards."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.foundation.db import session
from app.quizzes.models import Answer, Attempt
from tests.cast import ANA, LEO, at_school, member
from tests.client import LintingClient, Page, count_statements
from tests.learning.lessons import RIGHT, SECRETS, WRONG, answer, at_quiz, start, take_quiz, taking_of


@pytest.fixture
def quiz(leo: LintingClient, course_id: int) -> Page:
    """The quiz's own page, not begun."""
    return at_quiz(leo, course_id)


@pytest.fixture
def question(quiz: Page) -> Page:
    """The first question of an open attempt."""
    return quiz.form("Start quiz").submit()


def chosen(key: str) -> list[str]:
    with at_school("skyline"):
        session.expire_all()
        return list(session.scalars(select(Answer.chosen).where(Answer.question_key == key)).one())


def test_a_quiz_says_what_it_asks_and_how_it_counts(quiz: Page) -> None:
    terms = quiz.words_of("terms")
    assert "2 questions, 80 % to pass." in terms
    assert "each right choice earns points and each wrong one costs points, never below zero" in terms


def test_one_question_a_screen_and_each_answer_kept(question: Page) -> None:
    assert question.h1 == "Question 1 of 2"
    assert question.title.startswith("Question 1 of 2 · Check yourself")
    second = question.form("answer").fill(chosen=["a"]).submit("Next")
    assert second.h1 == "Question 2 of 2"
    assert chosen("which-cloud") == ["a"]
    back = second.form("answer").fill(chosen=["k-rime"]).submit("Previous")
    assert chosen("which-ice") == ["k-rime"]
    assert back.form("answer").value("chosen") == "a"
    assert re.fullmatch(r"Saved \d\d:\d\d", back.words_of("saved"))


def test_before_the_first_question_stands_the_quiz_itself(question: Page) -> None:
    page = question.form("answer").fill(chosen=["a"]).submit("Previous")
    assert page.h1 == "Check yourself"
    assert "1 of 2 questions are answered" in page.text


def test_a_choice_is_saved_at_once_and_the_server_says_when(question: Page) -> None:
    form = question.form("answer").fill(chosen=["b"])
    sent = form.data()
    del sent["go"]
    saved = question.client.partial(form.action, sent)
    assert re.fullmatch(r"Saved \d\d:\d\d", saved.words_of("saved"))
    assert saved.find(".//span[@id='saved'][@role='status']") is not None
    assert chosen("which-cloud") == ["b"]


def test_the_page_saves_by_change_and_swaps_only_the_time(question: Page) -> None:
    fieldset = question.find(".//fieldset[@class='choices']")
    assert fieldset is not None
    assert fieldset.get("hx-trigger") == "change"
    assert fieldset.get("hx-target") == "#saved"
    assert fieldset.get("hx-post") == question.form("answer").action.removeprefix("http://localhost")


def test_taking_a_choice_back_leaves_it_unanswered(question: Page) -> None:
    second = question.form("answer").fill(chosen=["a"]).submit("Next")
    review = second.form("answer").fill(chosen=["k-rime"]).submit("Review answers")
    again = review.link("Which ice").follow()
    review = again.form("answer").fill(chosen=[]).submit("Review answers")
    assert "1 question is not answered yet" in review.text


def test_the_quiz_is_found_as_it_was_left_on_any_device(app: Flask, question: Page) -> None:
    question.form("answer").fill(chosen=["a"]).submit("Next")
    phone = LintingClient(app).sign_in(LEO).get("/skyline/courses").link("Continue Clouds").follow()
    assert "1 of 2 questions are answered" in phone.text
    assert phone.link("Continue quiz").follow().h1 == "Question 2 of 2"


def test_the_review_names_what_is_missing_before_the_submit(question: Page) -> None:
    review = answer(question, {"which-cloud": ["a"]})
    assert review.h1 == "Review your answers"
    assert "1 question is not answered yet. It will count as wrong." in review.text
    rows = ["".join(row.itertext()) for row in review.find_all(".//ol[@class='review']/li")]
    assert ["not answered" in row for row in rows] == [False, True]
    assert review.link("Which ice").follow().h1 == "Question 2 of 2"


def test_passed_is_shown_explained_and_done(quiz: Page, course_id: int) -> None:
    result = take_quiz(quiz, RIGHT)
    assert result.h1 == "You passed"
    assert "100 %" in result.words_of("result")
    assert "4 of 4 points" in result.text
    assert "Lesson done: The Sky." in result.words_of("flash")
    assert "Done" in result.words_of("step")
    with at_school("skyline"):
        assert taking_of(course_id).done == {"clouds", "quiz-clouds"}


def test_failed_shows_the_wrong_ones_with_why_and_is_not_done(quiz: Page, course_id: int) -> None:
    result = take_quiz(quiz, WRONG)
    assert result.h1 == "Not passed yet"
    words = result.words_of("result")
    assert "0 of 2 questions right" in words
    for said in ("your answer, wrong", "right answer", "WHYTEXT", "EXPLANATIONTEXT", "CUBEWHY", "ICEEXPLAINED"):
        assert said in words
    assert "RIMEWHY" not in words, "why an option is right is told to those who chose it"
    with at_school("skyline"):
        assert taking_of(course_id).done == {"clouds"}


def test_part_of_a_multiple_choice_earns_its_share(quiz: Page) -> None:
    """One of two right choices, none wrong: half of the points, and said so."""
    words = take_quiz(quiz, {"which-cloud": ["a"], "which-ice": ["k-rime"]}).words_of("result")
    assert "75 %" in words
    assert "partly right" in words
    assert "1 of 2 points" in words


def test_unanswered_counts_as_wrong(quiz: Page) -> None:
    words = take_quiz(quiz, {"which-cloud": ["a"]}).words_of("result")
    assert "not answered" in words
    assert "50 %" in words


def test_a_failed_quiz_may_be_passed_by_and_tried_again(leo: LintingClient, quiz: Page, course_id: int) -> None:
    result = take_quiz(quiz, WRONG)
    assert result.form("To the outline").submit().path == f"/skyline/courses/{course_id}"
    again = take_quiz(leo.get(result.path), RIGHT)
    assert again.h1 == "You passed"
    with at_school("skyline"):
        assert session.scalars(select(Attempt.number).order_by(Attempt.number)).all() == [1, 2]
        assert "quiz-clouds" in taking_of(course_id).done


def test_failing_after_passing_takes_nothing_away(leo: LintingClient, quiz: Page, course_id: int) -> None:
    result = take_quiz(quiz, RIGHT)
    assert take_quiz(leo.get(result.path), WRONG).h1 == "Not passed yet"
    with at_school("skyline"):
        assert "quiz-clouds" in taking_of(course_id).done


def test_a_double_click_on_start_makes_one_attempt(quiz: Page) -> None:
    form = quiz.form("Start quiz")
    assert len({form.submit(follow=False).location for _click in range(2)}) == 1
    with at_school("skyline"):
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_submitting_twice_is_refused_with_the_result(question: Page) -> None:
    form = answer(question, RIGHT).form("Submit answers")
    assert form.submit().h1 == "You passed"
    twice = form.submit()
    assert twice.status == 409
    assert "You have submitted this try" in twice.text
    assert twice.h1 == "You passed"
    by_htmx = form.submit(partial=True)
    assert (by_htmx.status, by_htmx.headers["HX-Retarget"]) == (409, "#flash")


def test_answering_after_the_submit_is_refused_and_changes_nothing(question: Page) -> None:
    form = question.form("answer").fill(chosen=["b"])
    answer(question, RIGHT).form("Submit answers").submit()
    late = form.submit("Next")
    assert late.status == 409
    assert "You have submitted this try" in late.text
    sent = form.data()
    del sent["go"]
    by_htmx = question.client.partial(form.action, sent)
    assert (by_htmx.status, by_htmx.headers["HX-Retarget"]) == (409, "#flash")
    assert chosen("which-cloud") == ["a"]


def test_a_window_left_open_does_not_answer_for_the_next_try(leo: LintingClient, question: Page) -> None:
    """The old window's question may stand elsewhere in the new try, or mean another."""
    old = question.form("answer").fill(chosen=["b"])
    result = answer(question, WRONG).form("Submit answers").submit()
    result.form("Try again").submit()
    late = old.submit("Next")
    assert late.status == 409
    assert "its answers stay as they were" in late.text
    with at_school("skyline"):
        assert session.scalar(select(func.count()).select_from(Answer).join(Attempt).where(Attempt.number == 2)) == 0


@pytest.mark.parametrize(("key", "picked"), [("which-cloud", ["a", "b"]), ("which-cloud", ["z"]), ("none", ["a"])])
def test_what_the_quiz_does_not_offer_is_refused(question: Page, key: str, picked: list[str]) -> None:
    form = question.form("answer")
    path = form.action.replace("which-cloud", key)
    answer = question.client.post(path, {"attempt": form.value("attempt"), "chosen": picked, "go": "next"})
    assert answer.status == 409
    with at_school("skyline"):
        assert session.scalars(select(Answer)).all() == []


def test_without_an_open_try_questions_and_review_lead_back(leo: LintingClient, quiz: Page) -> None:
    for more in ("/questions/which-cloud", "/review"):
        assert leo.get(quiz.path + more).location == quiz.path
    take_quiz(quiz, RIGHT)
    for more in ("/questions/which-cloud", "/review"):
        assert leo.get(quiz.path + more).location == quiz.path


def test_a_reading_has_no_questions(leo: LintingClient, course_id: int) -> None:
    path = start(leo, course_id).path
    assert leo.get(f"{path}/review").status == 404
    assert leo.get(f"{path}/questions/which-cloud").status == 404
    assert leo.post(f"{path}/submission").status == 404
    assert leo.post(f"{path}/attempts", {"once": "k" * 32}).status == 404


def test_every_page_of_a_quiz_stays_within_six_statements(leo: LintingClient, question: Page) -> None:
    review = answer(question, WRONG)
    for path in (question.path, review.path, question.path.partition("/questions")[0]):
        with count_statements() as statements:
            leo.get(path)
        assert len(statements) <= 5, path
    result = review.form("Submit answers").submit()
    leo.get(result.path.replace("quiz-clouds", "clouds"))
    with count_statements() as statements:
        leo.get(result.path)
    assert len(statements) <= 6
    assert any("update enrollment" in statement for statement in statements)


def test_secrets_of_this_course_are_what_its_results_say(quiz: Page) -> None:
    """So that the search for them elsewhere means something."""
    wrong = {"which-cloud": ["b"], "which-ice": ["k-rime", "k-cubes"]}
    html = take_quiz(quiz, wrong).html
    assert all(secret in html for secret in SECRETS)


def test_whoever_acts_as_the_learner_is_offered_no_try(app: Flask, quiz: Page) -> None:
    with at_school("skyline"):
        number = member(LEO).id
    client = LintingClient(app).sign_in(ANA)
    begin = client.get(f"/skyline/people/{number}/acting").form("Begin").fill(reason="He cannot see his quiz")
    begin.submit(follow=False)
    page = client.get(quiz.path)
    assert "Nobody answers a quiz in another’s name." in page.text
    assert "Start quiz" not in page.text
