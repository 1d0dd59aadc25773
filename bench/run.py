"""One run: set the stage, look inside each page, then time page and floor in turn."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import driver, report
from bench.comparison import Compared, compare
from bench.inside import Inside
from bench.pages import PAGES, PageToMeasure
from bench.report import Measured
from bench.stage import ROOT, Stage
from launcher.errors import LauncherError


@dataclass(frozen=True)
class Effort:
    """How long to look. `pairs` are timed requests of a page and of its floor each, after `warm_up` of them, and fewer where
    they take longer than `patience` seconds; `rounds` are the driver's, `seconds` each; `loops` are for the processor's time.
    """

    pairs: int
    warm_up: int
    patience: float
    rounds: int
    seconds: int
    loops: int


THOROUGH = Effort(pairs=500, warm_up=30, patience=float("inf"), rounds=5, seconds=2, loops=200)
QUICK = Effort(pairs=60, warm_up=5, patience=1.0, rounds=1, seconds=1, loops=10)
AT_ONCE = 16


def run(size: str, names: Sequence[str] | None, *, quick: bool, json_file: Path | None) -> int:
    """Measure and report; returns the exit code. A quick run has too few samples to judge by, so it always returns 0."""
    pages, effort = _chosen(names), QUICK if quick else THOROUGH
    with Stage(size) as stage, driver.many() as ask:
        inside = Inside(stage.settings)
        looks = [inside.look(page) for page in pages]
        stage.serve(looks)
        ceiling = driver.requests_per_second(ask, f"{stage.nothing.url}/", {}, at_once=AT_ONCE, effort=effort)
        print(report.HEAD.format(driver=driver.name(), ceiling=ceiling, at_once=AT_ONCE, size=size), flush=True)
        measured = []
        for number, look in enumerate(looks):
            timed = driver.time_in_turn(stage.web.page(look), stage.floor.page(look, number), effort)
            measured.append(
                Measured(
                    page=look.page,
                    p50_ms=timed.p50_ms,
                    p95_ms=timed.p95_ms,
                    floor_ms=timed.floor_ms,
                    rps=driver.requests_per_second(
                        ask, f"{stage.web.url}{look.path}", look.headers, at_once=AT_ONCE, effort=effort
                    ),
                    cpu_ms=inside.cpu_ms(look, loops=effort.loops),
                    sql=len(look.statements),
                    bytes=timed.bytes,
                )
            )
            print(report.line(measured[-1]), flush=True)
        compared = _compare(stage, effort) if names is None and not quick else []
    if json_file:
        circumstances = report.Circumstances(_commit(), size, quick, driver.name(), ceiling)
        json_file.write_text(json.dumps(report.as_json(circumstances, measured, compared), indent=1) + "\n")
    return report.verdict(measured, compared, quick=quick)


def _compare(stage: Stage, effort: Effort) -> list[Compared]:
    """Compare a demo with many schools. Growing them takes longer than most pages: a quick run, or one of some pages, has no
    time for it."""
    print(report.COMPARED_HEAD, flush=True)
    compared = compare(stage, effort)
    for one in compared:
        print(report.compared_line(one), flush=True)
    return compared


def _chosen(names: Sequence[str] | None) -> list[PageToMeasure]:
    if names is None:
        return list(PAGES)
    known = {page.name: page for page in PAGES}
    if strangers := [name for name in names if name not in known]:
        raise LauncherError(f"there is no page {strangers[0]!r}: choose from {', '.join(known)}.")
    return [known[name] for name in names]


def _commit() -> str:
    """The commit measured; with a "+" where the tree differs from it, "unknown" outside of git."""
    asked = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() or "unknown"
