"""The rail: what each role does every day. Features add their entries; an entry shows to those who hold its permission."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask import request, url_for
from flask_babel import LazyString

from app.foundation.actor import Actor

MOST_ENTRIES = 7


@dataclass(frozen=True)
class Entry:
    """One entry of the rail. `order` sorts it. Who holds `unless` reaches the page from another entry and is not shown this."""

    label: LazyString
    endpoint: str
    icon: str
    order: int
    permission: StrEnum | None = None
    unless: StrEnum | None = None

    def is_for(self, permissions: frozenset[str]) -> bool:
        """Whether a person of these permissions is shown the entry."""
        wanted = self.permission is None or self.permission in permissions
        return wanted and (self.unless is None or self.unless not in permissions)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the page shows it."""

    label: str
    href: str
    icon: str
    current: bool


@dataclass(frozen=True)
class Card:
    """One card of the school's page, where admins find what they seldom need. `order` sorts it."""

    label: LazyString
    sentence: LazyString
    endpoint: str
    icon: str
    order: int
    permission: StrEnum


_entries: list[Entry] = []
_cards: list[Card] = []


def add(entry: Entry) -> None:
    """Add an entry to the rail, once."""
    if entry.endpoint not in {known.endpoint for known in _entries}:
        _entries.append(entry)
        _entries.sort(key=lambda known: known.order)


def add_card(card: Card) -> None:
    """Add a card to the school's page, once."""
    if card.endpoint not in {known.endpoint for known in _cards}:
        _cards.append(card)
        _cards.sort(key=lambda known: known.order)


def cards_for(actor: Actor) -> list[Card]:
    """The cards of the school's page that this person may follow."""
    return [card for card in _cards if actor.may(card.permission)]


def links_for(actor: Actor) -> list[Link]:
    """The rail of this person on this page: at most seven entries."""
    mine = [entry for entry in _entries if entry.is_for(actor.permissions)][:MOST_ENTRIES]
    current = _current_endpoint(mine)
    return [Link(str(e.label), url_for(e.endpoint), e.icon, e.endpoint == current) for e in mine]


def _current_endpoint(entries: list[Entry]) -> str | None:
    """The entry whose page this is, else the first of the same blueprint."""
    here = request.endpoint or ""
    if any(entry.endpoint == here for entry in entries):
        return here
    feature = here.partition(".")[0]
    return next((entry.endpoint for entry in entries if entry.endpoint.partition(".")[0] == feature), None)
