"""What the terms of a stance need of sentences: their words, which are negated, and which name what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stancewire.features.base import Ints, numbering
from stancewire.features.kinds import KINDS
from stancewire.features.words import plain, stem, tokens, word_set
from stancewire.memo import Memo
from stancewire.text import clean

NOT = "~"
KIND_NAMES = sorted(set(KINDS.values()))
_FUNCTION_WORDS = word_set(
    "a all an and any are as at be been by for from he her his in is it its of on or our she that the their",
    "these they this those to was were with",
)
_NEGATIONS = word_set(
    "barely cannot hardly neither never no nobody none nor not nothing refuse refused refuses without"
)
# Letters that two stems share when they are one word: "delivered" and "delivery".
_PREFIX = 5


class Word(NamedTuple):
    """A word or mark.

    Attributes:
        stem: "" for a mark, which ends a clause.
        key: what it matches targets by, with which it begins; "" for a function word.
        kind: the kind of target that it names, counted from 1 in KIND_NAMES, or 0.
        negates: whether it turns what follows in its clause.
    """

    stem: str
    key: str
    kind: int
    negates: bool


def _read_word(word: str) -> Word:
    if not word[0].isalnum():
        return Word("", "", 0, False)
    stemmed = stem(word)
    key = "" if word in _FUNCTION_WORDS else stemmed[:_PREFIX]
    kind = KIND_NAMES.index(KINDS[stemmed]) + 1 if stemmed in KINDS else 0
    return Word(stemmed, key, kind, word in _NEGATIONS or word.endswith("n't"))


WORDS = Memo(_read_word)
"""What is known of each word."""


def keys_of(found: Iterable[str]) -> frozenset[str]:
    """Return what words match by."""
    return frozenset([WORDS[word].key for word in found]) - {""}


class Sentences(NamedTuple):
    """Sentences as arrays; what is of each word has one entry for each word, one sentence after the other.

    Attributes:
        words: places in `vocabulary`.
        starts: of each sentence, where its words start.
        lengths: of each sentence, how many words it has.
        stems: places in the lexicon.
        marked: the same, those marked that stand between a negation and the end of its clause.
        keys: number of the wanted key that a word matches by, or 0.
        kinds: of each sentence, the kinds of target that it names: 1 for the first of KIND_NAMES, 2 for the
            second, 4 for the third and so on, in sum.
        vocabulary: the number of each word, and of each mark.
    """

    words: Ints
    starts: Ints
    lengths: Ints
    stems: Ints
    marked: Ints
    keys: Ints
    kinds: Ints
    vocabulary: Mapping[str, int]


class Reader:
    """Reads sentences, each once.

    Attributes:
        size: how many words and marks were read.
    """

    def __init__(self, max_chars: int) -> None:
        self.size = 0
        self._max_chars = max_chars
        self._plain: dict[str, str] = {}
        self._read: dict[str, int] = {}
        self._numbers = numbering()
        self._tokens: list[int] = []
        self._ends = [0]

    def plain(self, text: str) -> str:
        """Return a text, cleaned and plain."""
        if (found := self._plain.get(text)) is None:
            found = self._plain[text] = plain(clean(text, max_chars=self._max_chars))
        return found

    def read(self, text: str) -> int:
        """Read a sentence, and return its place among those that were read."""
        if (place := self._read.get(text)) is None:
            place = self._read[text] = len(self._read)
            self._tokens += map(self._numbers.__getitem__, tokens(self.plain(text)))
            self.size = len(self._tokens)
            self._ends.append(self.size)
        return place

    def finish(self, lexicon: dict[str, int], wanted: Mapping[str, int]) -> Sentences:
        """Return what was read.

        Args:
            lexicon: numbers stems; grows.
            wanted: the numbers of the keys of targets, from 1.
        """
        n_words = len(self._numbers)
        known: Sequence[tuple[Any, ...]] = [*zip(*map(WORDS.__getitem__, self._numbers), strict=True)]
        texts, matched, kind, turns = known or ((),) * len(Word._fields)
        tokens = np.asarray(self._tokens, dtype=np.int64)
        is_word = np.fromiter(map(bool, texts), np.bool_, n_words)[tokens]
        negates = np.fromiter(turns, np.bool_, n_words)[tokens]
        before = np.concatenate(([0], np.cumsum(is_word)))[self._ends]
        words = tokens[is_word]
        stems = np.fromiter(map(lexicon.__getitem__, texts), np.int64, n_words)[words]
        marked = stems
        if negates.any():
            negated = _negated(is_word, negates, self._ends)[is_word]
            marked = stems.copy()
            marked[negated] = _renumbered(stems[negated], lexicon)
        keys = np.fromiter(map(wanted.get, matched, repeat(0)), np.int64, n_words)
        kinds = np.fromiter(kind, np.int64, n_words)
        starts, lengths = before[:-1], np.diff(before)
        named = np.zeros((len(lengths), len(KIND_NAMES) + 1), dtype=np.int64)
        named[np.repeat(np.arange(len(lengths)), lengths), kinds[words]] = 1
        bits = named[:, 1:] @ (1 << np.arange(len(KIND_NAMES)))
        return Sentences(words, starts, lengths, stems, marked, keys[words], bits, self._numbers)


def _negated(
    is_word: NDArray[np.bool_], negates: NDArray[np.bool_], ends: Sequence[int]
) -> NDArray[np.bool_]:
    """Tell which tokens stand between a negation and the end of its clause."""
    places = np.arange(len(is_word))
    stops = np.where(is_word, -1, places)
    firsts = np.asarray(ends[:-1], dtype=np.int64)
    firsts = firsts[firsts < len(stops)]
    stops[firsts] = np.maximum(stops[firsts], firsts - 1)
    last = np.concatenate(([-1], np.maximum.accumulate(np.where(negates, places, -1))[:-1]))
    return last > np.maximum.accumulate(stops)


def _renumbered(stems: Ints, lexicon: dict[str, int]) -> Ints:
    """Return the numbers of stems when they are marked."""
    texts = list(lexicon)
    different, which = np.unique(stems, return_inverse=True)
    return np.fromiter([lexicon[NOT + texts[stem]] for stem in different.tolist()], np.int64)[which]
