"""What dev can vouch for: shares that hold with a stated confidence, not merely on the rows at hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

Figures = NDArray[np.float64]

# With which the true share is at least the bound; one-sided.
CONFIDENCE = 0.9


def lower_bound(right: Figures, of: Figures, right_resampled: Figures, of_resampled: Figures) -> Figures:
    """Return a lower confidence bound of each share right / of; 0 where there is nothing to share.

    The lower of two: the percentile over resampled event clusters, which knows that rows of one event go
    wrong together, and the exact binomial one (Clopper and Pearson, 1934), which knows that twenty right ones
    of twenty do not show that all are right.

    Args:
        right: counts, [...].
        of: counts, same shape, at least as large.
        right_resampled: counts of each resample, [n_resamples, ...].
        of_resampled: same shape.
    """
    # Resamples without any are none of this share's.
    shares = np.where(of_resampled > 0, right_resampled / np.maximum(of_resampled, 1), np.inf)
    found = (of_resampled > 0).sum(axis=0)
    position = np.maximum(np.ceil(found * (1 - CONFIDENCE)).astype(np.intp) - 1, 0)
    over_events = np.take_along_axis(np.sort(shares, axis=0), position[None], axis=0)[0]
    exact = beta.ppf(1 - CONFIDENCE, np.maximum(right, 1), of - right + 1)
    return np.where((right > 0) & (found > 0), np.minimum(over_events, exact), 0.0)
