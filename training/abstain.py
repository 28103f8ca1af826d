"""Choose on dev which decisions are for review: those that it does not show to be right often enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task
from stancewire.doubt import Abstention
from training.bounds import CONFIDENCE, lower_bound
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.reliability import labelled_rows

# Confidences up to which a decision may be for review; 1 stands for all.
_GRID = np.round(np.linspace(0.0, 0.99, 100), 2)
_SAMPLES = 200


class Chosen(NamedTuple):
    """Which decisions are for review, and what dev could not vouch for at all."""

    abstention: Abstention
    warnings: tuple[str, ...]


def choose_abstention(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    decisions: NDArray[np.bool_],
    groups: tuple[str, ...],
    task: Task,
    *,
    labels: Sequence[str],
    keep_precision: float,
    seed: int,
) -> Chosen:
    """Return the lowest confidences above which dev shows decisions to be right as often as asked.

    Confidence is the probability of what was decided. Topics: for each label, once where it is decided (its
    precision is kept) and once where it is not. Stance: one for all rows (their accuracy is kept). "Shows"
    means that the lower confidence bound holds it (see `bounds`). Where no confidence does, all such
    decisions are for review, with a warning: a nearest one would let pass what was to be held back.

    Args:
        probabilities: cross-fitted, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN (left out), same shape.
        decisions: bool, same shape.
        groups: event cluster of each row.
        task: see above.
        labels: column names, for warnings.
        keep_precision: share of right ones to keep.
        seed: of the resampling.
    """
    group_of = group_numbers(groups)
    n_groups = int(group_of.max(initial=-1)) + 1
    weights = resample_weights(n_groups, _SAMPLES, seed) if n_groups else np.zeros((_SAMPLES, 0))
    said = probabilities.astype(np.float64)

    def cut(confidence: NDArray[np.float64], right: NDArray[np.bool_], rows: NDArray[np.bool_]) -> _Cut:
        return _lowest(confidence[rows], right[rows], group_of[rows], weights, keep_precision)

    if task == "stance":
        known = labelled_rows(truth)
        confidence = np.where(decisions, said, 0).max(axis=1, initial=0)
        found = cut(confidence, (decisions & (truth == 1)).any(axis=1), known)
        told = () if found.shown is None else (_told("stance", "an accuracy", keep_precision, found.shown),)
        return Chosen(Abstention(keep_precision, (found.confidence,) * len(labels), None), told)
    known = ~np.isnan(truth)
    decided, undecided, warnings = [], [], []
    for column, label in enumerate(labels):
        p, y, yes = said[:, column], truth[:, column], decisions[:, column]
        above = cut(p, y == 1, known[:, column] & yes)
        below = cut(1 - p, y == 0, known[:, column] & ~yes)
        decided.append(above.confidence)
        undecided.append(round(1 - below.confidence, 2))
        for found, where in ((above, "decided"), (below, "not decided")):
            if found.shown is not None:
                warnings.append(_told(f"{label} where {where}", "a precision", keep_precision, found.shown))
    return Chosen(Abstention(keep_precision, tuple(decided), tuple(undecided)), tuple(warnings))


class _Cut(NamedTuple):
    """Confidence up to which decisions are for review; and, where that is all, the most that dev shows."""

    confidence: float
    shown: float | None


def _lowest(
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    group_of: NDArray[np.intp],
    weights: NDArray[np.float64],
    wanted: float,
) -> _Cut:
    if not len(confidence):
        return _Cut(1.0, 0.0)
    kept = confidence[:, None] > _GRID[None, :]
    present, dense = np.unique(group_of, return_inverse=True)
    by_group = sum_by_group(np.stack([kept & right[:, None], kept], axis=-1), dense)
    total, resampled = by_group.sum(axis=0), np.tensordot(weights[:, present], by_group, axes=1)
    bound = lower_bound(total[:, 0], total[:, 1], resampled[..., 0], resampled[..., 1])
    if bound.max() < wanted:
        return _Cut(1.0, float(bound.max()))
    return _Cut(float(_GRID[int(np.argmax(bound >= wanted))]), None)


def _told(what: str, measure: str, wanted: float, shown: float) -> str:
    return (
        f"{what}: dev shows {measure} of {wanted:g} at no confidence ({shown:.2f} at most, {CONFIDENCE:.0%} "
        "sure), so all are for review"
    )
