"""What stands at the top of a template, for each way that Jinja's branches may be taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

Root = tuple[str, str]
"""An element's name and attributes; of an include, "include" and the file."""
Face = tuple[Root, ...]
"""The roots of one way through the branches."""

VOID = {"input", "br", "hr", "img", "meta", "link", "source", "col", "wbr"}
SAID_ELSEWHERE = re.compile(
    r"\{#.*?#\}|\{%-?\s*macro\b.*?\{%-?\s*endmacro\s*-?%\}|\{%-?\s*set\s+\w+\s*-?%\}.*?\{%-?\s*endset\s*-?%\}", re.S
)
"""Comments, and what is written where it is called or named."""
INSIDE_JINJA = re.compile(r"(?<=\{[%{]).*?(?=[%}]\})", re.S)
PIECE = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-z][a-z0-9-]*)(?P<attributes>(?:"[^"]*"|'[^']*'|[^<>"'])*)>"""
    r"""|\{%-?\s*(?P<word>\w+)(?P<rest>.*?)-?%\}""",
    re.S,
)


def faces(source: str) -> set[Face]:
    """The roots of a template on each way through it. What a loop repeats is counted twice."""
    plain = INSIDE_JINJA.sub(lambda inside: re.sub(r"[<>/]", " ", inside.group()), SAID_ELSEWHERE.sub("", source))
    found, depth, _stopped_at = _walk(PIECE.finditer(plain), 0)
    assert depth == 0, f"its elements do not close: {depth} stay open"
    return found


def _walk(pieces: Iterator[re.Match[str]], depth: int) -> tuple[set[Face], int, str]:
    """The faces from here to the end of the branch, how many elements are open there, and the word that ends it."""
    found: set[Face] = {()}
    for piece in pieces:
        word, new = piece["word"], {()}
        if word in ("if", "for"):
            new, depth = _branch(pieces, depth, word)
        elif word in ("elif", "else", "endif", "endfor"):
            return found, depth, word
        elif piece["end"]:
            depth -= 1
        elif piece["name"] or word == "include":
            name, attributes = (word, piece["rest"]) if word else (piece["name"], piece["attributes"])
            new = {((name, attributes),)} if depth == 0 else {()}
            depth += 0 if word or name in VOID or attributes.endswith("/") else 1
        found = {before + after for before, after in product(found, new)}
    return found, depth, ""


def _branch(pieces: Iterator[re.Match[str]], depth: int, word: str) -> tuple[set[Face], int]:
    """The faces of all branches of an if or a loop, and how many elements are open after it."""
    found: set[Face] = set()
    open_after, stopped_at = [depth], word
    while stopped_at not in ("endif", "endfor", ""):
        began_with = stopped_at
        branch, after, stopped_at = _walk(pieces, depth)
        found |= {face * 2 for face in branch} if began_with == "for" else branch
        open_after.append(after)
    if began_with != "else":
        found.add(())
    # An element may be opened in one branch and closed in another, further down.
    return found, max(open_after, key=lambda after: abs(after - depth))
