"""What abstention buys: how many decisions are kept from review, and how many of those are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Task
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import intervals
from training.evaluate.reliability import labelled_rows
from training.evaluate.scores import Kept, KeptLabel

Flags = NDArray[np.bool_]


def kept_scores(
    truth: NDArray[np.float32],
    decisions: Flags,
    review: Flags,
    *,
    asked: float,
    labels: Sequence[str],
    task: Task,
    groups: Sequence[str],
    samples: int,
    confidence: float,
    seed: int,
) -> Kept:
    """Score what is kept from review.

    Args:
        truth: 1, 0 or NaN (left out), float32 [n_rows, n_labels].
        decisions: same shape.
        review: same shape; for stance only of the decided label.
        asked: the share of right ones that abstention was chosen to keep.
        labels: column names.
        task: topics count labelled cells, stance labelled rows.
        groups: event cluster of each row: what the bootstrap resamples.
        samples: bootstrap resamples.
        confidence: of the intervals.
        seed: of the resampling.
    """
    known = np.isfinite(truth) if task == "topics" else labelled_rows(truth)[:, None] & decisions
    kept, right = known & ~review, known & ~review & ((truth == 1) == decisions)
    group_of = group_numbers(groups)
    by_group = sum_by_group(np.stack([known, kept, right], axis=-1), group_of).sum(axis=1)
    total, weights = by_group.sum(axis=0), resample_weights(len(by_group), samples, seed)
    resampled, interval = weights @ by_group, intervals(confidence)
    chosen = decisions & known
    return Kept(
        asked=asked,
        coverage=interval(_share(total[1], total[0]), _share(resampled[:, 1], resampled[:, 0])),
        right=interval(_share(total[2], total[1]), _share(resampled[:, 2], resampled[:, 1]))
        if total[1]
        else None,
        labels={
            label: KeptLabel(*(int((chosen & flags)[:, i].sum()) for flags in (known, kept, right)))
            for i, label in enumerate(labels)
        },
    )


def _share(part: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(of > 0, part / np.maximum(of, 1), np.nan)
