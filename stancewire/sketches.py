"""MinHash sketches of sets, and the buckets of locality-sensitive hashing in which alike sets meet."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

# 128 bands of 2 rows: a pair with a Jaccard similarity of 0.25 meets with probability 0.9997, one of 0.1 with
# 0.72, one of 0.01 with 0.013.
_BANDS, _ROWS = 128, 2

_RNG = np.random.default_rng(1997)
_FACTORS = _RNG.integers(0, 2**31, _BANDS * _ROWS, np.uint32) * np.uint32(2) + np.uint32(1)
_SHIFTS = _RNG.integers(0, 2**32, _BANDS * _ROWS, np.uint32)


class Sketches:
    """Sketches of several sets; positions count them.

    Args:
        sets: distinct hashes of each; an empty set meets no other.
    """

    def __init__(self, sets: Sequence[Hashes]) -> None:
        self._sizes = np.array([len(hashes) for hashes in sets], np.int64)
        self._minima = np.zeros((len(sets), _BANDS * _ROWS), np.uint32)
        for position in np.flatnonzero(self._sizes).tolist():
            self._minima[position] = _minima_of(sets[position])

    def buckets(self) -> list[list[int]]:
        """Return the buckets of each set, those left out in which it is alone."""
        filled = np.flatnonzero(self._sizes)
        keys = self._minima[filled].view(np.uint64)
        found = np.full((len(self._sizes), _BANDS), -1)
        for band in range(_BANDS):
            _, key, counts = np.unique(keys[:, band], return_inverse=True, return_counts=True)
            found[filled, band] = np.where(counts[key] > 1, band * len(filled) + key, -1)
        return [row[row >= 0].tolist() for row in found]

    def likeliest(self, one: int, others: Collection[int], at_most: int) -> list[int]:
        """Return so many of the others at most, those that by their sketches share most with this one."""
        rows = np.sort(np.fromiter(others, np.intp, len(others)))
        if len(rows) > at_most:
            jaccard = (self._minima[rows] == self._minima[one]).mean(axis=1)
            sizes = self._sizes[rows]
            common = jaccard / (1 + jaccard) * (sizes + self._sizes[one])
            share = common / np.minimum(sizes, self._sizes[one])
            rows = np.sort(rows[np.argsort(-share, kind="stable")[:at_most]])
        likely: list[int] = rows.tolist()
        return likely


def _minima_of(hashes: Hashes) -> NDArray[np.uint32]:
    """Return the least value of the hashes under each permutation: x -> ax + b modulo 2^32, a odd."""
    short = (hashes >> np.uint64(32)).astype(np.uint32)
    minima: NDArray[np.uint32] = (short[:, None] * _FACTORS + _SHIFTS).min(axis=0)
    return minima
