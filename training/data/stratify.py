"""Share whole groups out so that every part gets its share of every label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Many groups come out even in any order; few deserve several.
_ORDERS, _GROUPS_IN_ALL = 24, 20_000
_PASSES = 10


def assign(counts: NDArray[np.float64], shares: Sequence[float], *, seed: int) -> NDArray[np.intp]:
    """Return the part of each group.

    Iterative stratification (Sechidis et al., 2011), for groups: the largest first, each to the part that
    lacks most of what it has. Groups of about one size are tried in several orders; the best one stays.

    Args:
        counts: [n_groups, n_counts], of rows and of each label in each group.
        shares: what each part should have of every count; they sum to 1.
        seed: of the orders.
    """
    totals = counts.sum(axis=0)
    relative = counts[:, totals > 0] / totals[totals > 0]
    wanted = np.asarray(shares, np.float64)[:, None]
    rng = np.random.default_rng(seed)
    size = relative.sum(axis=1)
    best, best_error = np.zeros(len(counts), np.intp), np.inf
    for _ in range(max(1, min(_ORDERS, _GROUPS_IN_ALL // max(1, len(counts))))):
        order = np.argsort(-size * rng.uniform(0.7, 1.3, len(size)), kind="stable")
        parts, error = _greedy(relative, wanted, order)
        if error < best_error:
            best, best_error = parts, error
    _fill(relative, best, len(wanted))
    return best


def _greedy(
    relative: NDArray[np.float64], wanted: NDArray[np.float64], order: NDArray[np.intp]
) -> tuple[NDArray[np.intp], float]:
    missing = np.repeat(wanted, relative.shape[1], axis=1)
    parts = np.zeros(len(relative), np.intp)
    for group in order:
        # What giving the group to a part takes off its squared error, up to a term that is equal for all.
        parts[group] = part = int(np.argmax(missing @ relative[group]))
        missing[part] -= relative[group]
    _polish(relative, missing, parts)
    return parts, float(np.square(missing).sum())


def _polish(relative: NDArray[np.float64], missing: NDArray[np.float64], parts: NDArray[np.intp]) -> None:
    """Move single groups, in place, while that lowers the error."""
    for _ in range(_PASSES):
        moved = False
        for group, counts in enumerate(relative):
            here = parts[group]
            missing[here] += counts
            there = int(np.argmax(missing @ counts))
            missing[there] -= counts
            moved |= there != here
            parts[group] = there
        if not moved:
            return


def _fill(relative: NDArray[np.float64], parts: NDArray[np.intp], n_parts: int) -> None:
    """Give each part a group of every label, in place, where there are enough: few can be judged at least."""
    for column in np.argsort((relative > 0).sum(axis=0), kind="stable"):
        having = np.flatnonzero(relative[:, column] > 0)
        for part in range(n_parts):
            n_groups = np.bincount(parts[having], minlength=n_parts)
            if n_groups[part] or len(having) < n_parts:
                continue
            spare = having[parts[having] == np.argmax(n_groups)]
            parts[spare[np.argmin(relative[spare].sum(axis=1))]] = part
