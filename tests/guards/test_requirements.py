"""What is asked for is pinned, with all it pulls in: a fresh install gets what the tests ran on."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LEFT_TO_PIP = {"pip", "setuptools"}
FILES = {
    "requirements": [],
    "requirements-dev": ["requirements"],
    "requirements-bench": ["requirements", "requirements-dev"],
}
"""Each file, and those that it stands on."""
NAMED = re.compile(r'"(requirements[\w-]*\.txt)"')


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


def pinned_in(*names: str) -> list[str]:
    return [canonicalize_name(pin.name) for name in names for pin in asked_for(f"{name}.txt")]


@pytest.mark.parametrize("name", FILES)
def test_all_that_is_asked_for_is_pinned(name: str) -> None:
    asked = asked_for(f"{name}.in")
    pinned = set(pinned_in(name, *FILES[name]))
    assert {canonicalize_name(wish.name) for wish in asked} - pinned == set()
    try:
        needed = pulled_in(asked)
    except PackageNotFoundError as missing:
        if name != "requirements-bench":
            raise
        pytest.skip(f"{missing.name} is not installed here: bin/bench installs it where there is no wrk")
    assert needed - pinned == set()


@pytest.mark.parametrize("name", FILES)
def test_pins_are_exact_and_name_no_index(name: str) -> None:
    stands_on = [f"-r {below}.txt" for below in FILES[name]]
    assert [line for line in lines_of(f"{name}.txt") if line.startswith(("-", "http")) and line not in stands_on] == []
    for pin in asked_for(f"{name}.txt"):
        assert [part.operator for part in pin.specifier] == ["=="], str(pin)


def test_nothing_is_pinned_twice() -> None:
    names = pinned_in(*FILES)
    assert sorted(names) == sorted(set(names))


def test_each_file_that_a_program_installs_is_here() -> None:
    """A start that asks for a file which is in no commit fails on every other machine."""
    programs = [*(ROOT / "launcher").glob("*.py"), *(ROOT / "bench").glob("*.py")]
    named = {name for program in programs for name in NAMED.findall(program.read_text())}
    assert named == {f"{name}.txt" for name in FILES}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
