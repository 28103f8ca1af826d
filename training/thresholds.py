"""Choose decision thresholds on dev, on probabilities that were calibrated without the row at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task, decide
from stancewire.errors import InputError
from training.bounds import CONFIDENCE, lower_bound
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import counts_of, f1, macro

Measure: TypeAlias = Literal["f1", "precision", "recall"]

FALLBACK = 0.5
_GRID = np.round(np.linspace(0.05, 0.95, 91), 2)
_NEUTRAL = int(np.flatnonzero(_GRID == FALLBACK)[0])
# What a constraint asks for may lie further out.
_WIDE_GRID = np.round(np.linspace(0.01, 0.99, 99), 2)
_SAMPLES = 200
# Stance: factors on equal thresholds, and what a factor's distance from one costs in macro-F1.
_FACTORS = np.round(np.exp(np.linspace(-0.7, 0.7, 15)), 3)
_WIDE_FACTORS = np.round(np.exp(np.linspace(-2.1, 2.1, 31)), 3)
_SHRINKAGE = 0.1
_STANDARD_ERRORS = 2.0
# What a miss of a constraint costs, in macro-F1 for each unit: more than all else can gain.
_PENALTY = 10.0


class Objective(NamedTuple):
    """What a label's threshold is for: the best F1; or a precision, or recall, of at least so much.

    Under a constraint the other one of the two is made as good as can be.
    """

    measure: Measure = "f1"
    at_least: float = 0.0


class Chosen(NamedTuple):
    """One threshold per label, and what dev could not grant."""

    thresholds: tuple[float, ...]
    warnings: tuple[str, ...]


class _Dev(NamedTuple):
    probabilities: Probabilities
    truth: NDArray[np.float32]
    group_of: NDArray[np.intp]
    weights: NDArray[np.float64]

    def counts(self, decided: NDArray[np.bool_], truth: NDArray[np.float32]) -> _Counts:
        """Count right, wrong and missed ones of each column: in all, and in each resample of events."""
        by_group = sum_by_group(counts_of(truth, decided), self.group_of)
        return _Counts(by_group.sum(axis=0), np.tensordot(self.weights, by_group, axes=1))


class _Counts(NamedTuple):
    total: NDArray[np.float64]
    resampled: NDArray[np.float64]

    def value(self, measure: Measure) -> NDArray[np.float64]:
        """Return the measure of each column, averaged over resamples; 0 where nothing is decided."""
        if measure == "f1":
            return np.asarray(np.nanmean(f1(self.resampled), axis=0))
        right, of = _share(self.resampled, measure)
        return np.asarray((right / np.maximum(of, 1)).mean(axis=0))

    def bound(self, measure: Measure) -> NDArray[np.float64]:
        """Return what the measure of each column is at least; nobody asks it of F1, and it is 1."""
        if measure == "f1":
            return np.ones(len(self.total))
        return lower_bound(*_share(self.total, measure), *_share(self.resampled, measure))


def choose_thresholds(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    groups: tuple[str, ...],
    task: Task,
    *,
    labels: Sequence[str],
    objectives: Sequence[Objective],
    min_positives: int,
    seed: int,
) -> Chosen:
    """Return one threshold per label, between 0 and 1.

    Topics: the peak of the F1 curve averaged over resamples of event clusters, which wanders less on a small
    dev set than the peak of the one curve; 0.5 for a label with fewer than `min_positives` positives.
    Stance: weights of the classes (the decision is the largest p / threshold), by coordinate ascent on the
    same averaged macro-F1, shrunk toward equal; equal ones where any class has too few positives. Either
    moves, from 0.5 or from equal, only for a gain of more than twice its standard error.

    A precision or recall counts as held when its lower confidence bound does (see `bounds`). Of the
    thresholds that hold it the one with the best average of the other measure is taken; where none does, the
    one with the highest bound, with a warning.

    Args:
        probabilities: cross-fitted, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN, same shape.
        groups: event cluster of each row.
        task: see above.
        labels: column names, for warnings.
        objectives: one per label.
        min_positives: labels with fewer keep the fallback.
        seed: of the resampling.
    """
    n_labels = truth.shape[1]
    positives = (truth == 1).sum(axis=0)
    enough = positives >= max(1, min_positives)
    if task == "stance":
        enough = np.full(n_labels, enough.all())
    few = _too_few(labels, objectives, positives, enough)
    equal = np.full(n_labels, 1 / n_labels)
    if not enough.any():
        return Chosen((FALLBACK,) * n_labels if task == "topics" else tuple(equal.tolist()), few)
    group_of = group_numbers(groups)
    dev = _Dev(probabilities, truth, group_of, resample_weights(int(group_of.max()) + 1, _SAMPLES, seed))
    if task == "stance":
        thresholds, bounds = _ascend(dev, equal, objectives)
    else:
        found = [
            _best(dev, i, objective) if enough[i] else (FALLBACK, 1.0)
            for i, objective in enumerate(objectives)
        ]
        thresholds, bounds = zip(*found, strict=True)
    return Chosen(thresholds, few + _missed(labels, objectives, thresholds, bounds))


def _too_few(
    labels: Sequence[str],
    objectives: Sequence[Objective],
    positives: NDArray[np.intp],
    enough: NDArray[np.bool_],
) -> tuple[str, ...]:
    """Return a warning for each constrained label that dev has too few positives of."""
    return tuple(
        f"{label}: {positives[i]} positives on dev, too few (thresholds.min_positives) to hold a "
        f"{objective.measure} of {objective.at_least:g}; its threshold was not moved"
        for i, (label, objective) in enumerate(zip(labels, objectives, strict=True))
        if objective.measure != "f1" and not enough[i]
    )


def _missed(
    labels: Sequence[str],
    objectives: Sequence[Objective],
    thresholds: Sequence[float],
    bounds: Sequence[float],
) -> tuple[str, ...]:
    """Return a warning for each label whose constraint dev shows to hold nowhere."""
    return tuple(
        f"{label}: dev shows a {objective.measure} of {objective.at_least:g} at no threshold; the nearest, "
        f"{threshold:.2f}, holds {bound:.2f} ({CONFIDENCE:.0%} sure)"
        for label, objective, threshold, bound in zip(labels, objectives, thresholds, bounds, strict=True)
        if bound < objective.at_least
    )


def check_objectives(by_label: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse objectives of labels that there are not.

    Raises:
        InputError: naming the first of them.
    """
    for label in sorted(set(by_label) - set(labels)):
        close = get_close_matches(label, labels, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise InputError(
            f"thresholds.by_label: wanted labels of the data, {', '.join(labels)}, got {label!r}{meant}"
        )


def _best(dev: _Dev, label: int, objective: Objective) -> tuple[float, float]:
    """Return a topic's threshold, and the bound of what it must hold there."""
    grid = _GRID if objective.measure == "f1" else _WIDE_GRID
    decided = dev.probabilities[:, label, None] >= grid[None, :].astype(np.float32)
    counts = dev.counts(decided, dev.truth[:, label, None])
    bound = counts.bound(objective.measure)
    nearest = min(objective.at_least, bound.max())
    curve = np.where(bound >= nearest, counts.value(_gained(objective)), -1.0)
    best = np.flatnonzero(curve >= curve.max() - 1e-9)
    middle = best[len(best) // 2]
    if objective.measure == "f1" and not _pays(*f1(counts.resampled[:, [middle, _NEUTRAL]]).T):
        middle = _NEUTRAL
    return float(grid[middle]), float(bound[middle])


def _ascend(
    dev: _Dev, equal: NDArray[np.float64], objectives: Sequence[Objective]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the thresholds of all stances, and the bound of what each must hold with them."""
    constrained = any(objective.measure != "f1" for objective in objectives)
    steps = _WIDE_FACTORS if constrained else _FACTORS

    def each(figures: Callable[[Measure], NDArray[np.float64]], of: Sequence[Measure]) -> list[float]:
        """Return each stance's own measure; every measure is worked out once for all."""
        found = {measure: figures(measure) for measure in sorted(set(of))}
        return [float(found[measure][label]) for label, measure in enumerate(of)]

    def bounds(counts: _Counts) -> tuple[float, ...]:
        return tuple(each(counts.bound, [wanted.measure for wanted in objectives]))

    def score(factors: NDArray[np.float64]) -> float:
        counts = dev.counts(_decided(dev, equal * factors), dev.truth)
        cost = _SHRINKAGE * float(np.mean(np.log(factors) ** 2))
        if not constrained:
            return float(np.nanmean(macro(counts.resampled))) - cost
        values = each(counts.value, [_gained(wanted) for wanted in objectives])
        short = [max(0.0, o.at_least - bound) for o, bound in zip(objectives, bounds(counts), strict=True)]
        return float(np.mean(values)) - cost - _PENALTY * sum(short)

    factors = np.ones(len(equal))
    best = score(factors)
    for _ in range(2):
        for label in range(len(equal)):
            for factor in steps:
                tried = factors.copy()
                tried[label] = factor
                if (found := score(tried)) > best:
                    best, factors = found, tried
    if not constrained:
        moved, neutral = (
            macro(dev.counts(_decided(dev, t), dev.truth).resampled) for t in (equal * factors, equal)
        )
        factors = factors if _pays(moved, neutral) else np.ones(len(equal))
    thresholds = equal * factors
    # Only their ratios count.
    thresholds = np.clip(thresholds / max(1.0, thresholds.max() / 0.999), 1e-3, 0.999).round(6)
    held = bounds(dev.counts(_decided(dev, thresholds), dev.truth)) if constrained else (1.0,) * len(equal)
    return tuple(thresholds.tolist()), held


def _pays(moved: NDArray[np.float64], neutral: NDArray[np.float64]) -> bool:
    """Tell whether what moved thresholds gain is more than twice its standard error over resamples of events.

    The best of many thresholds always gains something on the rows that chose it. On the bundled corpus,
    taking whatever gains lost a point of macro-F1 on the half of dev's events that had not chosen.
    """
    gain = moved - neutral
    return bool(np.nanmean(gain) > _STANDARD_ERRORS * np.nanstd(gain))


def _decided(dev: _Dev, thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
    return decide(dev.probabilities, thresholds.astype(np.float32), "stance")


def _gained(objective: Objective) -> Measure:
    """Return what is made as good as can be."""
    other: dict[Measure, Measure] = {"f1": "f1", "precision": "recall", "recall": "precision"}
    return other[objective.measure]


def _share(counts: NDArray[np.float64], measure: Measure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two counts whose quotient is the precision or recall of [..., 3] counts."""
    right = counts[..., 0]
    return right, right + counts[..., 1 if measure == "precision" else 2]
