"""What is said of the numbers: a table, JSON, and whether the targets are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.comparison import TARGET, Compared
from bench.pages import PageToMeasure

COLUMNS = "{:<16}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}{:>7}{:>5}{:>9}"
NAMES = COLUMNS.format("page", "p50 ms", "p95 ms", "floor ms", "ratio", "target", "req/s", "cpu ms", "sql", "bytes")
HEAD = (
    "\nSize {size}. Latency by one client, page and floor in turn; req/s by {driver} at {at_once} with fresh connections.\n"
    "The driver's own ceiling, against an answer of two bytes: {ceiling:,.0f} req/s.\n\n" + NAMES
)
COMPARED_COLUMNS = "{:<16}{:>12}{:>12}{:>8}{:>8}"
COMPARED_HEAD = (
    "\nThe same with 200 schools and 20,000 people as in the demo, one client, both asked in turn.\n\n"
    + COMPARED_COLUMNS.format("", "demo p50 ms", "grown p50", "ratio", "target")
)


@dataclass(frozen=True)
class Measured:
    """One page in numbers. `bytes` are those of the whole answer on the wire."""

    page: PageToMeasure
    p50_ms: float
    p95_ms: float
    floor_ms: float
    rps: float
    cpu_ms: float
    sql: int
    bytes: int

    @property
    def ratio(self) -> float:
        return self.p50_ms / self.floor_ms

    @property
    def misses(self) -> bool:
        return round(self.ratio, 2) > self.page.target


def line(measured: Measured) -> str:
    """One row of the table."""
    return COLUMNS.format(
        measured.page.name, f"{measured.p50_ms:.2f}", f"{measured.p95_ms:.2f}", f"{measured.floor_ms:.2f}",
        f"{measured.ratio:.2f}{'!' if measured.misses else ''}", f"{measured.page.target:.1f}", f"{measured.rps:,.0f}",
        f"{measured.cpu_ms:.2f}", measured.sql, f"{measured.bytes:,}",
    )  # fmt: skip


def compared_line(compared: Compared) -> str:
    """One row of the table of comparisons."""
    return COMPARED_COLUMNS.format(
        compared.name, f"{compared.demo_p50_ms:.2f}", f"{compared.grown_p50_ms:.2f}",
        f"{compared.ratio:.2f}{'!' if compared.misses else ''}", f"{TARGET:.1f}",
    )  # fmt: skip


@dataclass(frozen=True)
class Circumstances:
    """How it was measured. `ceiling_rps` is what the driver reaches against an answer of two bytes."""

    commit: str
    size: str
    quick: bool
    driver: str
    ceiling_rps: float


def as_json(
    circumstances: Circumstances, measured: Sequence[Measured], compared: Sequence[Compared] = ()
) -> dict[str, Any]:
    """The numbers for machines; milliseconds to the microsecond."""
    return {
        "commit": circumstances.commit,
        "size": circumstances.size,
        "quick": circumstances.quick,
        "driver": circumstances.driver,
        "ceiling_rps": round(circumstances.ceiling_rps, 1),
        "pages": [
            {
                "name": one.page.name,
                "p50_ms": round(one.p50_ms, 3),
                "p95_ms": round(one.p95_ms, 3),
                "rps": round(one.rps, 1),
                "cpu_ms": round(one.cpu_ms, 3),
                "sql": one.sql,
                "bytes": one.bytes,
                "floor_ms": round(one.floor_ms, 3),
                "ratio_to_floor": round(one.ratio, 3),
                "target": one.page.target,
                "over": one.misses,
            }
            for one in measured
        ],
        "comparisons": [
            {
                "name": one.name,
                "demo_p50_ms": round(one.demo_p50_ms, 3),
                "grown_p50_ms": round(one.grown_p50_ms, 3),
                "ratio": round(one.ratio, 3),
                "target": TARGET,
                "over": one.misses,
            }
            for one in compared
        ],
    }


def verdict(measured: Sequence[Measured], compared: Sequence[Compared] = (), *, quick: bool) -> int:
    """Say whether the targets are met, and return the exit code. A quick run judges nothing: noise rules its few samples."""
    if quick:
        print("\nA quick run judges nothing: its few samples are ruled by noise.")
        return 0
    pages = [f"{one.page.name} ({one.ratio:.2f} instead of {one.page.target:.1f})" for one in measured if one.misses]
    slower = [f"{one.name} ({one.ratio:.2f} instead of {TARGET:.1f})" for one in compared if one.misses]
    if pages:
        print(f"\nOver the target, as a multiple of the floor's median: {', '.join(pages)}.")
    if slower:
        print(f"\nOver the target, as a multiple of the demo's median: {', '.join(slower)}.")
    if not pages and not slower:
        print("\nEvery target is met.")
    return 1 if pages or slower else 0
