"""Near-duplicates: texts that share much of their wording, such as wire copy that was cut and retouched.

Similarity is the share of the shorter text's word trigrams that the longer one has (containment; Broder,
1997), so that an excerpt is a duplicate too. Candidates come from MinHash with locality-sensitive hashing;
each is then compared exactly. In the bundled corpus, near-verbatim copies share 0.47 or more; articles that
were written independently share 0.15 at most, of one event or of two.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from stancewire.text import clean

THRESHOLD = 0.4
_WORD = re.compile(r"\w+")
_LENGTH = 3
# Short texts share formulas by chance: below so many trigrams, much more of them must be shared.
_SHORT, _SHORT_THRESHOLD = 30, 0.8
# 128 bands of 2 rows: a pair with a Jaccard similarity of 0.25 is a candidate with probability 0.9997, one of
# 0.1 with 0.72, one of 0.01 with 0.013.
_BANDS, _ROWS = 128, 2

_RNG = np.random.default_rng(1997)
_FACTORS = _RNG.integers(0, 2**31, _BANDS * _ROWS, np.uint32) * np.uint32(2) + np.uint32(1)
_SHIFTS = _RNG.integers(0, 2**32, _BANDS * _ROWS, np.uint32)

Trigrams = NDArray[np.uint64]


class Pair(NamedTuple):
    """Two near-duplicates by their positions, first < second, and how similar they are."""

    first: int
    second: int
    similarity: float


def fold(text: str) -> str:
    """Return the words of a text, so that equal wording is equal text."""
    return " ".join(_WORD.findall(clean(text).casefold()))


def trigrams(text: str) -> Trigrams:
    """Return the sorted distinct hashes of a text's word trigrams; of all its words where it has fewer."""
    words = fold(text).split()
    if not words:
        return np.empty(0, np.uint64)
    hashes = np.array([_word_hash(word) for word in words], np.uint64)
    length = min(_LENGTH, len(words))
    mixed = np.zeros(len(words) - length + 1, np.uint64)
    for position in range(length):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + hashes[position : position + len(mixed)]
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def similarity(one: Trigrams, other: Trigrams) -> float:
    """Return the share of the smaller set that is in the larger, 0 where either is empty."""
    smaller = min(len(one), len(other))
    if not smaller:
        return 0.0
    return len(np.intersect1d(one, other, assume_unique=True)) / smaller


def near_duplicates(texts: Sequence[str], *, threshold: float = THRESHOLD) -> tuple[Pair, ...]:
    """Return every pair of near-duplicates found, in order.

    Args:
        texts: whole articles, or sentences.
        threshold: least similarity, above 0 and at most 1.
    """
    sets = [trigrams(text) for text in texts]
    pairs = []
    for first, second in sorted(_candidates(sets)):
        smaller = min(len(sets[first]), len(sets[second]))
        least = threshold if smaller >= _SHORT else max(threshold, _SHORT_THRESHOLD)
        if (found := similarity(sets[first], sets[second])) >= least:
            pairs.append(Pair(first, second, found))
    return tuple(pairs)


def clusters(names: Sequence[str], events: Sequence[str | None], pairs: Iterable[Pair]) -> tuple[str, ...]:
    """Return the cluster of each article, named after its first article.

    Articles of one event, and near-duplicates, share a cluster; so do events that a near-duplicate joins.

    Args:
        names: unique ids, in order.
        events: of each article; None is an event of its own.
        pairs: near-duplicates by position.
    """
    parent = list(range(len(names)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        parent[high] = low

    first_of: dict[str, int] = {}
    for item, event in enumerate(events):
        if event is not None:
            join(first_of.setdefault(event, item), item)
    for pair in pairs:
        join(pair.first, pair.second)
    return tuple(names[root(item)] for item in range(len(names)))


def _candidates(sets: Sequence[Trigrams]) -> set[tuple[int, int]]:
    blank = MinHash(num_perm=_BANDS * _ROWS)
    index = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    found: set[tuple[int, int]] = set()
    for number, hashes in enumerate(sets):
        if len(hashes):
            sketch = blank.copy()
            sketch.hashvalues = _minima(hashes)
            found.update((earlier, number) for earlier in index.query(sketch))
            index.insert(number, sketch)
    return found


def _minima(hashes: Trigrams) -> NDArray[np.uint32]:
    """Return the least value of the hashes under each permutation: x -> ax + b modulo 2^32, a odd.

    MinHash's own way gives as good candidates, and takes ten times as long.
    """
    short = (hashes >> np.uint64(32)).astype(np.uint32)
    minima: NDArray[np.uint32] = (short[:, None] * _FACTORS + _SHIFTS).min(axis=0)
    return minima


def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
