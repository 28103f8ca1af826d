"""Where sentences name the targets that are asked about, and which words lead there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stancewire.features.base import Ints, ranges
from stancewire.features.sentence import Sentences

_LEAD = 6  # words before the target that are read as leading to it


class Names(NamedTuple):
    """Which keys each target has.

    Attributes:
        codes: target times width plus key, sorted.
        width: one more than the highest number of a key.
    """

    codes: Ints
    width: int

    def holds(self, target: Ints, keys: Ints) -> NDArray[np.bool_]:
        """Tell for each pair of a target and a key, or 0 for none, whether the target has the key."""
        found = keys > 0
        asked = np.flatnonzero(found)
        codes = target[asked] * self.width + keys[asked]
        # Without the last code, what is greater than all is found at the last, and not behind it.
        found[asked] = self.codes[np.searchsorted(self.codes[:-1], codes)] == codes
        return found


@dataclass(frozen=True)
class Mentions:
    """The words that name the target of each row in its sentence.

    Attributes:
        read: the sentences.
        sentence: of each row, which one.
        rows: of each word of each row, the row.
        places: of each word, its place among the words of all sentences.
        hit: of each word, whether it names the target.
        named: of each row, how many keys of the target are named.
    """

    read: Sentences
    sentence: Ints
    rows: Ints
    places: Ints
    hit: NDArray[np.bool_]
    named: Ints

    @classmethod
    def find(cls, read: Sentences, sentence: Ints, names: Names, target: Ints) -> Mentions:
        """Find them.

        Args:
            read: the sentences.
            sentence: of each row, which one.
            names: which keys each target has.
            target: of each row, which one.
        """
        lengths = read.lengths[sentence]
        places = ranges(read.starts[sentence], lengths)
        rows = np.repeat(np.arange(len(sentence)), lengths)
        keys = read.keys[places]
        hit = names.holds(target[rows], keys)
        different = np.unique(rows[hit] * names.width + keys[hit])
        named = np.bincount(different // names.width, minlength=len(sentence))
        return cls(read, sentence, rows, places, hit, named)

    @cached_property
    def found(self) -> NDArray[np.bool_]:
        """Which rows name their target."""
        return self.named > 0

    def masked(self, mark: int) -> tuple[Ints, Ints]:
        """Return the marked stems of the rows that name their target, and how many those are.

        Args:
            mark: what stands for each mention.
        """
        kept = self.found[self.rows]
        kept[1:] &= ~(self.hit[1:] & self.hit[:-1] & (self.rows[1:] == self.rows[:-1]))
        words = np.where(self.hit, mark, self.read.marked[self.places])[kept]
        return words, np.bincount(self.rows[kept], minlength=len(self.sentence))[self.found]

    def lead(self, behind: Ints) -> tuple[Ints, Ints]:
        """Return the last words before the target of the rows that name it, and how many those are.

        Args:
            behind: of these rows, where the holder ends; the target is looked for from there on, and from the
                start where it does not follow.
        """
        rows = np.flatnonzero(self.found)
        starts = self.read.starts[self.sentence[rows]]
        hits = np.flatnonzero(self.hit)
        which = np.searchsorted(rows, self.rows[hits])
        places = self.places[hits] - starts[which]
        first = places[np.unique(which, return_index=True)[1]]
        follows = places >= behind[which]
        later, at = np.unique(which[follows], return_index=True)
        first[later] = places[follows][at]
        begins = np.zeros_like(first)
        begins[later] = behind[later]
        begins = np.maximum(begins, first - _LEAD)
        return self.read.marked[ranges(starts + begins, first - begins)], first - begins


def end_of(phrase: Sequence[int], found: Sequence[int]) -> int:
    """Return where a phrase ends that stands among words, or 0."""
    if phrase[0] not in found:
        return 0
    size = len(phrase)
    starts = (i for i, word in enumerate(found) if word == phrase[0])
    return next((i + size for i in starts if found[i : i + size] == phrase), 0)
