"""Resampling of whole event clusters: articles of one event are not independent witnesses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def group_numbers(groups: Sequence[str]) -> NDArray[np.intp]:
    """Number each row's group: 0 to n_groups - 1, in the order of the sorted names."""
    return np.unique(np.asarray(groups, dtype=object), return_inverse=True)[1].astype(np.intp)


def resample_weights(n_groups: int, samples: int, seed: int) -> NDArray[np.float64]:
    """Return how often each resample draws each group: float64 [samples, n_groups], rows sum to n_groups.

    The cluster bootstrap: groups are drawn with replacement, and all rows of a group come along (Field and
    Welsh, "Bootstrapping clustered data", 2007). Drawn as multinomial counts, so a resample is one product.
    """
    draws = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=samples)
    return draws.astype(np.float64)


def sum_by_group(values: NDArray[np.bool_], group_of: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sum [n_rows, ...] over the rows of each group: float64 [n_groups, ...].

    Args:
        values: what to count; at least one row.
        group_of: from `group_numbers`, so that no group is empty.
    """
    order = np.argsort(group_of, kind="stable")
    starts = np.flatnonzero(np.diff(group_of[order], prepend=-1))
    return np.add.reduceat(values[order], starts, axis=0, dtype=np.float64)
