"""Resampling of whole event clusters: articles of one event are not independent witnesses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resample_weights(n_groups: int, samples: int, seed: int) -> NDArray[np.float64]:
    """Return how often each resample draws each group: float64 [samples, n_groups], rows sum to n_groups.

    The cluster bootstrap: groups are drawn with replacement, and all rows of a group come along (Field and
    Welsh, "Bootstrapping clustered data", 2007). Drawn as multinomial counts, so a resample is one product.
    """
    draws = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=samples)
    return draws.astype(np.float64)
