"""The score of knowing nothing but the training labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task


def majority(
    train_truth: NDArray[np.float32], n_rows: int, task: Task
) -> tuple[Probabilities, NDArray[np.bool_]]:
    """Return the majority baseline's probabilities and decisions, both [n_rows, n_labels].

    Probabilities are the label's frequency in train, for every row. Stance decides the most frequent label,
    of equals the first.
    Topics decides every label on every row: always "no" would score a macro-F1 of 0 whatever the labels, and
    always "yes" is the strongest answer that looks at no text.
    """
    labelled = (~np.isnan(train_truth)).sum(axis=0)
    rate = ((train_truth == 1).sum(axis=0) / np.maximum(1, labelled)).astype(np.float32)
    probabilities = np.tile(rate, (n_rows, 1))
    decisions = np.ones(probabilities.shape, dtype=np.bool_)
    if task == "stance":
        decisions[:] = np.arange(len(rate)) == int(np.argmax(rate))
    return probabilities, decisions
