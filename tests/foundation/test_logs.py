"""Logs: one JSON object a line, tied together by the correlation id."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from flask import Flask

from app.foundation.logs import JsonLines, begin_correlation, correlation_id, set_up_logs
from tests.cast import LEO
from tests.client import LintingClient


def line(**extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "tests", "levelname": "INFO", "msg": "wind %s", "args": (27,), **extra})
    return json.loads(JsonLines().format(record))  # type: ignore[no-any-return]


def test_a_line_says_when_where_and_under_which_id() -> None:
    mark = begin_correlation("abcdefgh-1")
    found = line(school="skyline", odd={1, 2}.__class__)
    assert mark == "abcdefgh-1"
    assert (found["message"], found["logger"], found["correlation_id"]) == ("wind 27", "tests", "abcdefgh-1")
    assert found["school"] == "skyline"
    assert str(found["at"]).endswith("+00:00")
    assert found["odd"] == "<class 'set'>"


def test_an_exception_comes_with_its_trace_on_the_same_line() -> None:
    try:
        raise ValueError("gust")
    except ValueError:
        found = line(exc_info=sys.exc_info())
    assert "ValueError: gust" in str(found["exception"])


@pytest.mark.parametrize("given", [None, "", "short", "x" * 65, "with space 123", "<b>12345678</b>"])
def test_an_id_that_is_missing_or_odd_is_made_anew(given: str | None) -> None:
    assert begin_correlation(given) == correlation_id() != given
    assert len(correlation_id()) == 32


def test_a_request_is_one_line_without_words_of_people(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client = LintingClient(app).sign_in(LEO)
    caplog.clear()
    client.get("/skyline/courses?search=secret")
    client.get("/healthz")
    (record,) = [record for record in caplog.records if record.name == "groundschool.request"]
    found = json.loads(JsonLines().format(record))
    assert (found["endpoint"], found["status"], found["school"]) == ("learning.catalog_index", 200, "skyline")
    assert found["membership_id"]
    assert "secret" not in json.dumps(found)
    assert LEO.email not in json.dumps(found)


def test_logs_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up_logs("info")
        logging.getLogger("tests").info("lift-off")
        assert json.loads(capsys.readouterr().out)["message"] == "lift-off"
    finally:
        root.handlers[:] = before
        root.setLevel(level)
