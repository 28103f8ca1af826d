"""Scores of slices, and of labels on slices, each with its interval: where a model is weak.

The order is by the upper end of the interval: first what is bad even at its best, so that a slice of a few
rows does not come first by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities
from training.config_sections import EvaluationConfig
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import counts_of, f1, macro
from training.report.answers import Answers
from training.report.slices import Slice

# Under these, an interval over stories says nothing.
MIN_ROWS, MIN_STORIES = 10, 5

Estimate = dict[str, float]
_Floats = NDArray[np.float64]


class Resampled:
    """Rows of answers with one set of resamples over stories, which all slices share.

    Attributes:
        every: counts of all rows, as `counts` returns them.
    """

    def __init__(self, answers: Answers, settings: EvaluationConfig, seed: int) -> None:
        self._counts = counts_of(answers.rows.truth, answers.decisions)
        self._group_of = group_numbers(answers.rows.groups)
        self._weights = resample_weights(int(self._group_of.max()) + 1, settings.samples, seed)
        self.every = self.counts(np.ones(len(answers.rows), np.bool_))
        self._tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]

    def counts(self, rows: NDArray[np.bool_]) -> tuple[_Floats, _Floats]:
        """Return counts of some rows, [n_labels, 3] and [n_resamples, n_labels, 3]."""
        by_group = sum_by_group(self._counts & rows[:, None, None], self._group_of)
        present = np.unique(self._group_of[rows])
        spread = np.tensordot(self._weights[:, present], by_group[present], axes=1)
        return by_group.sum(axis=0), spread

    def stories(self, rows: NDArray[np.bool_]) -> int:
        """Return how many stories some rows are of."""
        return len(np.unique(self._group_of[rows]))

    def estimate(self, value: float, spread: _Floats) -> Estimate | None:
        """Return a figure with its interval; None where it is undefined."""
        defined = spread[~np.isnan(spread)]
        if np.isnan(value) or not len(defined):
            return None
        low, high = np.quantile(defined, self._tails)
        return {"value": float(value), "low": float(low), "high": float(high)}


def score_slices(answers: Answers, slices: Sequence[Slice], resampled: Resampled) -> list[dict[str, Any]]:
    """Return the scores of every slice, the worst first, those of too few rows or stories last, unscored."""
    found = [_score(answers, one, resampled) for one in slices]
    return sorted(found, key=_worst_first)


def weak_spots(slices: Sequence[dict[str, Any]], overall: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """Return every label on every slice where it is weaker than on all rows, the weakest first.

    Args:
        slices: scored.
        overall: F1 of each label on all rows, None where it is undefined.
    """
    spots = [
        {"label": label, "dimension": one["dimension"], "value": one["value"], **one["labels"][label]}
        for one in slices
        for label, whole in overall.items()
        if whole is not None and one["labels"][label]["f1"] is not None
    ]
    spots = [spot for spot in spots if spot["f1"]["value"] < (overall[spot["label"]] or 0.0)]
    return sorted(
        spots, key=lambda spot: (spot["f1"]["high"], spot["label"], spot["dimension"], spot["value"])
    )


def _score(answers: Answers, one: Slice, resampled: Resampled) -> dict[str, Any]:
    rows = one.rows
    n_rows, n_stories = int(rows.sum()), resampled.stories(rows)
    enough = n_rows >= MIN_ROWS and n_stories >= MIN_STORIES
    here, spread = resampled.counts(rows)
    there, others = (whole - part for whole, part in zip(resampled.every, (here, spread), strict=True))
    score = resampled.estimate(float(macro(here)), macro(spread)) if enough else None
    rest = resampled.estimate(float(macro(here) - macro(there)), macro(spread) - macro(others))
    label_f1, label_spread = f1(here), f1(spread)
    labels = {}
    for column, label in enumerate(answers.rows.labels):
        holds = rows & (answers.rows.truth[:, column] == 1)
        support = int(holds.sum())
        known = enough and support >= MIN_ROWS and resampled.stories(holds) >= MIN_STORIES
        found = resampled.estimate(float(label_f1[column]), label_spread[:, column]) if known else None
        labels[label] = {"support": support, "f1": found}
    return {
        "dimension": one.dimension,
        "value": one.value,
        "rows": n_rows,
        "stories": n_stories,
        "enough": enough,
        "macro_f1": score,
        "over_rest": rest if score is not None else None,
        "all_right": float(answers.right[rows].mean()) if enough else None,
        "labels": labels,
    }


def _worst_first(one: dict[str, Any]) -> tuple[int, float, str, str]:
    score = one["macro_f1"]
    kind = 0 if score is not None else 1 if one["enough"] else 2
    return (kind, score["high"] if score is not None else 0.0, one["dimension"], one["value"])


def confidences(probabilities: Probabilities, decisions: NDArray[np.bool_], stance: bool) -> _Floats:
    """Return how sure a model is of each cell that it decided: of "no" too (topics); else 0 (stance)."""
    said = probabilities.astype(np.float64)
    return np.where(decisions, said, 0.0 if stance else 1 - said)
