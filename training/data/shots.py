"""A few rows of each label, from as many stories as there are: what learning from few labels starts with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Task


def few_rows(
    truth: NDArray[np.float32], groups: Sequence[str], task: Task, shots: int, *, seed: int
) -> NDArray[np.intp]:
    """Return the positions of so many rows of each label, sorted; all rows of a label that has no more.

    Topics: as many rows without any topic are added. A row that holds several topics counts for each, so the
    rarest topic is served first. Stories are spread: of one, a second row is taken only when every other that
    has the label gave one.

    Args:
        truth: float32 [n_rows, n_labels] of 1, 0 and NaN.
        groups: story of each row.
        task: of the rows.
        shots: rows of each label.
        seed: of the draw.
    """
    kinds = [np.flatnonzero(column == 1) for column in truth.T]
    if task == "topics":
        kinds.append(np.flatnonzero((truth == 0).all(axis=1)))
    generator = np.random.default_rng(seed)
    taken = np.zeros(len(truth), np.bool_)
    for kind in sorted(kinds, key=len):
        order = _spread(generator.permutation(kind), groups, taken)
        missing = shots - int(taken[kind].sum())
        taken[order[: max(0, missing)]] = True
    return np.flatnonzero(taken)


def _spread(rows: NDArray[np.intp], groups: Sequence[str], taken: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the rows that are not taken, those of stories with the fewest taken before them first."""
    counts: dict[str, int] = {}
    for row in rows[taken[rows]]:
        counts[groups[row]] = counts.get(groups[row], 0) + 1
    rest = rows[~taken[rows]]
    turns = []
    for row in rest:
        turns.append(counts.get(groups[row], 0))
        counts[groups[row]] = turns[-1] + 1
    return np.asarray(rest[np.argsort(np.asarray(turns, np.intp), kind="stable")], np.intp)
