"""Which rows meet in a step, and how alike they are to be: drawn step by step, never all pairs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from models.encoder.batches import random
from models.encoder.tokens import Index
from stancewire.calibration import Task

_KINDS, _ROWS = range(2)
_FEWEST = 2  # rows of a kind: fewer have nobody to be alike


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike every two rows of a step are to be.

    Attributes:
        alike: float32 [n_rows, n_rows], from 0 to 1.
        known: float32, same shape: 1 where the labels tell, else 0; 0 for a row and itself.
    """

    alike: NDArray[np.float32]
    known: NDArray[np.float32]


class Pairs:
    """The rows of every step, with the labels in balance.

    Rows of one kind have a label in common, or have none; each kind gives equally many rows to a step, its
    own rows in turn. What is kept is a few numbers a row.

    Args:
        rows: to draw from.
        batch_size: rows of a step, at most: a row that two kinds give counts once.
        seed: of the draws.
    """

    def __init__(self, rows: LabelledSet, batch_size: int, seed: int) -> None:
        holds = rows.truth == 1
        kinds = [np.flatnonzero(column) for column in holds.T]
        if rows.task == "topics":
            # A row with an unlabelled topic may hold it, so it is not known to be without any.
            kinds.append(np.flatnonzero((rows.truth == 0).all(axis=1)))
        self._kinds = [kind for kind in kinds if len(kind)]
        self._size, self._seed = batch_size, seed

    def step(self, number: int) -> Index:
        """Return the rows of step 0, 1, …: the same whenever it is asked for."""
        most = self._size // _FEWEST
        chosen = np.arange(len(self._kinds))
        if len(chosen) > most:
            chosen = np.sort(random(self._seed, _KINDS, number).permutation(len(chosen))[:most])
        quota = self._size // len(chosen)
        drawn = [self._in_turn(kind, number * quota, quota) for kind in chosen.tolist()]
        return np.unique(np.concatenate(drawn))

    def _in_turn(self, kind: int, start: int, count: int) -> Index:
        """Return some rows of the endless series of a kind: all of its rows in some order, and again."""
        rows = self._kinds[kind]
        if count >= len(rows):
            return rows
        first, last = start // len(rows), (start + count - 1) // len(rows)
        passes = [random(self._seed, _ROWS, kind, turn).permutation(rows) for turn in range(first, last + 1)]
        offset = start - first * len(rows)
        return np.concatenate(passes)[offset : offset + count]


def likeness(truth: NDArray[np.float32], task: Task) -> Likeness:
    """Return how alike rows are to be.

    Stance: alike are rows of one label. Topics: the share of the topics of either that both hold; topics that
    are not labelled in both do not count, and two rows without any topic are not known to be alike.

    Args:
        truth: float32 [n_rows, n_labels] of 1, 0 and NaN.
        task: of the rows.
    """
    holds = (truth == 1).astype(np.float32)
    if task == "stance":
        alike, known = holds @ holds.T, np.ones((len(truth), len(truth)), np.float32)
    else:
        labelled = (~np.isnan(truth)).astype(np.float32)
        both = holds @ holds.T
        # Of one row's topics, those that are labelled in the other; what both hold was counted twice.
        either = holds @ labelled.T + labelled @ holds.T - both
        alike = both / np.maximum(either, 1)
        known = (either > 0).astype(np.float32)
    np.fill_diagonal(known, 0)
    return Likeness(alike, known)
