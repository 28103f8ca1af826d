"""Choose decision thresholds on dev, on probabilities that were calibrated without the row at hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task, decide
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import counts_of, f1, macro

FALLBACK = 0.5
_GRID = np.round(np.linspace(0.05, 0.95, 91), 2)
_SAMPLES = 200
# Stance: factors on equal thresholds, and what a factor's distance from one costs in macro-F1.
_FACTORS = np.round(np.exp(np.linspace(-0.7, 0.7, 15)), 3)
_SHRINKAGE = 0.02


def choose_thresholds(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    groups: tuple[str, ...],
    task: Task,
    *,
    min_positives: int,
    seed: int,
) -> tuple[float, ...]:
    """Return one threshold per label, between 0 and 1.

    Topics: the peak of the F1 curve averaged over resamples of event clusters, which wanders less on a small
    dev set than the peak of the one curve; 0.5 for a label with fewer than `min_positives` positives.
    Stance: weights of the classes (the decision is the largest p / threshold), by coordinate ascent on the
    same averaged macro-F1, shrunk toward equal; equal ones where any class has too few positives.

    Args:
        probabilities: cross-fitted, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN, same shape.
        groups: event cluster of each row.
        task: see above.
        min_positives: labels with fewer keep the fallback.
        seed: of the resampling.
    """
    n_labels = truth.shape[1]
    enough = (truth == 1).sum(axis=0) >= max(1, min_positives)
    equal = np.full(n_labels, 1 / n_labels)
    if not enough.any() or (task == "stance" and not enough.all()):
        return (FALLBACK,) * n_labels if task == "topics" else tuple(equal.tolist())
    group_of = group_numbers(groups)
    weights = resample_weights(int(group_of.max()) + 1, _SAMPLES, seed)
    if task == "stance":
        return _ascend(probabilities, truth, group_of, weights, equal)
    return tuple(
        _peak(probabilities[:, i], truth[:, i], group_of, weights) if enough[i] else FALLBACK
        for i in range(n_labels)
    )


def _peak(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.float32],
    group_of: NDArray[np.intp],
    weights: NDArray[np.float64],
) -> float:
    decided = probabilities[:, None] >= _GRID[None, :].astype(np.float32)
    curve = np.nanmean(f1(_resampled(counts_of(truth[:, None], decided), group_of, weights)), axis=0)
    best = np.flatnonzero(curve >= curve.max() - 1e-9)
    return float(_GRID[best[len(best) // 2]])


def _ascend(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    group_of: NDArray[np.intp],
    weights: NDArray[np.float64],
    equal: NDArray[np.float64],
) -> tuple[float, ...]:
    def score(factors: NDArray[np.float64]) -> float:
        decided = decide(probabilities, (equal * factors).astype(np.float32), "stance")
        found = np.nanmean(macro(_resampled(counts_of(truth, decided), group_of, weights)))
        return float(found) - _SHRINKAGE * float(np.mean(np.log(factors) ** 2))

    factors = np.ones(len(equal))
    best = score(factors)
    for _ in range(2):
        for label in range(len(equal)):
            for factor in _FACTORS:
                tried = factors.copy()
                tried[label] = factor
                if (found := score(tried)) > best:
                    best, factors = found, tried
    return tuple(np.clip(equal * factors, 1e-3, 0.999).round(6).tolist())


def _resampled(
    counts: NDArray[np.bool_], group_of: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum counts [n_rows, ..., 3] by group and weigh the groups: [n_resamples, ..., 3]."""
    return np.tensordot(weights, sum_by_group(counts, group_of), axes=1)
