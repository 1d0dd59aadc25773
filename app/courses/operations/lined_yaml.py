"""YAML read strictly, with the line of everything in it: no key twice, no aliases, plain values only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from flask_babel import gettext as _

from app.courses.rules import Path

DEEPEST = 40
"""Levels of nesting. A course has ten."""


class LinedYaml:
    """A YAML text as plain values. `value` is None where the text could not be read; `lines` has each path's line, from 1.

    `fault` is told what is wrong: a line, a path and a sentence.
    """

    def __init__(self, text: str, fault: Callable[[int, Path, str], None]) -> None:
        self.fault = fault
        self.lines: dict[Path, int] = {}
        self.loader = yaml.SafeLoader("")
        node = self._compose(text)
        self.value = self._value(node, ()) if node is not None else None

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            if _depth(text) > DEEPEST:
                self.fault(1, (), _("This is nested too deeply."))
                return None
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fault(
                mark.line + 1 if mark else 1, (), _("This is no YAML: %(why)s.", why=error.problem or error.context)
            )
            return None
        except (yaml.YAMLError, ValueError) as error:
            self.fault(1, (), _("This is no YAML: %(why)s.", why=str(error).splitlines()[0]))
            return None
        if not isinstance(node, yaml.MappingNode):
            self.fault(1, (), _("Fields with names belong here."))
            return None
        return node

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, at)) for at, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.fault(line, path, _("A field's name must be text."))
            elif key.value in values:
                self.fault(line, (*path, key.value), _("This field stands twice."))
            else:
                self.lines[(*path, key.value)] = line
                values[key.value] = self._value(value, (*path, key.value))
        return values

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self.fault(node.start_mark.line + 1, path, _("This value cannot be read. Put it in quotes if it is text."))
            return ""


def _depth(text: str) -> int:
    """How deep the text nests, read without recursion. Raises on an alias: what it repeats would be read again and again."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            why = _("write it out instead of *%(name)s", name=event.anchor)
            raise yaml.MarkedYAMLError(problem=why, problem_mark=event.start_mark)  # type: ignore[arg-type]
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return deepest
