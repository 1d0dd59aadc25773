"""What is recorded reads in words that a translator finds: each action and field of the code has its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from app.audit.rules import ACTIONS, FIELDS
from app.identity.operations.profile import OWN_FIELDS, STAFF_FIELDS

APP = Path(__file__).parents[2] / "app"
FEATURES = {path.name for path in APP.iterdir() if path.is_dir()}
FILES = {"course.yaml"}
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
SIDES = {"before", "after"}


def nodes() -> Iterator[ast.AST]:
    for path in sorted(APP.glob("*/operations/*.py")) + sorted(APP.glob("*/operations.py")):
        yield from ast.walk(ast.parse(path.read_text()))


def test_each_action_has_its_words() -> None:
    """`noun.done` in operations is an action; `feature.job` names a job."""
    texts = {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    actions = {text for text in texts if ACTION.fullmatch(text) and text.partition(".")[0] not in FEATURES} - FILES
    assert len(actions) > 50
    assert actions - ACTIONS.keys() == set()


def test_each_field_has_its_words() -> None:
    sides = [
        word.value for node in nodes() if isinstance(node, ast.Call) for word in node.keywords if word.arg in SIDES
    ]
    fields = {
        key.value
        for side in sides
        for found in ast.walk(side)
        if isinstance(found, ast.Dict)
        for key in found.keys
        if isinstance(key, ast.Constant)
    }
    assert len(fields) > 15
    assert (fields | OWN_FIELDS | STAFF_FIELDS) - FIELDS.keys() == set()
