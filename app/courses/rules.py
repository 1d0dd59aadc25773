"""Pure computation about courses: what a draft's content may be, and which variant of a step a person gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from markdown_it import MarkdownIt
from markdown_it.token import Token

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_KEY = 80
LONGEST_TITLE = 200
LONGEST_LINE = 500
LONGEST_MARKDOWN = 10_000
LESSON_FORMAT = 1
"""Of a lesson as it is published. What was published is read for ever: a later format is read beside all before it."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

SEARCH_LANGUAGES = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Language subtags with PostgreSQL's text search configuration for them."""

Path = tuple[str | int, ...]


def search_language(tag: str) -> str:
    """PostgreSQL's text search configuration for a language tag: "pt-BR" → "portuguese", an unknown one → "simple"."""
    return SEARCH_LANGUAGES.get(tag.partition("-")[0].lower(), "simple")


def prefix_query(text: str) -> str:
    """The words of a search as a tsquery whose last word may be unfinished: "density alt" → 'density' & 'alt':*.

    Empty where the text has no words, or uses the marks of a web search (quotes, minus, or), which mean something else.
    """
    if '"' in text or re.search(r"(^|\s)(-|or(\s|$))", text, re.IGNORECASE):
        return ""
    words = re.findall(r"\w+", text)
    return " & ".join(f"'{word}'" for word in words) + ":*" if words else ""


class UnknownFormat(Exception):
    """A published lesson is in a format that this version cannot read. A bug, or a database of a newer version."""


