"""Scores of decisions and probabilities against truth, with intervals over event clusters.

Truth is 1, 0 or NaN per cell; a NaN cell is not labelled and counts nowhere. F1 of a label without positives
in the data is undefined: it is None, left out of macro-F1, and said so in `warnings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task
from training.evaluate.bootstrap import resample_weights
from training.evaluate.reliability import brier_score, expected_calibration_error

Truth = NDArray[np.float32]
Decisions = NDArray[np.bool_]
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelScores:
    """One label's scores; None where the data cannot tell.

    Attributes:
        precision: share of right ones among the decided; None when none was decided.
        recall: share of found ones among the positives; None without positives.
        f1: their harmonic mean, with its interval; None without positives.
        average_precision: area under the precision-recall curve as a step sum; None without positives.
        support: labelled rows where the label holds.
        predicted: labelled rows where it was decided.
    """

    precision: float | None
    recall: float | None
    f1: Interval | None
    average_precision: float | None
    support: int
    predicted: int


@dataclass(frozen=True, slots=True)
class CalibrationScores:
    """How far probabilities are from frequencies: ECE (see reliability) and Brier score."""

    ece: float
    brier: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model's scores on one set of rows.

    Attributes:
        macro_f1: mean F1 over the labels that have positives.
        micro_f1: F1 of all cells pooled; for stance this is accuracy.
        exact_match: share of rows with every labelled cell right.
        labels: scores by label, in the model's order.
        before: calibration of the raw probabilities; None when they were not given.
        after: calibration of the calibrated probabilities.
        n_rows, n_groups: rows and event clusters judged.
        confidence: of every interval; they are percentiles over resampled event clusters.
        warnings: what the figures leave out.
    """

    task: Task
    macro_f1: Interval
    micro_f1: Interval
    exact_match: Interval
    labels: dict[str, LabelScores]
    before: CalibrationScores | None
    after: CalibrationScores
    n_rows: int
    n_groups: int
    confidence: float
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "warnings": list(self.warnings)}

    def flat_metrics(self, prefix: str) -> dict[str, float]:
        """Return finite figures under slash names: "test/macro_f1", "test/macro_f1_low", "test/f1/sanctions"."""
        flat: dict[str, float] = {}
        for name in ("macro_f1", "micro_f1", "exact_match"):
            interval: Interval = getattr(self, name)
            flat |= {
                f"{prefix}/{name}": interval.value,
                f"{prefix}/{name}_low": interval.low,
                f"{prefix}/{name}_high": interval.high,
            }
        for label, scores in self.labels.items():
            figures = {
                "f1": scores.f1.value if scores.f1 else None,
                "precision": scores.precision,
                "recall": scores.recall,
                "average_precision": scores.average_precision,
            }
            flat |= {f"{prefix}/{k}/{label}": v for k, v in figures.items() if v is not None}
        for when, figures_of in (("before", self.before), ("after", self.after)):
            if figures_of is not None:
                flat |= {f"{prefix}/ece_{when}": figures_of.ece, f"{prefix}/brier_{when}": figures_of.brier}
        return flat


