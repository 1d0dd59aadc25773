"""What is said of the numbers: a table, JSON, and whether the targets are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.pages import PageToMeasure

COLUMNS = "{:<16}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}{:>7}{:>5}{:>9}"
NAMES = COLUMNS.format("page", "p50 ms", "p95 ms", "floor ms", "ratio", "target", "req/s", "cpu ms", "sql", "bytes")
HEAD = (
    "\nSize {size}. Latency by one client, page and floor in turn; req/s by {driver} at {at_once} with fresh connections.\n"
    "The driver's own ceiling, against an answer of two bytes: {ceiling:,.0f} req/s.\n\n" + NAMES
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


def as_json(commit: str, size: str, measured: Sequence[Measured]) -> dict[str, Any]:
    """The numbers for machines; milliseconds to the microsecond."""
    return {
        "commit": commit,
        "size": size,
        "pages": [
            {
                "name": one.page.name,
                "p50_ms": round(one.p50_ms, 3),
                "p95_ms": round(one.p95_ms, 3),
                "rps": round(one.rps, 1),
                "sql": one.sql,
                "bytes": one.bytes,
                "floor_ms": round(one.floor_ms, 3),
                "ratio_to_floor": round(one.ratio, 3),
            }
            for one in measured
        ],
    }


def verdict(measured: Sequence[Measured], *, quick: bool) -> int:
    """Say whether the targets are met, and return the exit code. A quick run judges nothing: noise rules its few samples."""
    missed = [f"{one.page.name} ({one.ratio:.2f} instead of {one.page.target:.1f})" for one in measured if one.misses]
    if quick:
        print("\nA quick run judges nothing: its few samples are ruled by noise.")
        return 0
    if missed:
        print(f"\nOver the target, as a multiple of the floor's median: {', '.join(missed)}.")
        return 1
    print("\nEvery page meets its target.")
    return 0
