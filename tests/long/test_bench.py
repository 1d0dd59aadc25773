"""bin/bench: the shape of its numbers, what it judges by, and that no main page is forgotten in it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.foundation import nav
from bench import report
from bench.comparison import GROWN, TARGET, Compared
from bench.pages import PAGES, Floor, PageToMeasure
from bench.report import Measured
from tests.guards.visits import VISITS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180
FACTS = {
    "school": "skyline",
    "course": "1",
    "step": "/skyline/courses/1/lessons/clouds/steps/types",
    "question": "/skyline/courses/1/lessons/clouds/steps/quiz/questions/one",
}
"""What inside.Inside finds out about the school, as any such addresses."""
NOT_MEASURED = {
    "tenants.school_show": "links and nothing else: not one statement of its own",
    "scheduling.availability_index": "a line an instructor, and each instructor's own page is measured",
}
"""Entries of the rail that bin/bench leaves out, with the reason."""
PAGE_FIELDS = {"name", "p50_ms", "p95_ms", "rps", "sql", "bytes", "floor_ms", "ratio_to_floor"}


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("wrk") is None and importlib.util.find_spec("locust") is None,
    reason="neither wrk nor locust is installed, and a test installs nothing",
)
def test_a_quick_run_writes_its_numbers(tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    command = [ROOT / "bin" / "bench", "--quick", "--json", file, "--pages", "step,sign-in"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "judges nothing" in done.stdout
    numbers = json.loads(file.read_text())
    assert numbers.keys() == {"commit", "size", "pages", "comparisons"}
    assert numbers["size"] == "S"
    assert numbers["commit"]
    assert [page["name"] for page in numbers["pages"]] == ["step", "sign-in"]
    for page in numbers["pages"]:
        assert page.keys() == PAGE_FIELDS
        assert page["ratio_to_floor"] == pytest.approx(page["p50_ms"] / page["floor_ms"], rel=0.01)
        assert 0 < page["p50_ms"] <= page["p95_ms"]
        assert page["rps"] > 0
    step, sign_in = numbers["pages"]
    assert step["bytes"] > sign_in["bytes"] > 500
    assert 0 < step["sql"] <= VISITS["learning.step_show"].statements
    assert sign_in["sql"] == 0


# -- which pages ---------------------------------------------------------------------------------------------------


def test_what_is_measured_is_a_page_whose_statements_are_counted(the_app: Flask) -> None:
    """A page that moved, or that the guards do not know, would be measured as a redirect or without its limit."""
    unknown = {page.name for page in PAGES if (found := endpoint_of(the_app, page))[1] and found[0] not in VISITS}
    assert unknown == set()


def test_every_page_of_the_rail_is_measured(the_app: Flask) -> None:
    measured = {endpoint_of(the_app, page)[0] for page in PAGES}
    main = {entry.endpoint for entry in nav._entries if entry.endpoint in VISITS}
    assert main - measured == NOT_MEASURED.keys(), "add a line to bench/pages.py, or a reason here"


def endpoint_of(app: Flask, page: PageToMeasure) -> tuple[str, bool]:
    """The endpoint behind a page's address, and whether it is a school's."""
    path = page.path.format_map(FACTS).partition("?")[0]
    endpoint, values = app.url_map.bind("localhost").match(path)
    return str(endpoint), "tenant" in values


# -- what is judged ------------------------------------------------------------------------------------------------

MEETS = {"p50_ms": 3.0, "p95_ms": 4.0, "floor_ms": 1.0, "rps": 100.0, "cpu_ms": 1.0, "sql": 3, "bytes": 4000}
PAGE = PageToMeasure("people", "/{school}/people", "admin", Floor.ROWS)


def measured(**over: Any) -> Measured:
    return Measured(page=PAGE, **{**MEETS, **over})


@pytest.mark.parametrize(
    ("page", "compared", "code"),
    [
        (measured(), Compared("people", 10.0, 13.0), 0),
        (measured(p50_ms=3.2), Compared("people", 10.0, 13.0), 1),
        (measured(), Compared("people", 10.0, 13.2), 1),
    ],
)
def test_a_missed_target_is_the_exit_code_and_is_named(
    page: Measured, compared: Compared, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.verdict([page], [compared], quick=False) == code
    assert ("people" in capsys.readouterr().out) == bool(code)
    assert report.verdict([page], [compared], quick=True) == 0


def test_comparisons_stand_in_the_json() -> None:
    (one,) = report.as_json("abc", "S", [], [Compared("audit", 10.0, 12.0)])["comparisons"]
    assert one == {"name": "audit", "demo_p50_ms": 10.0, "grown_p50_ms": 12.0, "ratio": 1.2}
    assert TARGET == 1.3


def test_the_demo_is_compared_with_two_hundred_schools_of_twenty_thousand_people() -> None:
    from app.demo.grow import SIZES

    assert (SIZES[GROWN].schools, SIZES[GROWN].schools * SIZES[GROWN].people) == (200, 20_000)
