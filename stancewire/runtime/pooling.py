"""From the scores of sequences, and of two models, to probabilities: training and inference pool alike."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task
from stancewire.runtime.linear import sigmoid, softmax

Pooling: TypeAlias = Literal["mean", "max", "noisy_or", "attention"]
POOLINGS: tuple[Pooling, ...] = ("mean", "max", "noisy_or", "attention")

_Floats: TypeAlias = NDArray[np.float64]
# What a model is at least unsure of: float32 rounds what is surer to 0 and 1.
_LEAST = 1e-7


def columns(n_labels: int, pooling: Pooling) -> int:
    """Return how many scores a sequence has: one per label, and for "attention" its weight as well."""
    return n_labels + (pooling == "attention")


def pool(scores: NDArray[np.float32], rows: NDArray[np.intp], pooling: Pooling, task: Task) -> Probabilities:
    """Return the probabilities of every row, float32 [n_rows, n_labels].

    Args:
        scores: logits of every sequence, [n_sequences, n_labels], and for "attention" one more column.
        rows: the row of each sequence, not decreasing, none left out from 0 to the last.
        pooling: "mean" and "max" are those of the logits; "attention" is their mean, weighted by the softmax
            of the last column over the sequences of a row; "noisy_or" is 1 - prod(1 - probability), topics
            only.
        task: its link is the sigmoid (topics) or the softmax (stance).
    """
    if not len(rows):
        return np.zeros((0, scores.shape[1] - (pooling == "attention")), dtype=np.float32)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    wide = scores.astype(np.float64)
    if pooling == "noisy_or":
        # log(1 - sigmoid(x)) = -log(1 + exp(x)), which loses nothing where the sigmoid is close to 1.
        with np.errstate(invalid="ignore"):  # NaN stays NaN, and is refused with its row
            none_holds = np.add.reduceat(-np.logaddexp(0.0, wide), starts, axis=0)
        return np.asarray(-np.expm1(none_holds), dtype=np.float32)
    link = sigmoid if task == "topics" else softmax
    return np.asarray(link(_logits(wide, starts, rows, pooling)), dtype=np.float32)


def blend(one: Probabilities, other: Probabilities, share: float, task: Task) -> Probabilities:
    """Return what two models say together: a logarithmic opinion pool, float32 [n_rows, n_labels].

    The logits of the answer are the weighted mean of theirs, so that who is unsure has little say. Genest and
    Zidek, "Combining Probability Distributions" (Statistical Science, 1986), compare the ways to pool.

    Args:
        one: probabilities of the first, [n_rows, n_labels].
        other: of the second, likewise.
        share: weight of the second, from 0 to 1; the first has what is left.
        task: probabilities of topics stand each for itself, those of stance sum to 1.
    """
    logits = (1 - share) * _logits_of(one, task) + share * _logits_of(other, task)
    return np.asarray((sigmoid if task == "topics" else softmax)(logits), dtype=np.float32)


def _logits_of(probabilities: Probabilities, task: Task) -> _Floats:
    wide = np.clip(probabilities.astype(np.float64), _LEAST, 1 - _LEAST)
    logits: _Floats = np.log(wide) - (np.log1p(-wide) if task == "topics" else 0)
    return logits


def _logits(scores: _Floats, starts: NDArray[np.intp], rows: NDArray[np.intp], pooling: Pooling) -> _Floats:
    """Pool the logits of each row's sequences, which begin at `starts`."""
    if pooling == "max":
        highest: _Floats = np.maximum.reduceat(scores, starts, axis=0)
        return highest
    if pooling == "mean":
        counts = np.diff(starts, append=len(rows))
        return np.add.reduceat(scores, starts, axis=0) / counts[:, None]
    attention = scores[:, -1]
    powers = np.exp(attention - np.maximum.reduceat(attention, starts)[rows])
    weights = powers / np.add.reduceat(powers, starts)[rows]
    pooled: _Floats = np.add.reduceat(scores[:, :-1] * weights[:, None], starts, axis=0)
    return pooled
