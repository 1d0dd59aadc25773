"""A lesson in a browser: start, read, answer, submit, see the score. With script on and with script off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.courses.queries import answer_key, find_course_by_slug
from tests.cast import LEO, MAX
from tests.journeys.browsing import assert_accessible, check_widths

LESSON = "**/lessons/metar-and-taf/steps/"
READINGS = ("Read a METAR from left to right", "Weather codes and sky cover", "Read a TAF for your arrival")
Key = dict[str, list[str]]


@pytest.fixture
def key(inside: Callable[..., Any]) -> Key:
    """The right options of the lesson's quiz, as only the server knows them."""
    with inside("skyline"):
        course = find_course_by_slug("weather-for-pilots")
        assert course
        assert course.publication_id
        found = answer_key(course.publication_id, "metar-and-taf", "quiz-reports")
        return {question: secret["correct"] for question, secret in found["questions"].items()}


def look(page: Page) -> None:
    """What was swapped in is judged too, in light: without script each is a page of its own, and judged in dark."""
    assert_accessible(page, page.url)
    check_widths(page)


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def question_on(page: Page) -> str:
    """The key of the question that is shown, from where its form leads: the address follows a moment later."""
    return (page.locator("#answer").get_attribute("action") or "").split("/")[-2]


def option(page: Page, key: str) -> Any:
    return page.locator(f".choices label:has(input[value='{key}'])")


def test_a_lesson_with_script(open_page: Callable[..., Page], key: Key) -> None:
    page = open_page(LEO)
    page.goto("/skyline/courses")
    look(page)
    page.get_by_role("link", name="Weather for Private Pilots", exact=True).click()
    look(page)
    page.get_by_role("button", name="Start course").click()
    heading(page, READINGS[0])
    look(page)

    # Only the step is swapped: what script left in the page stays, while address, title and focus follow.
    page.evaluate("window.stayed = true")
    for words, address in zip(READINGS[1:], ("weather-codes", "read-a-taf"), strict=True):
        page.get_by_role("button", name="Next").click()
        heading(page, words)
        page.wait_for_url(LESSON + address)
        expect(page).to_have_title(re.compile(re.escape(words)))
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        assert page.evaluate("scrollY") == 0
    assert page.evaluate("window.stayed")

    page.go_back()
    heading(page, READINGS[1])
    page.wait_for_url(LESSON + "weather-codes")
    page.go_forward()
    heading(page, READINGS[2])
    page.keyboard.press("ArrowRight")
    heading(page, "Check yourself: METAR and TAF")
    look(page)

    page.get_by_role("button", name="Start quiz").click()
    heading(page, "Question 1 of 5")
    look(page)
    answer_with_script(page, key)

    heading(page, "Review your answers")
    look(page)
    page.get_by_role("button", name="Submit answers").click()
    heading(page, "You passed")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator("#result")).to_contain_text("100 %")
    expect(page.locator("#flash")).to_contain_text("Lesson done: METAR and TAF.")
    look(page)

    page.get_by_role("button", name="Finish lesson").click()
    heading(page, "Weather for Private Pilots")
    expect(page.get_by_text("4 of 16")).to_be_visible()
    look(page)
    page.goto("/skyline/courses")
    page.get_by_role("link", name="Continue Weather for Private Pilots").click()
    heading(page, "What counts as a ceiling")


def answer_with_script(page: Page, key: Key) -> None:
    """The first by keyboard, with a reload between; the others by click, in haste."""
    first = question_on(page)
    values = page.locator(".choices input").evaluate_all("inputs => inputs.map(i => i.value)")
    for right in key[first]:
        page.keyboard.press(str(values.index(right) + 1))
        expect(option(page, right).locator("input")).to_be_checked()
    expect(page.locator("#saved")).to_have_text(re.compile(r"Saved \d\d:\d\d"))
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.reload()
    for right in key[first]:
        expect(option(page, right).locator("input")).to_be_checked()
    page.get_by_role("button", name="Next").last.click()
    for number in range(2, 6):
        heading(page, f"Question {number} of 5")
        hasty_answer(page, key[question_on(page)])
    page.get_by_role("link", name=re.compile("AUTO")).click()
    heading(page, "Question 2 of 5")
    # The wrong choice was sent first and the right one right behind it: what was chosen last is what was saved.
    expect(option(page, key[question_on(page)][0]).locator("input")).to_be_checked()
    page.go_back()


def hasty_answer(page: Page, right: list[str]) -> None:
    """Choose wrongly, then rightly, and go on, without waiting for the server in between."""
    page.evaluate(
        """(right) => {
          const inputs = [...document.querySelectorAll('.choices input')];
          const wrong = inputs.find(input => !right.includes(input.value));
          wrong.click();
          if (wrong.type === 'checkbox') wrong.click();
          inputs.filter(input => right.includes(input.value)).forEach(input => input.click());
          document.querySelector('.player-foot [data-next]').click();
        }""",
        right,
    )


def test_a_lesson_without_script(open_page: Callable[..., Page], key: Key) -> None:
    page = open_page(MAX, script=False, width=390)
    page.goto("/skyline/courses")
    page.get_by_role("link", name="Weather for Private Pilots", exact=True).click()
    page.get_by_role("button", name="Start course").click()
    for words in READINGS:
        heading(page, words)
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Start quiz").click()
    for number in range(1, 6):
        heading(page, f"Question {number} of 5")
        if number != 3:
            for right in key[question_on(page)]:
                option(page, right).click()
        page.locator(".player-foot button[value=next]").click()

    heading(page, "Review your answers")
    expect(page.get_by_text("1 question is not answered yet. It will count as wrong.")).to_be_visible()
    page.get_by_role("listitem").nth(2).get_by_role("link").click()
    heading(page, "Question 3 of 5")
    wrong = page.locator(".choices input").evaluate_all("inputs => inputs.map(i => i.value)")
    option(page, next(value for value in wrong if value not in key[question_on(page)])).click()
    for _question in range(3):
        page.locator(".player-foot button[value=next]").click()
    heading(page, "Review your answers")
    page.get_by_role("button", name="Submit answers").click()
    heading(page, "You passed")
    expect(page.locator("#result")).to_contain_text("80 %")
    expect(page.locator("#result")).to_contain_text("your answer, wrong")
    page.get_by_role("button", name="Finish lesson").click()
    expect(page.locator("#flash")).to_have_text("")
    page.goto("/skyline/courses")
    page.get_by_role("link", name="Continue Weather for Private Pilots").click()
    heading(page, "What counts as a ceiling")
