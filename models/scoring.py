"""Counts of right and wrong decisions, and what is made of them, wherever a model is scored.

Truth is 1, 0 or NaN per cell; a NaN cell is not labelled and counts nowhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.float32]
Counts = NDArray[np.float64]


def counts_of(truth: Truth, decisions: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell true positives, false positives and false negatives of each cell: bool [..., 3]."""
    holds, fails = truth == 1, truth == 0
    return np.stack([holds & decisions, fails & decisions, holds & ~decisions], axis=-1)


def f1(counts: Counts) -> NDArray[np.float64]:
    """Return F1 of [..., 3] counts of true positives, false positives, false negatives; NaN without truth."""
    hit, wrong, missed = counts[..., 0], counts[..., 1], counts[..., 2]
    # Without positives the denominator may be 0 too; np.where then takes NaN.
    score = 2 * hit / np.maximum(2 * hit + wrong + missed, 1e-300)
    return np.where(hit + missed > 0, score, np.nan)


def macro(counts: Counts) -> NDArray[np.float64]:
    """Return the mean F1 over labels with positives: [...] of [..., n_labels, 3] counts; NaN without any."""
    scores = f1(counts)
    defined = ~np.isnan(scores)
    n_defined = defined.sum(axis=-1)
    mean = np.where(defined, scores, 0).sum(axis=-1) / np.maximum(n_defined, 1)
    return np.where(n_defined > 0, mean, np.nan)


def average_precision(truth: NDArray[np.float32], probabilities: NDArray[np.float32]) -> float | None:
    """Return the step sum of precision over recall; None without positives.

    NaN cells are left out, rows of equal probability are taken together, as scikit-learn does.
    """
    known = ~np.isnan(truth)
    y, p = truth[known] == 1, probabilities[known]
    if not y.any():
        return None
    order = np.argsort(-p, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    hits = np.cumsum(y[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    return float(np.sum(np.diff(hits, prepend=0) / y.sum() * precision))
