"""Are the probabilities true? Expected calibration error and Brier score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task

Column = NDArray[np.float64]


class Bins(NamedTuple):
    """Points of a reliability diagram: mean confidence, share of right ones, rows, one per bin."""

    confidence: Column
    accuracy: Column
    rows: NDArray[np.int64]


def reliability_bins(holds: NDArray[np.bool_], confidence: Column, bins: int) -> Bins:
    """Cut rows into bins of equal mass by confidence."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return Bins(
        np.array([confidence[part].mean() for part in parts]),
        np.array([holds[part].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )


def expected_calibration_error(
    truth: NDArray[np.float32], probabilities: Probabilities, task: Task, bins: int = 10
) -> float:
    """Return the mean gap of confidence and frequency over bins of equal mass, weighted by rows.

    After Naeini et al., 2015, with equal-mass bins (Nguyen and O'Connor, 2015). Topics: the binary ECE of
    each label's labelled cells, averaged over labels. Stance: confidence is that of the likeliest label.
    """
    gaps = [_gap(holds, confidence, bins) for holds, confidence in questions(truth, probabilities, task)]
    return float(np.mean(gaps)) if gaps else 0.0


def brier_score(truth: NDArray[np.float32], probabilities: Probabilities, task: Task) -> float:
    """Return the mean squared error (Brier, 1950): over labelled cells (topics), summed over labels (stance).

    Stance takes the original sum over labels, from 0 to 2; a topic's cell ranges from 0 to 1.
    """
    known = ~np.isnan(truth)
    squared = np.square(probabilities - truth, where=known, out=np.zeros(truth.shape))
    if task == "topics":
        return float(squared.sum() / max(1, known.sum()))
    return float(squared.sum(axis=1).mean())


def questions(
    truth: NDArray[np.float32], probabilities: Probabilities, task: Task
) -> list[tuple[NDArray[np.bool_], Column]]:
    """Return what each calibration figure asks: did it hold, and with what confidence was it said?"""
    if task == "stance":
        best = probabilities.argmax(axis=1)
        rows = np.arange(len(best))
        return [(truth[rows, best] == 1, probabilities[rows, best].astype(np.float64))]
    known = ~np.isnan(truth)
    return [
        (truth[known[:, i], i] == 1, probabilities[known[:, i], i].astype(np.float64))
        for i in range(truth.shape[1])
        if known[:, i].any()
    ]


def _gap(holds: NDArray[np.bool_], confidence: Column, bins: int) -> float:
    found = reliability_bins(holds, confidence, bins)
    return float(np.average(np.abs(found.confidence - found.accuracy), weights=found.rows))
