"""The rooms of a feature, as a contract of import-linter: the same files everywhere, each importing only what it may.

`bin/test` runs it with the floors (`lint-imports`). A room may be a package of the same name. `OWN` and `LOWER` say what a
room may import of its own feature and of those on lower floors; the ground (app/foundation) is open to all but where
`CLOSED_GROUND` says otherwise. Which feature is lower than which is the floors' business, in pyproject.toml.
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

READ = frozenset({"models", "queries", "rules"})
OWN: dict[str, frozenset[str]] = {
    "models": frozenset(),
    "events": frozenset(),
    "policies": frozenset({"models", "rules", "queries"}),
    "rules": frozenset({"models"}),
    "queries": frozenset({"models", "rules", "kinds", "policies"}),
    "forms": READ,
    "kinds": frozenset({"forms", "rules", "models"}),
    "operations": READ | {"events", "kinds", "policies"},
    "reactions": READ | {"operations", "events", "policies"},
    "commands": READ | {"operations", "policies", "events", "kinds", "forms"},
    "views": READ | {"operations", "policies", "kinds", "forms"},
}
LOWER: dict[str, frozenset[str]] = {
    "models": frozenset(),
    "events": frozenset(),
    "policies": frozenset({"models", "policies"}),
    "rules": frozenset({"rules", "models"}),
    "queries": READ,
    "forms": READ,
    "kinds": frozenset({"kinds", "rules"}),
    "operations": READ | {"operations", "policies", "kinds"},
    "reactions": READ | {"events", "policies"},
    "commands": READ,
    "views": READ | {"policies", "kinds"},
}
CLOSED_GROUND = {
    "rules": {"db", "clock", "jobs", "queue", "mail", "replies"},
    "models": {"db", "replies", "queue", "mail"},
    "forms": {"db", "replies", "queue", "mail"},
}
"""Computation has neither session nor clock, and shapes do nothing."""
MORE_FILES = {"demo": {"cast": "models", "grow": "operations"}}
"""Files besides the rooms, and the room whose imports each keeps to: the demo's people, and its generator of many rows."""
GROUND = "foundation"


class RoomsContract(Contract):
    """Refuses a file that is no room, and an import that its room may not make."""

    type_name = "rooms"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        faults = [*_unknown_files(graph), *_wrong_imports(graph)]
        return ContractCheck(kept=not faults, metadata={"faults": sorted(faults)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for fault in check.metadata["faults"]:
            output.print_error(fault)
            output.new_line()


def _place(module: str) -> tuple[str, str]:
    """The feature and room of a module: ("courses", "kinds") for app.courses.kinds.text; "" where there is none."""
    parts = [*module.split("."), "", ""]
    return (parts[1], parts[2]) if parts[0] == "app" else ("", "")


def _unknown_files(graph: ImportGraph) -> list[str]:
    places = {_place(module) for module in graph.modules}
    return [
        f"app/{feature}/{room}.py is no room: the rooms are {', '.join(sorted(OWN))}"
        for feature, room in places
        if room and feature != GROUND and room not in OWN and room not in MORE_FILES.get(feature, {})
    ]


def _wrong_imports(graph: ImportGraph) -> list[str]:
    faults = []
    for importer in graph.modules:
        feature, room = _place(importer)
        for imported in graph.find_modules_directly_imported_by(importer):
            if importer.startswith("app") and imported.startswith("jobs"):
                faults.append(f"{importer} imports {imported}: jobs are found by name, never imported")
            elif feature and feature not in (GROUND, "factory") and not _may(feature, room, imported):
                faults.append(f"{importer} may not import {imported}")
    return faults


def _may(feature: str, file: str, imported: str) -> bool:
    more = MORE_FILES.get(feature, {})
    room = more.get(file, file)
    theirs, their_file = _place(imported)
    if not room:
        return False
    if theirs == GROUND:
        return their_file not in CLOSED_GROUND.get(room, ())
    if theirs == feature:
        return their_file in (file, room) or more.get(their_file, their_file) in OWN.get(room, frozenset())
    return their_file in LOWER.get(room, frozenset())
