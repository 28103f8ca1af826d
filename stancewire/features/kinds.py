"""Kinds of target: what one may favour or oppose in international-security news.

Crossing a word with the kind of its target lets "renewed" speak for an embargo and against a sale, without
having met that very target in training. A target of no known kind is "other".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from stancewire.features.words import stem, word_set

OTHER = "other"

_NOUNS = {
    "restriction": word_set(
        "ban bar blacklist blacklisting blockade boycott cap confiscation control curb cut-off designation",
        "embargo forfeiture freeze freezing levy listing measure penalty restriction sanction seizure tariff",
    ),
    "ending": word_set(
        "delisting easing end ending evasion exemption halt lifting loosening relief removal repeal",
        "suspension waiver withdrawal",
    ),
    "arms": word_set(
        "aid aircraft ammunition arms artillery deal delivery drone export frigate helicopter howitzer jet",
        "missile munitions order procurement purchase radar rifle rocket sale shell shipment smuggling",
        "submarine supply tank trade transfer weapon",
    ),
    "contact": word_set(
        "accord agreement ambassador ceasefire conference contact dialogue diplomacy embassy envoy expulsion",
        "mediation meeting negotiation peace recognition relations resolution summit talk talks ties treaty",
        "trip truce visit",
    ),
}
KINDS: Mapping[str, str] = MappingProxyType(
    {stem(noun): kind for kind, nouns in _NOUNS.items() for noun in sorted(nouns)}
)
"""Kind by stem of the noun."""

# What follows one of these says more about the noun before, and is not it: "talks in Doha".
_LINKS = word_set("about after against at between by for from in into of on over through to under with")


def kind_of(target: Sequence[str]) -> str:
    """Return the kind of a target by its words: of its head noun, else of the first noun that has a kind."""
    end = next((i for i, word in enumerate(target) if word in _LINKS), len(target))
    for word in (*reversed(target[:end]), *target[end:]):
        if kind := KINDS.get(stem(word)):
            return kind
    return OTHER
