"""How often sets of stances hold the true one, and how small they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import intervals
from training.evaluate.reliability import labelled_rows
from training.evaluate.scores import SetScores


def set_scores(
    truth: NDArray[np.float32],
    members: NDArray[np.bool_],
    *,
    level: float,
    groups: Sequence[str],
    samples: int,
    confidence: float,
    seed: int,
) -> SetScores:
    """Score sets of stances on the labelled rows; events weigh alike, as in what the sets promise.

    Args:
        truth: 1, 0 or NaN, float32 [n_rows, n_labels]; at least one row is labelled.
        members: which stances are in the set of each row, same shape.
        level: share that the sets were chosen to hold.
        groups: event cluster of each row: what the bootstrap resamples.
        samples: bootstrap resamples.
        confidence: of the interval.
        seed: of the resampling.
    """
    known = labelled_rows(truth)
    held = (members[known] & (truth[known] == 1)).any(axis=1)
    group_of = group_numbers(np.asarray(groups, dtype=object)[known].tolist())
    counts = sum_by_group(np.stack([held, np.ones_like(held)], axis=-1), group_of)
    by_event = counts[:, 0] / counts[:, 1]
    weights = resample_weights(len(by_event), samples, seed)
    sizes = members[known].sum(axis=1)
    return SetScores(
        level=level,
        coverage=intervals(confidence)(by_event.mean(), weights @ by_event / len(by_event)),
        size=float(sizes.mean()),
        single=float((sizes == 1).mean()),
    )
