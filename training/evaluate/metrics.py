"""Scores of decisions and probabilities against truth, with intervals over event clusters.

Truth is 1, 0 or NaN per cell; a NaN cell is not labelled and counts nowhere. F1 of a label without positives
in the data is undefined: it is None, left out of macro-F1, and said so in `warnings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.scoring import average_precision, counts_of, f1, macro
from stancewire.calibration import Probabilities, Task
from stancewire.errors import StancewireError
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.reliability import brier_score, expected_calibration_error
from training.evaluate.scores import CalibrationScores, Evaluation, Interval, LabelScores

__all__ = [
    "CalibrationScores",
    "Evaluation",
    "EvaluationError",
    "Interval",
    "LabelScores",
    "average_precision",
    "counts_of",
    "evaluate",
    "f1",
    "intervals",
    "macro",
    "rows_right",
]

Truth = NDArray[np.float32]
Decisions = NDArray[np.bool_]
Counts = NDArray[np.float64]
Spread = NDArray[np.float64]

# Under this many clusters the percentiles of resampled ones are too narrow to be believed.
_FEW_GROUPS = 10


class EvaluationError(StancewireError):
    """There is nothing to score."""


def evaluate(
    truth: Truth,
    probabilities: Probabilities,
    decisions: Decisions,
    *,
    labels: Sequence[str],
    task: Task,
    groups: Sequence[str],
    raw_probabilities: Probabilities | None = None,
    baselines: Mapping[str, Decisions] | None = None,
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
        baselines: decisions of others on the same rows by name, same shape: each gives a margin.
        samples: bootstrap resamples.
        confidence: of the intervals.
        bins: equal-mass bins of the ECE.
        seed: of the resampling; evaluations of the same rows with the same seed share their resamples.

    Raises:
        EvaluationError: if no row holds any label.
        ValueError: if shapes differ.
    """
    baselines = baselines or {}
    _check_shapes(truth, labels, groups, [probabilities, decisions, *baselines.values()], raw_probabilities)
    if not (truth == 1).any():
        raise EvaluationError(
            f"{task}: wanted rows to score, some with a label that holds, got {len(truth)} rows without; "
            "give this part of the data more rows"
        )
    group_of = group_numbers(groups)
    n_groups = int(group_of.max()) + 1
    weights = resample_weights(n_groups, samples, seed)
    interval = intervals(confidence)

    def count(decided: Decisions) -> tuple[Counts, Counts]:
        by_group = sum_by_group(counts_of(truth, decided), group_of)
        return by_group.sum(axis=0), np.tensordot(weights, by_group, axes=1)

    total, resampled = count(decisions)
    label_f1, label_spread = f1(total), f1(resampled)
    right = sum_by_group(rows_right(truth, decisions), group_of)
    return Evaluation(
        task=task,
        macro_f1=interval(macro(total), macro(resampled)),
        micro_f1=interval(f1(total.sum(axis=0)), f1(resampled.sum(axis=1))),
        exact_match=interval(_share(right.sum(axis=0)), _share(weights @ right)),
        labels={
            label: _label_scores(
                total[i],
                None if np.isnan(label_f1[i]) else interval(label_f1[i], label_spread[:, i]),
                average_precision(truth[:, i], probabilities[:, i]),
            )
            for i, label in enumerate(labels)
        },
        before=None if raw_probabilities is None else _calibration(truth, raw_probabilities, task, bins),
        after=_calibration(truth, probabilities, task, bins),
        n_rows=len(truth),
        n_groups=n_groups,
        confidence=confidence,
        warnings=_warnings(labels, label_f1, n_groups),
        margins={
            name: interval(macro(total) - macro(other), macro(resampled) - macro(others))
            for name, (other, others) in ((name, count(decided)) for name, decided in baselines.items())
        },
    )


def intervals(confidence: float) -> Callable[[NDArray[np.float64], Spread], Interval]:
    """Return what makes an interval of a figure and its resamples, but those where it is undefined."""
    tail = (1 - confidence) / 2

    def interval(value: NDArray[np.float64], spread: Spread) -> Interval:
        defined = spread[~np.isnan(spread)]
        low, high = np.quantile(defined, [tail, 1 - tail]) if len(defined) else (value, value)
        return Interval(float(value), float(low), float(high))

    return interval


def _check_shapes(
    truth: Truth,
    labels: Sequence[str],
    groups: Sequence[str],
    others: Sequence[NDArray[np.generic]],
    raw: Probabilities | None,
) -> None:
    wanted = (len(groups), len(labels))
    shapes = [array.shape for array in (truth, *others, *([] if raw is None else [raw]))]
    if any(shape != wanted for shape in shapes):
        raise ValueError(f"wanted {wanted} from groups and labels, got {shapes}")
    if not all(np.isfinite(p).all() for p in (others[0], *([] if raw is None else [raw]))):
        raise ValueError("wanted finite probabilities, got NaN or infinity")


def rows_right(truth: Truth, decisions: Decisions) -> NDArray[np.bool_]:
    """Tell which rows are right in every labelled cell, and which have one: bool [n_rows, 2]."""
    unknown = np.isnan(truth)
    labelled = ~unknown.all(axis=1)
    return np.stack([((truth == decisions) | unknown).all(axis=1) & labelled, labelled], axis=1)


def _share(counts: Counts) -> NDArray[np.float64]:
    right, labelled = counts[..., 0], counts[..., 1]
    return np.where(labelled > 0, right / np.maximum(labelled, 1), np.nan)


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


def _calibration(truth: Truth, probabilities: Probabilities, task: Task, bins: int) -> CalibrationScores:
    return CalibrationScores(
        expected_calibration_error(truth, probabilities, task, bins), brier_score(truth, probabilities, task)
    )


def _warnings(labels: Sequence[str], label_f1: NDArray[np.float64], n_groups: int) -> tuple[str, ...]:
    found = [
        f"{label}: no positives, so F1 is undefined and left out of macro-F1"
        for label, score in zip(labels, label_f1, strict=True)
        if np.isnan(score)
    ]
    if n_groups < _FEW_GROUPS:
        found.append(f"intervals over {n_groups} event clusters are too narrow to be believed")
    return tuple(found)
