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


class Question(NamedTuple):
    """What a calibration figure asks: did it hold, and with what confidence was it said? One per row."""

    holds: NDArray[np.bool_]
    confidence: Column


def reliability_bins(holds: NDArray[np.bool_], confidence: Column, bins: int) -> Bins:
    """Cut rows into at most so many bins of equal mass by confidence; equal confidences share a bin.

    So the order of the rows cannot matter, and a model that says one figure for all rows is judged on that
    figure.
    """
    below = np.searchsorted(np.sort(confidence), confidence, side="left")
    bin_of = np.unique(below * bins // max(1, len(confidence)), return_inverse=True)[1]
    rows = np.bincount(bin_of)
    return Bins(
        np.bincount(bin_of, weights=confidence) / rows, np.bincount(bin_of, weights=holds) / rows, rows
    )


def expected_calibration_error(
    truth: NDArray[np.float32], probabilities: Probabilities, task: Task, bins: int = 10
) -> float:
    """Return the mean gap of confidence and frequency over bins of equal mass, weighted by rows.

    After Naeini et al., 2015, with equal-mass bins (Nguyen and O'Connor, 2015). Topics: the binary ECE of
    each label's labelled cells, averaged over labels. Stance: confidence is that of the likeliest label. Rows
    without any label count nowhere; 0 when there is no other.
    """
    asked = [question for question in questions(truth, probabilities, task) if len(question.holds)]
    return float(np.mean([_gap(*question, bins) for question in asked])) if asked else 0.0


def brier_score(truth: NDArray[np.float32], probabilities: Probabilities, task: Task) -> float:
    """Return the mean squared error (Brier, 1950): over labelled cells (topics), summed over labels (stance).

    So a topic's ranges from 0 to 1 and a stance's from 0 to 2.
    """
    squared = np.square(probabilities.astype(np.float64) - truth)
    scores = squared[~np.isnan(squared)] if task == "topics" else squared[labelled_rows(truth)].sum(axis=1)
    return float(scores.mean()) if len(scores) else 0.0


def questions(truth: NDArray[np.float32], probabilities: Probabilities, task: Task) -> list[Question]:
    """Return the question of each label on its labelled rows (topics), or the one about the likeliest."""
    said = probabilities.astype(np.float64)
    if task == "stance":
        known = labelled_rows(truth)
        best = said[known].argmax(axis=1)
        rows = np.arange(len(best))
        return [Question(truth[known][rows, best] == 1, said[known][rows, best])]
    columns = [~np.isnan(truth[:, i]) for i in range(truth.shape[1])]
    return [Question(truth[known, i] == 1, said[known, i]) for i, known in enumerate(columns)]


def labelled_rows(truth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which rows have no NaN: those whose stance is known."""
    return np.asarray(~np.isnan(truth).any(axis=1))


def _gap(holds: NDArray[np.bool_], confidence: Column, bins: int) -> float:
    found = reliability_bins(holds, confidence, bins)
    return float(np.average(np.abs(found.confidence - found.accuracy), weights=found.rows))
