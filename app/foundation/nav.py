"""The rail: what each role does every day. Features add their entries; an entry shows to those who hold its permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from flask import request, url_for
from flask_babel import LazyString

from app.foundation import tenancy
from app.foundation.actor import Actor

MOST_ENTRIES = 7
CARDS = "tenants.school_show"
"""The school's page, whose cards are in no rail."""
PEOPLE = "people.index"
"""The list of people, to which the pages belong that a person's page leads to."""


@dataclass(frozen=True)
class Entry:
    """One entry of the rail. `order` sorts it. Who holds `unless` reaches the page from another entry and is not shown this.

    `nouns` begin the names of other pages of its feature that are reached from it: "approval" for `approval_create`.
    """

    label: LazyString
    endpoint: str
    icon: str
    order: int
    permission: StrEnum | None = None
    unless: StrEnum | None = None
    nouns: frozenset[str] = frozenset()

    @property
    def feature(self) -> str:
        return self.endpoint.partition(".")[0]

    def is_about(self, noun: str) -> bool:
        """Whether pages of this noun of its feature are reached from here."""
        return noun in self.nouns or self.endpoint.partition(".")[2].partition("_")[0] == noun

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


@dataclass(frozen=True)
class PersonLink:
    """A page of a higher feature to which the page of a person leads, whose membership's id goes along as `argument`."""

    label: LazyString
    endpoint: str
    argument: str
    icon: str
    permission: StrEnum

    def href(self, member_id: int) -> str:
        values: dict[str, Any] = {self.argument: member_id}
        return url_for(self.endpoint, **values)


_entries: list[Entry] = []
_cards: list[Card] = []
_person_links: list[PersonLink] = []


def add(entry: Entry) -> None:
    """Add an entry to the rail, once."""
    if entry.endpoint not in {known.endpoint for known in _entries}:
        _entries.append(entry)
        _entries.sort(key=lambda known: known.order)
        _links.cache_clear()


def add_card(card: Card) -> None:
    """Add a card to the school's page, once."""
    if card.endpoint not in {known.endpoint for known in _cards}:
        _cards.append(card)
        _cards.sort(key=lambda known: known.order)


def add_person_link(link: PersonLink) -> None:
    """Add a link to the pages of people, once."""
    if link.endpoint not in {known.endpoint for known in _person_links}:
        _person_links.append(link)


def person_links_for(actor: Actor) -> list[PersonLink]:
    """Where this reader may go from the page of a person."""
    return [link for link in _person_links if actor.may(link.permission)]


def cards_for(actor: Actor) -> list[Card]:
    """The cards of the school's page that this person may follow."""
    return [card for card in _cards if actor.may(card.permission)]


def links_for(actor: Actor, lang: str) -> tuple[Link, ...]:
    """The rail of this person on this page, in a language: at most seven entries."""
    return _links(actor.permissions, request.endpoint or "", tenancy.required().slug, lang)


@lru_cache(maxsize=2048)
def _links(held: frozenset[str], here: str, _school: str, _lang: str) -> tuple[Link, ...]:
    """Built once for each school and language: the addresses lie in the school in force, the words are the reader's."""
    mine = [entry for entry in _entries if entry.is_for(held)][:MOST_ENTRIES]
    current = _current_endpoint(mine, here)
    return tuple(Link(str(e.label), url_for(e.endpoint), e.icon, e.endpoint == current) for e in mine)


def _current_endpoint(entries: Sequence[Entry], here: str) -> str | None:
    """The entry whose page this is, else the first about the same noun (`booking_show`: Bookings), else the school's page or the
    people's if a card or a link there leads here, else the first of the blueprint."""
    if any(entry.endpoint == here for entry in entries):
        return here
    feature, _, name = here.partition(".")
    akin = [entry for entry in entries if entry.feature == feature]
    noun = name.partition("_")[0]
    about = [entry for entry in akin if entry.is_about(noun)]
    if not about and any(card.endpoint.startswith(f"{feature}.{noun}_") for card in _cards):
        about = [entry for entry in entries if entry.endpoint == CARDS]
    elif not about and any(link.endpoint == here for link in _person_links):
        about = [entry for entry in entries if entry.endpoint == PEOPLE]
    return next((entry.endpoint for entry in about or akin), None)
