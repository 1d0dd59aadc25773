"""What is asked for is pinned, with all it pulls in: a fresh install gets what the tests ran on."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LEFT_TO_PIP = {"pip", "setuptools"}


def lines_of(name: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines if line]


def asked_for(name: str) -> list[Requirement]:
    return [Requirement(line) for line in lines_of(name) if not line.startswith("-r ")]


def pulled_in(asked: list[Requirement]) -> set[str]:
    """The names of what is asked for, and of what that needs here."""
    found: set[str] = set()
    waiting = [(wish, "") for wish in asked]
    while waiting:
        wish, extra = waiting.pop()
        name = canonicalize_name(wish.name)
        if name in found or name in LEFT_TO_PIP or (wish.marker and not wish.marker.evaluate({"extra": extra})):
            continue
        found.add(name)
        needed = [Requirement(text) for text in requires(name) or []]
        waiting += [(need, extra) for need in needed for extra in ("", *wish.extras)]
    return found


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_all_that_is_asked_for_is_pinned(name: str) -> None:
    pinned = {canonicalize_name(pin.name) for pin in asked_for(f"{name}.txt")}
    if name != "requirements":
        pinned |= {canonicalize_name(pin.name) for pin in asked_for("requirements.txt")}
    assert pulled_in(asked_for(f"{name}.in")) - pinned == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pins_are_exact_and_name_no_index(name: str) -> None:
    assert [line for line in lines_of(name) if line.startswith(("-", "http")) and line != "-r requirements.txt"] == []
    for pin in asked_for(name):
        assert [part.operator for part in pin.specifier] == ["=="], str(pin)


def test_nothing_is_pinned_twice() -> None:
    names = [pin.name for name in ("requirements.txt", "requirements-dev.txt") for pin in asked_for(name)]
    assert sorted(names) == sorted(set(names))
