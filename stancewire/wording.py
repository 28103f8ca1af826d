"""The wording of a text: its words, and the three in a row that tell one text from another."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

import numpy as np

from stancewire.sketches import Hashes
from stancewire.text import clean

_WORD = re.compile(r"\w+")
_LENGTH = 3

Trigrams = Hashes


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


@lru_cache(maxsize=2**16)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
