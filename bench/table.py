"""The tables of docs/operations/performance.md, written from the file that `bin/bench --json` has kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PAGES = ("page", "p50 ms", "p95 ms", "floor ms", "ratio", "target", "req/s", "CPU ms", "SQL", "bytes")
COMPARISONS = ("", "demo p50 ms", "grown p50 ms", "ratio", "target")


def as_markdown(numbers: Mapping[str, Any]) -> str:
    """What it was measured on, the pages, and the comparisons if the run had them. Bold is what is over its target."""
    parts = [_circumstances(numbers), _table(PAGES, [_page(page) for page in numbers["pages"]])]
    if numbers["comparisons"]:
        parts += [
            "With 200 schools and 20,000 people beside the demo:",
            _table(COMPARISONS, [_comparison(one) for one in numbers["comparisons"]]),
        ]
    return "\n\n".join(parts)


def _circumstances(numbers: Mapping[str, Any]) -> str:
    run = "A quick run, so a hint and no verdict," if numbers["quick"] else "A full run"
    return (
        f"{run} at size {numbers['size']}, commit {numbers['commit']}; requests a second by {numbers['driver']}, "
        f"whose own ceiling was {numbers['ceiling_rps']:,.0f}."
    )


def _page(page: Mapping[str, Any]) -> list[str]:
    return [
        page["name"], f"{page['p50_ms']:.2f}", f"{page['p95_ms']:.2f}", f"{page['floor_ms']:.2f}",
        _ratio(page["ratio_to_floor"], over=page["over"]), f"{page['target']:.1f}", f"{page['rps']:,.0f}",
        f"{page['cpu_ms']:.2f}", str(page["sql"]), f"{page['bytes']:,}",
    ]  # fmt: skip


def _comparison(one: Mapping[str, Any]) -> list[str]:
    ratio = _ratio(one["ratio"], over=one["over"])
    return [one["name"], f"{one['demo_p50_ms']:.2f}", f"{one['grown_p50_ms']:.2f}", ratio, f"{one['target']:.1f}"]


def _ratio(ratio: float, *, over: bool) -> str:
    return f"**{ratio:.2f}**" if over else f"{ratio:.2f}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
