"""Choose on dev how probable a stance must be to stay possible: split conformal sets, calibrated by event."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities
from stancewire.doubt import Conformal
from training.evaluate.bootstrap import group_numbers
from training.evaluate.reliability import labelled_rows

# Sums of weights that differ by less are equal.
_EQUAL = 1e-12


class Chosen(NamedTuple):
    """The quantile, and what dev is too small for."""

    conformal: Conformal
    warnings: tuple[str, ...]


def choose_conformal(
    probabilities: Probabilities, truth: NDArray[np.float32], groups: tuple[str, ...], level: float
) -> Chosen:
    """Return the quantile with which the sets hold the true stance of a new event's row as often as asked.

    Split conformal prediction (Angelopoulos and Bates, "Conformal prediction: a gentle introduction", 2023).
    The score of a row is 1 minus the probability of its true stance (Sadinle, Lei and Wasserman, 2019); the
    adaptive scores of Romano, Sesia and Candes (2020) gave larger sets on dev for the same coverage.

    Rows of one event resemble each other, so rows are not exchangeable; events are. Each event therefore
    weighs 1 / (events + 1), shared by its rows, and the new event's own share stands at the worst score (Lee,
    Barber and Willett, "Distribution-free inference with hierarchical data", 2023). What is promised is hence
    the coverage of a row drawn from a new event, on average over events like those of dev: not of each event,
    nor of each stance, nor of events of another time or topic. Probabilities are cross-fitted, not of one
    fixed calibration, so that even this holds nearly and not exactly.

    Args:
        probabilities: cross-fitted, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN (left out), same shape.
        groups: event cluster of each row.
        level: share to hold.
    """
    known = labelled_rows(truth)
    scores = 1 - probabilities[known].astype(np.float64)[truth[known] == 1]
    kept = tuple(group for group, is_known in zip(groups, known.tolist(), strict=True) if is_known)
    group_of = group_numbers(kept)
    n_events = len(set(kept))
    weights = 1 / ((n_events + 1) * np.bincount(group_of)[group_of]) if kept else np.zeros(0)
    order = np.argsort(scores, kind="stable")
    at = int(np.searchsorted(np.cumsum(weights[order]), level - _EQUAL))
    if at < len(scores):
        return Chosen(Conformal(level, float(scores[order[at]])), ())
    return Chosen(
        Conformal(level, 1.0),
        (f"sets of stances: {n_events} events on dev are too few for {level:g}; each set holds all stances",),
    )
