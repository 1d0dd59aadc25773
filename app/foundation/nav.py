"""The rail: what each role does every day. Features add their entries; an entry shows to those who hold its permission."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from flask import request, url_for
from flask_babel import LazyString, get_locale

from app.foundation import tenancy
from app.foundation.actor import Actor

MOST_ENTRIES = 7


@dataclass(frozen=True)
class Entry:
    """One entry of the rail. `order` sorts it; `section` is the blueprint that it lights up for."""

    label: LazyString
    endpoint: str
    icon: str
    order: int
    permission: StrEnum | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the page shows it."""

    label: str
    href: str
    icon: str
    current: bool


_entries: list[Entry] = []


def add(entry: Entry) -> None:
    """Add an entry to the rail, once."""
    if entry.endpoint not in {known.endpoint for known in _entries}:
        _entries.append(entry)
        _entries.sort(key=lambda known: known.order)
        _links.cache_clear()


def links_for(actor: Actor) -> tuple[Link, ...]:
    """The rail of this person on this page: at most seven entries."""
    mine = tuple([e for e in _entries if e.permission is None or actor.may(e.permission)][:MOST_ENTRIES])
    return _links(mine, _current_endpoint(mine), tenancy.required().slug, get_locale())


@lru_cache(maxsize=512)
def _links(entries: tuple[Entry, ...], current: str | None, _school: str, _locale: Hashable) -> tuple[Link, ...]:
    """Built once for each school, language and place on the rail: the addresses lie in the school in force."""
    return tuple(Link(str(e.label), url_for(e.endpoint), e.icon, e.endpoint == current) for e in entries)


def _current_endpoint(entries: Sequence[Entry]) -> str | None:
    """The entry whose page this is, else the first of the same blueprint."""
    here = request.endpoint or ""
    if any(entry.endpoint == here for entry in entries):
        return here
    feature = here.partition(".")[0]
    return next((entry.endpoint for entry in entries if entry.endpoint.partition(".")[0] == feature), None)
