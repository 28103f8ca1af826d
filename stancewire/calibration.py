"""Turn a model's raw probabilities into calibrated ones, and those into decisions.

Fitting lives in training; applying lives here, so that every engine decides alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Task = Literal["topics", "stance"]
Probabilities = NDArray[np.float32]

_TINY = 1e-7


@dataclass(frozen=True, slots=True)
class Calibration:
    """Per-label affine map of log-odds (topics) or of log-probabilities (stance).

    Topics: p' = sigmoid(slope_l * logit(p) + intercept_l), Platt scaling (Platt, 1999) per label.
    Stance: p' = softmax(slope_l * log(p_l) + intercept_l): temperature scaling (Guo et al., 2017) when all
    slopes are equal and all intercepts zero, vector scaling otherwise.

    Attributes:
        method: how it was fitted, for people: "none", "platt", "temperature" or "vector".
        slope: one finite positive factor per label.
        intercept: one finite shift per label.
    """

    method: str
    slope: tuple[float, ...]
    intercept: tuple[float, ...]

    @classmethod
    def identity(cls, n_labels: int) -> Calibration:
        """Return the map that changes nothing."""
        return cls("none", (1.0,) * n_labels, (0.0,) * n_labels)

    def apply(self, probabilities: Probabilities, task: Task) -> Probabilities:
        """Return calibrated probabilities, float32, same shape [n_rows, n_labels]."""
        if self.method == "none":
            return probabilities
        p = np.clip(probabilities.astype(np.float64), _TINY, 1.0 - _TINY)
        slope, intercept = np.asarray(self.slope), np.asarray(self.intercept)
        if task == "topics":
            # Beyond 700 e^-z overflows, and the answer is 0 or 1 long before.
            z = np.clip(slope * (np.log(p) - np.log1p(-p)) + intercept, -700.0, 700.0)
            return np.asarray(1.0 / (1.0 + np.exp(-z)), dtype=np.float32)
        z = slope * np.log(p) + intercept
        z -= z.max(axis=1, keepdims=True, initial=-np.inf)
        e = np.exp(z)
        return np.asarray(e / e.sum(axis=1, keepdims=True), dtype=np.float32)


def decide(probabilities: Probabilities, thresholds: NDArray[np.float32], task: Task) -> NDArray[np.bool_]:
    """Turn calibrated probabilities into decisions, bool [n_rows, n_labels].

    Topics: every label with p >= its threshold (possibly none). Stance: the one label with the largest
    p / threshold, ties to the first label; equal thresholds make that the plain argmax.
    """
    if task == "topics":
        return np.asarray(probabilities >= thresholds)
    decided = np.zeros(probabilities.shape, dtype=np.bool_)
    if len(probabilities):
        decided[np.arange(len(probabilities)), np.argmax(probabilities / thresholds, axis=1)] = True
    return decided
