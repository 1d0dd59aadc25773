"""The rail: what each role does every day. Features add their entries; an entry shows to those who hold its permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from flask import request, url_for
from flask_babel import LazyString

from app.foundation import tenancy
from app.foundation.actor import Actor
from app.foundation.permissions import permissions_of

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


def links_for(actor: Actor, lang: str) -> tuple[Link, ...]:
    """The rail of this person on this page, in a language: at most seven entries."""
    return _links(actor.roles, request.endpoint or "", tenancy.required().slug, lang)


@lru_cache(maxsize=2048)
def _links(roles: frozenset[str], here: str, _school: str, _lang: str) -> tuple[Link, ...]:
    """Built once for each school and language: the addresses lie in the school in force, the words are the reader's."""
    held = permissions_of(roles)
    mine = [entry for entry in _entries if entry.permission is None or entry.permission in held][:MOST_ENTRIES]
    current = _current_endpoint(mine, here)
    return tuple(Link(str(e.label), url_for(e.endpoint), e.icon, e.endpoint == current) for e in mine)


def _current_endpoint(entries: Sequence[Entry], here: str) -> str | None:
    """The entry whose page this is, else the first about the same noun (`booking_show`: Bookings), else of the blueprint."""
    if any(entry.endpoint == here for entry in entries):
        return here
    feature, _, name = here.partition(".")
    akin = [entry.endpoint for entry in entries if entry.endpoint.partition(".")[0] == feature]
    noun = f"{feature}.{name.partition('_')[0]}"
    return next((endpoint for endpoint in akin if endpoint.partition("_")[0] == noun), next(iter(akin), None))
