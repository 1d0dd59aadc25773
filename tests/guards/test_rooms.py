"""The floors and rooms hold, and each rule is seen to bite in a copy of the code that breaks it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
WEB = {"flask", "flask_login", "flask_wtf", "werkzeug"}
KNOWS_FLASK = {
    "app/audit/operations/recording.py": "the trail records the browser and whether a request or a job did it",
    "app/demo/operations/newcomers.py": "the seed makes a second factor as the application it seeds would read it",
    "app/demo/operations/people.py": "the seed reads the settings of the application it seeds",
    "app/demo/operations/seeding.py": "the seed's deeds are done within requests, as people's are",
    "app/demo/operations/visits.py": "the seed's people come with browsers and addresses",
}
"""Rooms below the views that may name Flask, each with its reason."""

BREAKS = {
    "app/courses/queries.py": "from app.learning import models as upward",
    "app/identity/rules.py": "from app.foundation.db import session",
    "app/identity/models.py": "from app.identity import queries",
    "app/identity/views.py": "from app.tenants import operations",
    "app/tenants/operations.py": "from jobs import relay",
    "app/courses/helpers.py": "",
}
SENTENCES = [
    "app.courses is not allowed to import app.learning",
    "app.identity.rules may not import app.foundation.db",
    "app.identity.models may not import app.identity.queries",
    "app.identity.views may not import app.tenants.operations",
    "app.tenants.operations imports jobs.relay",
    "app/courses/helpers.py is no room",
]


@pytest.fixture(scope="module")
def broken_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What lint-imports says of a copy of the code with every break in it, on one line."""
    return report_on_a_copy(tmp_path_factory.mktemp("copy"), BREAKS)


def report_on_a_copy(copy: Path, breaks: dict[str, str]) -> str:
    """Copy the code, add a line to each file named, and return what lint-imports says."""
    for folder in ("app", "jobs", "tests/guards"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests/__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", copy)
    for path, line in breaks.items():
        (copy / path).parent.mkdir(exist_ok=True)
        with (copy / path).open("a") as file:
            file.write(f"\n{line}\n")
    done = subprocess.run([LINT, "--no-cache"], cwd=copy, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def test_floors_and_rooms_hold() -> None:
    done = subprocess.run([LINT, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_break_is_named(broken_report: str, sentence: str) -> None:
    assert sentence in broken_report


def test_a_package_that_nobody_placed_is_named(tmp_path: Path) -> None:
    assert "app.weather" in report_on_a_copy(tmp_path, {"app/weather/__init__.py": ""})


def test_only_views_know_flask() -> None:
    assert knowing_flask(ROOT / "app") == set(KNOWS_FLASK)


def test_an_operation_that_knows_flask_is_named(tmp_path: Path) -> None:
    (tmp_path / "app/courses/operations").mkdir(parents=True)
    (tmp_path / "app/courses/operations/publishing.py").write_text("from flask import request\n")
    assert knowing_flask(tmp_path / "app") == {"app/courses/operations/publishing.py"}


def knowing_flask(app: Path) -> set[str]:
    """The files of rooms other than views, forms and commands that import Flask or one of its kin (gettext aside)."""
    found = set()
    for path in app.glob("*/**/*.py"):
        feature, room = path.relative_to(app).parts[0], path.relative_to(app).parts[1].removesuffix(".py")
        if feature == "foundation" or room in ("views", "forms", "commands"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if WEB & {name.partition(".")[0] for name in names}:
                found.add(path.relative_to(app.parent).as_posix())
    return found
