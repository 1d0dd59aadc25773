"""The text step: Markdown, read and left."""

from __future__ import annotations

from html import unescape
from typing import Any

from app.courses.kinds import StepKind
from app.courses.rules import Fields, check
from app.foundation.markdown import plain_text, render_markdown

LONGEST = 100_000
"""Bytes of one step's Markdown."""


class TextKind(StepKind):
    """Draft: `{"markdown": …}`. Published: `{"html": …}`."""

    name = "text"
    template = "courses/kinds/text.html"
    icon = "file-text"
    ends_by = "reading"
    file_field = "markdown"

    def validate(self, content: dict[str, Any]) -> dict[str, Any]:
        return check(content, self._read)

    def publish(self, content: dict[str, Any]) -> tuple[dict[str, Any], None]:
        return {"html": render_markdown(content["markdown"])}, None

    def words(self, content: dict[str, Any]) -> str:
        return unescape(plain_text(render_markdown(content["markdown"])))

    def _read(self, fields: Fields) -> dict[str, Any]:
        return {"markdown": fields.markdown("markdown", longest=LONGEST)}
