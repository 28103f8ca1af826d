"""Find integers among many, all at once in numpy: where a dictionary would be asked one by one."""

from __future__ import annotations

import numpy as np

from stancewire.features.base import Ints

# The golden ratio of 2^64 spreads neighbouring keys (Knuth, The Art of Computer Programming, 6.4).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class KeyTable:
    """Values by key: a hash table with open addressing, at most half full.

    Args:
        keys: int64 [n], distinct, none below 0.
        values: int64 [n], none below 0.
    """

    def __init__(self, keys: Ints, values: Ints) -> None:
        bits = max(1, (2 * len(keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._last = (1 << bits) - 1
        self._keys = np.full(1 << bits, -1, dtype=np.int64)
        self._values = np.zeros(1 << bits, dtype=np.int64)
        slots = self._slots(keys)
        while len(keys):
            free = self._keys[slots] < 0
            self._keys[slots[free]] = keys[free]
            placed = self._keys[slots] == keys  # of those that met in one slot, one has it
            self._values[slots[placed]] = values[placed]
            keys, values, slots = keys[~placed], values[~placed], self._next(slots[~placed])

    def find(self, keys: Ints) -> Ints:
        """Return the value of each key, -1 for an unknown one."""
        slots = self._slots(keys)
        there = self._keys[slots]
        found = np.where(there == keys, self._values[slots], -1)
        waiting = np.flatnonzero((there != keys) & (there >= 0))
        slots = slots[waiting]
        while len(waiting):
            slots = self._next(slots)
            there, wanted = self._keys[slots], keys[waiting]
            match = there == wanted
            found[waiting[match]] = self._values[slots[match]]
            going = ~match & (there >= 0)
            waiting, slots = waiting[going], slots[going]
        return found

    def _slots(self, keys: Ints) -> Ints:
        return ((keys.astype(np.uint64) * _SPREAD) >> self._shift).astype(np.int64)

    def _next(self, slots: Ints) -> Ints:
        return (slots + 1) & self._last
