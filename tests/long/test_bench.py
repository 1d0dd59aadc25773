"""bin/bench: the shape of its numbers, what it judges by, and that no main page is forgotten in it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.foundation import nav
from bench import report
from bench.comparison import GROWN, TARGET, Compared
from bench.pages import PAGES, Floor, PageToMeasure
from bench.report import Circumstances, Measured
from bench.table import as_markdown
from tests.guards.visits import VISITS
from tests.long import IS_LONG
from tests.measured import measured

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180
FACTS = {
    "school": "skyline",
    "assignment": "1",
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
CIRCUMSTANCES = {"commit", "size", "quick", "driver", "ceiling_rps"}
PAGE_FIELDS = {
    "name", "p50_ms", "p95_ms", "rps", "cpu_ms", "sql", "bytes", "floor_ms", "ratio_to_floor", "target", "over",
}  # fmt: skip


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("wrk") is None and importlib.util.find_spec("locust") is None,
    reason="neither wrk nor locust is installed; the long form has bin/bench install it in a fresh clone",
)
def test_a_quick_run_writes_its_numbers(tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    command = [ROOT / "bin" / "bench", "--quick", "--json", file, "--pages", "step,sign-in"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "judges nothing" in done.stdout
    numbers = json.loads(file.read_text())
    assert numbers.keys() == CIRCUMSTANCES | {"pages", "comparisons"}
    assert (numbers["size"], numbers["quick"], numbers["comparisons"]) == ("S", True, [])
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


COMPARING = """
from bench.comparison import compare
from bench.run import QUICK
from bench.stage import Stage
with Stage("S") as stage:
    for one in compare(stage, QUICK):
        print("compared", one.name, one.demo_p50_ms, one.grown_p50_ms)
"""


@pytest.mark.long
@pytest.mark.skipif(not IS_LONG, reason="growing 200 schools takes longer than the short form has")
def test_a_demo_is_compared_with_many_schools() -> None:
    """Their pages answer, and people of both can sign in; what the numbers are is for a full run on a quiet machine."""
    done = subprocess.run(
        [sys.executable, "-c", COMPARING], cwd=ROOT, capture_output=True, text=True, check=False, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("compared")]
    for _compared, name, demo, grown in lines:
        measured(f"{name}: {demo} ms at the demo, {grown} ms beside 200 schools")
    assert [line[1] for line in lines] == ["people", "audit", "sign-in"]
    assert all(float(number) > 0 for line in lines for number in line[2:])


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


def a_measured(**over: Any) -> Measured:
    return Measured(page=PAGE, **{**MEETS, **over})


@pytest.mark.parametrize(
    ("page", "compared", "code"),
    [
        (a_measured(), Compared("people", 10.0, 13.0), 0),
        (a_measured(p50_ms=3.2), Compared("people", 10.0, 13.0), 1),
        (a_measured(), Compared("people", 10.0, 13.2), 1),
    ],
)
def test_a_missed_target_is_the_exit_code_and_is_named(
    page: Measured, compared: Compared, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.verdict([page], [compared], quick=False) == code
    assert ("people" in capsys.readouterr().out) == bool(code)
    assert report.verdict([page], [compared], quick=True) == 0


FULL = Circumstances("abc", "S", quick=False, driver="wrk", ceiling_rps=2500.0)


def test_judgments_stand_in_the_json() -> None:
    numbers = report.as_json(FULL, [a_measured(p50_ms=3.2)], [Compared("audit", 10.0, 12.0)])
    (page,), (one,) = numbers["pages"], numbers["comparisons"]
    assert page.keys() == PAGE_FIELDS
    assert (page["ratio_to_floor"], page["target"], page["over"]) == (3.2, 3.0, True)
    assert one == {
        "name": "audit", "demo_p50_ms": 10.0, "grown_p50_ms": 12.0, "ratio": 1.2, "target": TARGET, "over": False,
    }  # fmt: skip
    assert TARGET == 1.3


def test_the_table_of_the_documentation_is_printed_from_the_json(tmp_path: Path) -> None:
    """By a Python that has nothing installed: `bin/bench --table` is for a laptop too."""
    file = tmp_path / "numbers.json"
    pages = [a_measured(bytes=12_345), a_measured(p50_ms=3.2)]
    file.write_text(json.dumps(report.as_json(FULL, pages, [Compared("audit", 10.0, 14.0)])))
    asked = [sys._base_executable, "-I", "-S", "-c", PRINTING, str(ROOT), "--table", str(file)]  # type: ignore[attr-defined]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "A full run at size S, commit abc; requests a second by wrk, whose own ceiling was 2,500." in lines
    assert "| people | 3.00 | 4.00 | 1.00 | 3.00 | 3.0 | 100 | 1.00 | 3 | 12,345 |" in lines
    assert "| people | 3.20 | 4.00 | 1.00 | **3.20** | 3.0 | 100 | 1.00 | 3 | 4,000 |" in lines
    assert "| audit | 10.00 | 14.00 | **1.40** | 1.3 |" in lines


PRINTING = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bench.__main__ import main; sys.exit(main())"


def test_without_comparisons_there_is_no_table_of_them() -> None:
    said = as_markdown(report.as_json(FULL, [a_measured()]))
    assert "200 schools" not in said


def test_the_demo_is_compared_with_two_hundred_schools_of_twenty_thousand_people() -> None:
    from app.demo.grow import SIZES

    assert (SIZES[GROWN].schools, SIZES[GROWN].schools * SIZES[GROWN].people) == (200, 20_000)
