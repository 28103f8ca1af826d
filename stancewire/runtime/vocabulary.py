"""Find the columns of the terms that runs of words stand for, without making a text of any pair."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, repeat

import numpy as np

from stancewire.features import Form, Runs
from stancewire.features.base import Ints, ranges
from stancewire.runtime.keytable import KeyTable


class Vocabulary:
    """The known terms of some blocks. Nothing in it changes: safe to ask from several threads.

    Words are numbered from 1 over all blocks, and 0 is an unknown one. The column of a term is its place
    among the terms of all blocks.

    Args:
        blocks: form and terms of each block, in the order of the columns.
    """

    def __init__(self, blocks: Sequence[tuple[Form, Sequence[str]]]) -> None:
        self._forms = [form for form, _ in blocks]
        self._are_alone = set(self._forms) <= {Form.ALONE}
        self._numbers: dict[str, int] = {}
        alone: list[tuple[int, int, int]] = []
        joined: list[tuple[int, int, int, int]] = []
        for block, (form, terms) in enumerate(blocks):
            for column, term in enumerate(terms, len(alone) + len(joined)):
                left, _, right = ("", "", term) if form is Form.ALONE else term.rpartition(" ")
                if left or form is Form.BEHIND:
                    joined.append((block, self._number(left), self._number(right), column))
                else:
                    alone.append((block, self._number(term), column))
        self._size = len(self._numbers) + 1
        self._alone = np.full(len(blocks) * self._size, -1, dtype=np.int32)
        places, words, columns = _columns(alone, 3)
        self._alone[places * self._size + words] = columns
        places, lefts, rights, columns = _columns(joined, 4)
        self._joined = KeyTable((places * self._size + lefts) * self._size + rights, columns)

    def find(self, found: Runs, blocks: Ints, cells: Ints) -> tuple[Ints, Ints]:
        """Find the known terms of cells; a cell is a run of words as one block reads it.

        Args:
            found: runs of words.
            blocks: the block of each cell, none before one of a lower block.
            cells: which of the runs each cell is.

        Returns:
            Cell and column of every known term, in no order; one that stands twice in a cell is there twice.
        """
        numbers = np.fromiter(map(self._numbers.get, found.lexicon, repeat(0)), np.int64, len(found.lexicon))
        lengths = found.lengths[cells]
        starts = (np.cumsum(found.lengths) - found.lengths)[cells]
        begins = np.cumsum(lengths) - lengths
        cell_of = np.repeat(np.arange(len(cells)), lengths)
        words = numbers[found.words[ranges(starts, lengths)]]
        rows = (blocks * self._size)[cell_of]
        alone = self._alone[rows + words]
        known = np.flatnonzero(alone >= 0)
        if self._are_alone:
            return cell_of[known], alone[known].astype(np.int64)
        lefts = self._lefts(words, blocks, begins, lengths)
        asked = np.flatnonzero((lefts > 0) & (words > 0))
        joined = self._joined.find((rows[asked] + lefts[asked]) * self._size + words[asked])
        joins = np.flatnonzero(joined >= 0)
        return (
            np.concatenate((cell_of[known], cell_of[asked[joins]])),
            np.concatenate((alone[known], joined[joins])),
        )

    def _lefts(self, words: Ints, blocks: Ints, begins: Ints, lengths: Ints) -> Ints:
        """Return what each word is joined with: the one before, the first of its cell, or 0 for nothing."""
        lefts = np.zeros_like(words)
        lefts[1:] = words[:-1]
        bounds = np.searchsorted(blocks, np.arange(len(self._forms) + 1)).tolist()
        ends = [*begins.tolist(), len(words)]
        for form, (first, last) in zip(self._forms, pairwise(bounds), strict=True):
            start, stop = ends[first], ends[last]
            if form is Form.ALONE:
                lefts[start:stop] = 0
            elif form is Form.BEHIND:
                heads = words[np.minimum(begins[first:last], len(words) - 1)]
                lefts[start:stop] = np.repeat(heads, lengths[first:last])
        lefts[begins[lengths > 0]] = 0
        return lefts

    def _number(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers) + 1)


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    """Return a list of rows of integers as one array for each column."""
    return np.asarray(rows, dtype=np.int64).reshape(-1, width).T
