"""Terms of a sentence, its target and holder for a stance. docs/linear.md says why each block is there.

The target's own words are no term: they would only teach which targets are popular. What counts is where the
target stands in the sentence, what leads to it, and its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stancewire.examples import StanceExample
from stancewire.features.base import Features, Terms
from stancewire.features.kinds import KINDS, kind_of
from stancewire.features.words import Memo, pairs, stem, tokens, word_set, words
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
_MAX_TARGET = 1_000  # characters of a target that are read


class _Word(NamedTuple):
    """A word or mark.

    Attributes:
        text: as it stands.
        stem: "" for a mark, which ends a clause.
        key: what it matches targets by; "" for a function word.
        kind: the kind of target that it names, or "".
        negates: whether it turns what follows in its clause.
    """

    text: str
    stem: str
    key: str
    kind: str
    negates: bool


class _Target(NamedTuple):
    """A target: the keys of its words, and its kind."""

    keys: frozenset[str]
    kind: str


def _read_word(word: str) -> _Word:
    if not word[0].isalnum():
        return _Word(word, "", "", "", False)
    stemmed = stem(word)
    key = "" if word in _FUNCTION_WORDS else stemmed[:_PREFIX]
    negates = word in _NEGATIONS or word.endswith("n't")
    return _Word(word, stemmed, key, KINDS.get(stemmed, ""), negates)


_WORDS = Memo(_read_word)


def _read_target(target: str) -> _Target:
    found = words(clean(target))
    return _Target(_keys(found), kind_of(found))


_TARGETS = Memo(_read_target)


def _keys(found: Sequence[str]) -> frozenset[str]:
    return frozenset([_WORDS[word].key for word in found]) - {""}


def _extract(example: StanceExample, max_chars: int) -> Terms:
    target = _TARGETS[example.target[: min(max_chars, _MAX_TARGET)]]
    read = [_WORDS[token] for token in tokens(clean(example.sentence, max_chars=max_chars))]
    parts = [part for part in read if part.stem]
    marked = _marked(read)
    hits = [i for i, part in enumerate(parts) if part.key in target.keys]
    masked = _masked(marked, hits)
    lead = _lead(parts, marked, hits, _words(example.holder, max_chars))
    return (
        [*marked, *pairs(marked)],
        [*masked, *pairs(masked)],
        [f"{target.kind} {part.stem}" for part in parts],
        _relation(parts, target, _keys(_words(example.context, max_chars))),
        [*lead, *pairs(lead)],
    )


def _words(text: str | None, max_chars: int) -> list[str]:
    return words(clean(text, max_chars=max_chars)) if text else []


def _marked(read: Sequence[_Word]) -> list[str]:
    """Return the stems, marked from a negation to the end of its clause."""
    if not any([part.negates for part in read]):
        return [part.stem for part in read if part.stem]
    marked = []
    negated = False
    for part in read:
        if part.stem:
            marked.append(_NOT + part.stem if negated else part.stem)
        negated = bool(part.stem) and (negated or part.negates)
    return marked


def _masked(marked: Sequence[str], hits: Sequence[int]) -> list[str]:
    """Return the marked stems, with one placeholder for each mention of the target."""
    masked: list[str] = []
    done = 0
    for hit in hits:
        if hit > done or not masked:
            masked += [*marked[done:hit], _TARGET]
        done = hit + 1
    return [*masked, *marked[done:]]


def _relation(parts: Sequence[_Word], target: _Target, before: frozenset[str]) -> list[str]:
    """Return how much of the target the sentence names, and the one before; and which kinds it speaks of."""
    keys, kind = target
    found = len(keys.intersection([part.key for part in parts]))
    here, there = _share(found, len(keys)), _share(len(keys & before), len(keys))
    kinds = sorted({part.kind for part in parts if part.kind})
    return [
        kind,
        f"named {here}",
        f"named before {there}",
        f"named {here}, before {there}",
        f"named {min(found, 3)}",
        *[f"{kind} and {other}" for other in kinds],
        f"{kind} among {' '.join(kinds) or 'none'}",
        f"{kind} {'' if kind in kinds else 'not '}spoken of",
    ]


def _share(found: int, wanted: int) -> str:
    if not found:
        return "not"
    return "whole" if found >= wanted else "in part"


def _lead(
    parts: Sequence[_Word], marked: Sequence[str], hits: Sequence[int], holder: Sequence[str]
) -> Sequence[str]:
    """Return the last words before the target, from behind the holder where it stands before the target."""
    if not hits:
        return []
    start = _end_of(holder[:_MAX_HOLDER], parts)
    first = next((hit for hit in hits if hit >= start), None)
    if first is None:
        start, first = 0, hits[0]
    return marked[max(start, first - _LEAD) : first]


def _end_of(phrase: Sequence[str], parts: Sequence[_Word]) -> int:
    """Return where a phrase ends that stands among words, or 0."""
    if not phrase:
        return 0
    found = [part.text for part in parts]
    size = len(phrase)
    starts = (i for i, word in enumerate(found) if word == phrase[0])
    return next((i + size for i in starts if found[i : i + size] == phrase), 0)


STANCE = Features(
    blocks=("sentence", "masked", "kind", "relation", "lead"),
    content=frozenset({"sentence"}),
    target_blind=frozenset({"sentence"}),
    extract=_extract,
)
"""Terms of a sentence, its target and holder."""