def steps_of(lesson: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of a published lesson's JSON. UnknownFormat where they would only be guessed at."""
    found = lesson.get("format")
    if found != LESSON_FORMAT:
        raise UnknownFormat(
            f"a lesson was published in format {found!r}, and this version reads format {LESSON_FORMAT} only: "
            "run the version that published it, or a newer one"
        )
    return list(lesson["steps"])


def base_variant(variants: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of a step's published variants, the one for everybody."""
    return next(variant for variant in variants if not variant["audience"])


# -- faults --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """One thing wrong with content: where (names and positions from 0, outermost first) and a sentence."""

    path: Path
    sentence: str

    @property
    def place(self) -> str:
        """The path as people count: "questions 2 › options 1 › text"."""
        words: list[str] = []
        for part in self.path:
            if isinstance(part, int) and words:
                words[-1] += f" {part + 1}"
            else:
                words.append(str(part))
        return " › ".join(words)


class BadContent(ValueError):
    """Content is not what its kind takes. `faults` says everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.sentence for fault in faults))
        self.faults = faults

    @property
    def sentences(self) -> list[str]:
        """Each fault with its place."""
        return [f"{fault.place}: {fault.sentence}" if fault.path else fault.sentence for fault in self.faults]


def check(content: Any, read: Callable[[Fields], dict[str, Any]]) -> dict[str, Any]:
    """Read content strictly; raises BadContent with every fault, those of fields nobody asked for included."""
    faults: list[Fault] = []
    fields = Fields(content, (), faults)
    clean = read(fields)
    fields.nothing_else()
    if faults:
        raise BadContent(faults)
    return clean


class Fields:
    """A mapping read field by field. Whatever is missing, mistyped or out of range becomes a fault; reading goes on."""

    def __init__(self, value: Any, path: Path, faults: list[Fault]) -> None:
        self.path, self.faults = path, faults
        self.asked: set[str] = set()
        self.value: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        self.is_mapping = isinstance(value, Mapping)
        if not self.is_mapping:
            self.fault(_("Fields with names belong here."))

    def fault(self, sentence: str, *inside: str | int) -> None:
        self.faults.append(Fault((*self.path, *inside), sentence))

    def text(self, name: str, *, longest: int, must: bool = True) -> str:
        """Plain text on one line or more, without the spaces around it; "" where it may be absent and is."""
        value = self._take(name, must)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(_("This must be text. Put it in quotes."), name)
            return ""
        value = value.strip()
        if not value:
            self.fault(_("This is empty."), name)
        elif len(value) > longest:
            self.fault(_("This has %(count)s characters; %(most)s is the most.", count=len(value), most=longest), name)
        elif UNSTORABLE.search(value):
            self.fault(_("This holds a character that is none."), name)
        return value

    def key(self, name: str) -> str:
        """A stable id in kebab case."""
        value = self.text(name, longest=LONGEST_KEY)
        if value and len(value) <= LONGEST_KEY and not KEBAB.fullmatch(value):
            self.fault(_("Use lowercase letters, digits and single hyphens: “read-a-metar”."), name)
        return value

    def markdown(self, name: str, *, longest: int = LONGEST_MARKDOWN) -> str:
        """Authors' text: CommonMark with tables; `longest` is in bytes of UTF-8."""
        value = self._take(name, True)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(_("This must be text. Put it in quotes."), name)
            return ""
        if not value.strip():
            self.fault(_("This is empty."), name)
        elif UNSTORABLE.search(value):
            self.fault(_("This holds a character that is none."), name)
        elif len(value.encode()) > longest:
            self.fault(_("This is longer than %(most)s bytes.", most=longest), name)
        else:
            for sentence in dict.fromkeys(markdown_faults(value)):
                self.fault(sentence, name)
        return value

    def whole(self, name: str, *, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`; the field may be absent if there is a default."""
        value = self._take(name, default is None)
        if value is None:
            return low if default is None else default
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(_("This must be a whole number."), name)
            return low
        if not low <= value <= high:
            self.fault(_("This must be from %(low)s to %(high)s.", low=low, high=high), name)
            return low
        return value

    def flag(self, name: str) -> bool:
        """`true` or `false`."""
        value = self._take(name, True)
        if value is not None and not isinstance(value, bool):
            self.fault(_("This must be true or false, without quotes."), name)
        return value is True

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """One of some words."""
        value, known = self._take(name, True), list(choices)
        if value is None:
            return known[0]
        if not isinstance(value, str) or value not in known:
            self.fault(_("This must be one of: %(choices)s.", choices=", ".join(known)), name)
            return known[0]
        return value

    def items(self, name: str, *, low: int, high: int) -> list[Fields]:
        """A list of `low` to `high` mappings."""
        value = self._list(name, high=high)
        if value is not None and len(value) < low:
            self.fault(
                ngettext("There must be at least %(num)s here.", "There must be at least %(num)s here.", low), name
            )
        return [Fields(item, (*self.path, name, at), self.faults) for at, item in enumerate(value or ())]

    def names(self, name: str, *, longest: int, high: int) -> list[str]:
        """A list of up to `high` plain texts, without the spaces around them."""
        value = self._list(name, high=high) or []
        for at, one in enumerate(value):
            if not isinstance(one, str) or not one.strip():
                self.fault(_("This must be text. Put it in quotes."), name, at)
            elif len(one.strip()) > longest or UNSTORABLE.search(one):
                self.fault(_("This is no name: it is too long, or holds a character that is none."), name, at)
        return [one.strip() if isinstance(one, str) else "" for one in value]

    def _list(self, name: str, *, high: int) -> list[Any] | None:
        value = self._take(name, True)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fault(_("This must be a list."), name)
            return None
        if len(value) > high:
            self.fault(_("There may be %(most)s here at most.", most=high), name)
        return value

    def empty_list(self, name: str, sentence: str) -> None:
        """A field kept for later, which may be absent, and in which only `[]` may stand."""
        value = self._take(name, False)
        if value is not None and value != []:
            self.fault(sentence, name)

    def nothing_else(self) -> None:
        """A fault for each field that was not asked for."""
        for name in self.value:
            if name not in self.asked:
                self.fault(_("There is no field of this name here."), name)

    def _take(self, name: str, must: bool) -> Any:
        self.asked.add(name)
        value = self.value.get(name)
        if value is None and self.is_mapping and (must or name in self.value):
            self.fault(_("This is missing.") if name not in self.value else _("This has no value."), name)
        return value


def doubles(keys: Iterable[tuple[Fields, str, str]]) -> None:
    """A fault at each key that stood before. Takes (fields, name of the field, key)."""
    seen: set[str] = set()
    for fields, name, key in keys:
        if key and key in seen:
            fields.fault(_("“%(key)s” stands twice; it must be unique.", key=key), name)
        seen.add(key)


# -- Markdown ------------------------------------------------------------------------------------------------------

_strict = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Every address becomes a link here, so that a wrong one is named instead of staying text without a word.
_strict.validateLink = lambda url: True  # type: ignore[method-assign]


def markdown_faults(source: str) -> Iterator[str]:
    """What authors' text may not hold, each with its line: raw HTML, images, a level-one heading, a table header without
    words, links other than https."""
    tokens = _strict.parse(source)
    for at, token in enumerate(tokens):
        line = (token.map[0] + 1) if token.map else 1
        say = partial(_sentence_at, line)
        if token.type == "html_block":
            yield say(_("raw HTML is not taken; write Markdown."))
        elif token.type == "heading_open" and token.tag == "h1":
            yield say(_("a level-one heading is not taken, the step's title is the page's; begin with ##."))
        elif token.type == "th_open" and not tokens[at + 1].content.strip():
            yield say(_("a table's header needs words in every cell."))
        for inner in token.children or ():
            yield from map(say, _inline_faults(inner))


def _inline_faults(token: Token) -> Iterator[str]:
    if token.type == "html_inline":
        yield _("raw HTML is not taken; write Markdown.")
    elif token.type == "image":
        yield _("images are not taken.")
    elif token.type == "link_open" and not str(token.attrs.get("href", "")).startswith("https://"):
        yield _("a link must begin with https://.")


def _sentence_at(line: int, sentence: str) -> str:
    return _("Line %(line)s: %(sentence)s", line=line, sentence=sentence)