def evaluate(
    truth: Truth,
    probabilities: Probabilities,
    decisions: Decisions,
    *,
    labels: Sequence[str],
    task: Task,
    groups: Sequence[str],
    raw_probabilities: Probabilities | None = None,
    samples: int = 1000,
    confidence: float = 0.95,
    bins: int = 10,
    seed: int = 0,
) -> Evaluation:
    """Score decisions and probabilities.

    Args:
        truth: float32 [n_rows, n_labels] of 1, 0 or NaN.
        probabilities: calibrated, float32, same shape.
        decisions: bool, same shape.
        labels: column names.
        task: "topics" or "stance".
        groups: event cluster of each row: what the bootstrap resamples.
        raw_probabilities: before calibration, same shape.
        samples: bootstrap resamples.
        confidence: of the intervals.
        bins: equal-mass bins of the ECE.
        seed: of the resampling.

    Raises:
        ValueError: if there is no row, or shapes differ.
    """
    if not len(truth) or truth.shape != probabilities.shape or truth.shape != decisions.shape:
        raise ValueError(
            f"wanted equal shapes with rows, got {truth.shape}, {probabilities.shape}, {decisions.shape}"
        )
    group_of = np.unique(np.asarray(groups), return_inverse=True)[1]
    n_groups = int(group_of.max()) + 1
    counts = _counts(truth, decisions)
    by_group = np.zeros((n_groups, *counts.shape[1:]))
    np.add.at(by_group, group_of, counts)
    right = np.stack([_rows_right(truth, decisions), np.ones(len(truth))], axis=1)
    right_by_group = np.zeros((n_groups, 2))
    np.add.at(right_by_group, group_of, right)
    weights = resample_weights(n_groups, samples, seed)
    resampled = np.tensordot(weights, by_group, axes=1)
    tail = (1 - confidence) / 2

    def interval(value: float, spread: NDArray[np.float64]) -> Interval:
        finite = spread[np.isfinite(spread)]
        low, high = np.quantile(finite, [tail, 1 - tail]) if len(finite) else (value, value)
        return Interval(value, float(low), float(high))

    total = by_group.sum(axis=0)
    label_f1, label_spread = f1(total), f1(resampled)
    exact = np.divide(*(weights @ right_by_group).T)
    return Evaluation(
        task=task,
        macro_f1=interval(_mean(label_f1), np.array([_mean(row) for row in label_spread])),
        micro_f1=interval(float(f1(total.sum(axis=0))), f1(resampled.sum(axis=1))),
        exact_match=interval(float(right[:, 0].mean()), exact),
        labels={
            label: _label_scores(
                total[i],
                None if np.isnan(label_f1[i]) else interval(float(label_f1[i]), label_spread[:, i]),
                average_precision(truth[:, i], probabilities[:, i]),
            )
            for i, label in enumerate(labels)
        },
        before=_calibration(truth, raw_probabilities, task, bins),
        after=_calibration(truth, probabilities, task, bins) or CalibrationScores(0.0, 0.0),
        n_rows=len(truth),
        n_groups=n_groups,
        confidence=confidence,
        warnings=tuple(
            f"{label}: no positives, so F1 is undefined and left out of macro-F1"
            for i, label in enumerate(labels)
            if np.isnan(label_f1[i])
        ),
    )


def f1(counts: Counts) -> NDArray[np.float64]:
    """Return F1 from [..., 3] counts of true positives, false positives, false negatives; NaN without truth."""
    hit, wrong, missed = counts[..., 0], counts[..., 1], counts[..., 2]
    score = np.divide(
        2 * hit, 2 * hit + wrong + missed, out=np.zeros_like(hit), where=hit + wrong + missed > 0
    )
    return np.where(hit + missed > 0, score, np.nan)


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


def _counts(truth: Truth, decisions: Decisions) -> Counts:
    """Return [n_rows, n_labels, 3] of true positives, false positives and false negatives."""
    holds, fails = truth == 1, truth == 0
    return np.stack([holds & decisions, fails & decisions, holds & ~decisions], axis=-1).astype(np.float64)


def _rows_right(truth: Truth, decisions: Decisions) -> NDArray[np.float64]:
    right: NDArray[np.bool_] = ((truth == decisions) | np.isnan(truth)).all(axis=1)
    return right.astype(np.float64)


def _mean(scores: NDArray[np.float64]) -> float:
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else 0.0


def _label_scores(counts: Counts, score: Interval | None, ap: float | None) -> LabelScores:
    hit, wrong, missed = (int(count) for count in counts)
    return LabelScores(
        precision=hit / (hit + wrong) if hit + wrong else None,
        recall=hit / (hit + missed) if hit + missed else None,
        f1=score,
        average_precision=ap,
        support=hit + missed,
        predicted=hit + wrong,
    )


def _calibration(
    truth: Truth, probabilities: Probabilities | None, task: Task, bins: int
) -> CalibrationScores | None:
    if probabilities is None:
        return None
    return CalibrationScores(
        expected_calibration_error(truth, probabilities, task, bins), brier_score(truth, probabilities, task)
    )
