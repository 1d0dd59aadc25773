"""Jinja, set up so that a page of rows stays cheap: what a file imports is made once a process."""

from __future__ import annotations

from jinja2 import Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context


class SharedTemplate(Template):
    """A template whose macros are made once a process.

    Jinja compares the names of two sets of globals at every `{% from … import … %}`, in every row. Ours are the
    environment's and no others, so that a module made once serves all.
    """

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        if self._module is None:
            self._module = self.make_module()
        return self._module
