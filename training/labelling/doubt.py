"""How much a label would teach a model: its doubt, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Task
from stancewire.manifest import Manifest

Measure: TypeAlias = Literal["entropy", "margin"]
MEASURES: tuple[Measure, ...] = ("margin", "entropy")
Scores: TypeAlias = NDArray[np.float64]

# A margin of less than this to the other side is a doubt: 0.35 to 0.65 where the threshold is 0.5.
DOUBTFUL = 0.7
_TINY = 1e-9


def weigh(probabilities: NDArray[np.float32], thresholds: NDArray[np.float32], task: Task) -> Scores:
    """Return probabilities as a decision sees them, float64 [n_rows, n_labels].

    Topics: each is stretched so that its threshold is at 0.5. Stance: p / threshold, as shares of the row.
    """
    p, t = probabilities.astype(np.float64), thresholds.astype(np.float64)
    if task == "topics":
        below = 0.5 * p / np.maximum(t, _TINY)
        above = 0.5 + 0.5 * (p - t) / np.maximum(1 - t, _TINY)
        return np.clip(np.where(p < t, below, above), 0.0, 1.0)
    weights = p / t
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), _TINY))


def doubt(weighed: Scores, task: Task, measure: Measure) -> Scores:
    """Return the doubt of each row, from 0 (sure) to 1.

    Margin: how near the decision is to another one, for topics that of the most doubtful label. Entropy: for
    topics the mean over the labels, so that doubts on several labels add up.
    """
    if task == "topics":
        if measure == "margin":
            return np.asarray((1 - np.abs(2 * weighed - 1)).max(axis=1))
        return np.asarray((_bits(weighed) + _bits(1 - weighed)).mean(axis=1))
    if weighed.shape[1] == 1:
        return np.zeros(len(weighed))
    if measure == "margin":
        ordered = np.sort(weighed, axis=1)
        return np.asarray(1 - (ordered[:, -1] - ordered[:, -2]))
    return np.asarray(_bits(weighed).sum(axis=1) / np.log2(weighed.shape[1]))


def lack(probabilities: NDArray[np.float32], rarity: Scores) -> Scores:
    """Return what each row promises for rare labels, [n_rows, n_labels].

    The expected length of the gradient (Settles, Craven and Ray, 2008), p (1 - p) for each label, weighed by
    how rare the label is: a row that surely holds it teaches little of it, nor does one that surely does not.
    """
    p = probabilities.astype(np.float64)
    return np.asarray(4 * p * (1 - p) * rarity)


def rarity(counts: Mapping[str, float], labels: tuple[str, ...]) -> Scores:
    """Return the weight of each label, [n_labels]: 1 for the rarest, half for one twice as frequent."""
    found = np.maximum([counts[label] for label in labels], 1.0)
    return np.asarray(found.min() / found)


def training_counts(manifest: Manifest) -> dict[str, float] | None:
    """Estimate how many training rows held each label, or None where the manifest does not tell.

    It tells how many did on test; splits are balanced over labels, so that train has the same shares.
    """
    metrics: Any = manifest.metrics
    provenance: Any = manifest.provenance
    try:
        test = metrics["test"][manifest.family]
        scale = provenance["split"]["train"]["rows"] / test["n_rows"]
        return {label: float(test["labels"][label]["support"] * scale) for label in manifest.labels}
    except (KeyError, TypeError, ZeroDivisionError):
        return None


def _bits(shares: Scores) -> Scores:
    """Return -p log2 p, 0 for 0."""
    return np.asarray(-shares * np.log2(np.where(shares > 0, shares, 1.0)))
