"""Wherever a department stands for its people, those below it are included: nobody compares departments for themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THE_PLACE = "department_ids_below"
ITSELF = {
    "app/identity/queries.py:count_people_in": "a department that is to be removed must be empty itself",
    "app/courses/operations/audience.py:choose_audience": "what was chosen is taken back as it was chosen",
}
"""Functions that mean one department and none below it, each with its reason."""
IN_PLAIN_SQL = {"app/home/queries.py": 2}
"""How often: the managers' home names each learner's department, and counts the people of all departments at once, by the tree."""
SQL_COMPARES = re.compile(r"\bdepartment_id\s*(?:=|in\b)|=\s*\w+\.department_id\b")
BY_THE_TREE = re.compile(
    r"\bdepartment_id in \(select top from department_tree where inside = (?:%\(\w+\)s|m\.department_id)\)"
    r"|\bdepartment_id in \(select inside from department_tree where top = %\(\w+\)s\)"
    r"|\bdepartment_tree t join membership m on m\.department_id = t\.inside\s+where t\.top = a\.department_id\b"
)
"""Plain SQL that asks DEPARTMENT_TREE."""


def compared(source: str) -> Iterator[str]:
    """The functions that compare a `department_id` with anything but the ids below one; "" outside of any."""
    tree = ast.parse(source)
    inside = {node: f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    for node in ast.walk(tree):
        found = inside.get(node)
        name = found.name if found else ""
        if (
            isinstance(node, ast.Compare)
            and any(map(is_department, sides(node)))
            and not any(map(is_harmless, sides(node)))
        ):
            yield name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "filter_by":
            yield from (name for given in node.keywords if given.arg == "department_id")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"in_", "not_in"}:
            ids = node.args[0]
            is_below = isinstance(ids, ast.Call) and isinstance(ids.func, ast.Name) and ids.func.id == THE_PLACE
            if is_department(node.func.value) and not is_below:
                yield name


def is_department(node: ast.AST) -> bool:
    """A column of that name: `Membership.department_id`, not a value such as `form.department_id`."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "department_id"
        and isinstance(node.value, ast.Name)
        and node.value.id[:1].isupper()
    )


def is_harmless(node: ast.AST) -> bool:
    """None, or the key of the department: a join that fetches its name."""
    return ast.unparse(node) in {"None", "Department.id", "_DEPARTMENT.c.id", "TREE.c.top", "TREE.c.inside"}


def sides(node: ast.Compare) -> list[ast.expr]:
    return [node.left, *node.comparators]


def texts(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("app", "jobs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def count_compared(text: str) -> int:
    return len(SQL_COMPARES.findall(BY_THE_TREE.sub("", text)))


def test_each_comparison_includes_those_below() -> None:
    found = {f"{path}:{name}" for path, source in sources() for name in compared(source)}
    assert found == set(ITSELF)


def test_plain_sql_compares_no_department_unlisted() -> None:
    found = {path: sum(map(count_compared, texts(source))) for path, source in sources()}
    assert {path: times for path, times in found.items() if times} == IN_PLAIN_SQL


@pytest.mark.parametrize(
    "line",
    [
        "people.where(Membership.department_id == chosen)",
        "people.where(chosen == Membership.department_id)",
        "people.where(Membership.department_id.in_([chosen]))",
        "people.filter_by(department_id=chosen)",
        "people.where(Membership.department_id.not_in(department_ids_above(chosen)))",
    ],
)
def test_one_that_leaves_them_out_is_found(line: str) -> None:
    assert list(compared(f"def audience_of(chosen):\n    return {line}\n")) == ["audience_of"]


def test_the_place_itself_and_a_question_for_none_are_fine() -> None:
    assert list(compared(f"people.where(Membership.department_id.in_({THE_PLACE}(chosen)))")) == []
    assert list(compared("people.where(Membership.department_id.is_not(None))")) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("where m.department_id = %(chosen)s", 1),
        ("where m.department_id in (1, 2)", 1),
        ("from department_tree t join membership m on m.department_id = t.inside where t.top = a.department_id", 0),
        ("where a.department_id in (select top from department_tree where inside = %(department)s)", 0),
        ("where a.department_id in (select top from department_tree where inside = %(department)s or true)", 1),
    ],
)
def test_plain_sql_may_ask_the_tree(sql: str, found: int) -> None:
    assert count_compared(sql) == found
