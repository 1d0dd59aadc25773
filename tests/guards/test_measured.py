"""What a test measures reaches the end of the log, also from one of xdist's workers."""

from __future__ import annotations

import pytest

from tests.measured import NAME, lines_of, measured


def a_report(nodeid: str, when: str, *words: str) -> pytest.TestReport:
    said = [*((NAME, word) for word in words), ("another", "property")]
    return pytest.TestReport(nodeid, ("", 0, ""), {}, "passed", None, when, user_properties=said)  # type: ignore[arg-type]


def test_a_measured_number_travels_with_the_report_of_its_test(request: pytest.FixtureRequest) -> None:
    kept = list(request.node.user_properties)
    measured("7 apples a second")
    assert request.node.user_properties == [*kept, (NAME, "7 apples a second")]
    request.node.user_properties[:] = kept


def test_each_line_stands_once_after_its_test() -> None:
    reports = [
        a_report("b.py::pears", "call", "2 pears"), a_report("a.py::apples", "setup", "7 apples"),
        a_report("a.py::apples", "call", "7 apples", "8 apples"), a_report("a.py::apples", "teardown", "7 apples"),
        object(),
    ]  # fmt: skip
    assert list(lines_of(reports)) == ["a.py::apples: 7 apples", "a.py::apples: 8 apples", "b.py::pears: 2 pears"]
