"""Terms of a sentence, its target and holder for a stance. docs/linear.md says why each block is there.

The target's own words are no term: they would only teach which targets are popular. What counts is where the
target stands in the sentence, what leads to it, and its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from stancewire.examples import StanceExample
from stancewire.features.base import Features, Terms
from stancewire.features.kinds import KINDS, kind_of
from stancewire.features.words import pairs, stem, tokens, word_set, words
from stancewire.text import clean

_TARGET = "TARGET"  # terms are lower case otherwise
_NOT = "~"
_FUNCTION_WORDS = word_set(
    "a all an and any are as at be been by for from he her his in is it its of on or our she that the their",
    "these they this those to was were with",
)
_NEGATIONS = word_set(
    "barely cannot hardly neither never no nobody none nor not nothing refuse refused refuses without"
)
# Letters that two stems share when they are one word: "delivered" and "delivery".
_PREFIX = 5
_LEAD = 6  # words before the target that are read as leading to it
_MAX_HOLDER = 16  # words of a holder that are looked for
_CACHED = 1 << 16


class _Word(NamedTuple):
    """A word: its stem; what it matches targets by, "" for a function word; whether it negates; its kind."""

    stem: str
    key: str
    negates: bool
    kind: str


class _Parsed(NamedTuple):
    """A sentence: its words, and their stems marked when they stand behind a negation in their clause."""

    words: list[str]
    parts: list[_Word]
    marked: list[str]


@lru_cache(_CACHED)
def _word(word: str) -> _Word:
    stemmed = stem(word)
    key = "" if word in _FUNCTION_WORDS else stemmed[:_PREFIX]
    return _Word(stemmed, key, word in _NEGATIONS or word.endswith("n't"), KINDS.get(stemmed, ""))


def _extract(example: StanceExample, max_chars: int) -> Terms:
    sentence = _parse(clean(example.sentence, max_chars=max_chars))
    target = words(clean(example.target, max_chars=max_chars))
    context = words(clean(example.context, max_chars=max_chars))
    holder = words(clean(example.holder or "", max_chars=max_chars))
    keys = {part.key for part in map(_word, target)} - {""}
    hits = [i for i, part in enumerate(sentence.parts) if part.key in keys]
    kind = kind_of(target)
    masked = _masked(sentence.marked, hits)
    lead = _lead(sentence, hits, holder)
    return (
        [*sentence.marked, *pairs(sentence.marked)],
        [*masked, *pairs(masked)],
        [f"{kind} {part.stem}" for part in sentence.parts],
        _relation(sentence.parts, keys, {_word(word).key for word in context}, kind),
        [*lead, *pairs(lead)],
    )


def _parse(text: str) -> _Parsed:
    found, parts, marked = [], [], []
    negated = False
    for token in tokens(text):
        if not token[0].isalnum():
            negated = False
            continue
        part = _word(token)
        found.append(token)
        parts.append(part)
        marked.append(_NOT + part.stem if negated else part.stem)
        negated = negated or part.negates
    return _Parsed(found, parts, marked)


def _masked(marked: Sequence[str], hits: Sequence[int]) -> list[str]:
    """Return the marked stems, with one placeholder for each mention of the target."""
    masked: list[str] = []
    done = 0
    for hit in hits:
        if hit > done or not masked:
            masked += [*marked[done:hit], _TARGET]
        done = hit + 1
    return [*masked, *marked[done:]]


def _relation(parts: Sequence[_Word], keys: set[str], before: set[str], kind: str) -> list[str]:
    """Return how much of the target the sentence names, and the one before; and which kinds it speaks of."""
    found = len(keys & {part.key for part in parts})
    here, there = _share(found, len(keys)), _share(len(keys & before), len(keys))
    kinds = sorted({part.kind for part in parts} - {""})
    return [
        kind,
        f"named {here}",
        f"named before {there}",
        f"named {here}, before {there}",
        f"named {min(found, 3)}",
        *(f"{kind} and {other}" for other in kinds),
        f"{kind} among {' '.join(kinds)}",
        f"{kind} {'' if kind in kinds else 'not '}spoken of",
    ]


def _share(found: int, wanted: int) -> str:
    if not found:
        return "not"
    return "whole" if found >= wanted else "in part"


def _lead(sentence: _Parsed, hits: Sequence[int], holder: list[str]) -> list[str]:
    """Return the last words before the target, from behind the holder where it stands before the target."""
    if not hits:
        return []
    start = _end_of(holder[:_MAX_HOLDER], sentence.words)
    first = next((hit for hit in hits if hit >= start), None)
    if first is None:
        start, first = 0, hits[0]
    return sentence.marked[max(start, first - _LEAD) : first]


def _end_of(phrase: list[str], found: list[str]) -> int:
    """Return where a phrase ends that stands among words, or 0."""
    size = len(phrase)
    if not size:
        return 0
    starts = range(len(found) - size + 1)
    return next((i + size for i in starts if found[i] == phrase[0] and found[i : i + size] == phrase), 0)


STANCE = Features(
    blocks=("sentence", "masked", "kind", "relation", "lead"),
    content=frozenset({"sentence"}),
    target_blind=frozenset({"sentence"}),
    extract=_extract,
)
"""Terms of a sentence, its target and holder."""
