"""Which rows make a step: drawn anew each epoch, of like length together, cut to what fits into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.encoder.tokens import Index

# Steps whose rows are sorted by length together: longer windows pad less, and mix less.
_WINDOW_STEPS = 50
# A sequence shorter than this share of the longest in its pack goes into the next pack.
_LEAST_SHARE = 0.7


def random(seed: int, *where: int) -> np.random.Generator:
    """Return the random numbers of one place of a run, the same whatever was drawn before."""
    return np.random.default_rng([seed, *where])


def drawn(weights: NDArray[np.float64], generator: np.random.Generator) -> Index:
    """Return the rows of an epoch: each as often as its weight says, a fraction of once at random."""
    whole = np.floor(weights)
    times = whole + (generator.random(len(weights)) < weights - whole)
    return np.repeat(np.arange(len(weights)), times.astype(np.intp))


def steps_of(
    rows: Index, lengths: NDArray[np.int64], batch_size: int, generator: np.random.Generator
) -> list[Index]:
    """Return the rows of each step, every given row once.

    Args:
        rows: of the epoch.
        lengths: tokens of every row there is.
        batch_size: rows of a step; the last may have fewer.
        generator: of the order.
    """
    shuffled = generator.permutation(rows)
    window = _WINDOW_STEPS * batch_size
    batches: list[Index] = []
    for start in range(0, len(shuffled), window):
        part = shuffled[start : start + window]
        part = part[np.argsort(-lengths[part], kind="stable")]
        batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def parts_of(rows: Index, lengths: NDArray[np.int64], budget: int) -> Iterator[Index]:
    """Yield the rows of a step in parts of at most so many tokens, at least one row each."""
    start = 0
    total = 0
    for end, row in enumerate(rows):
        if end > start and total + lengths[row] > budget:
            yield rows[start:end]
            start, total = end, 0
        total += int(lengths[row])
    if start < len(rows):
        yield rows[start:]


def packs_of(lengths: Sequence[int]) -> Iterator[Index]:
    """Yield the positions of sequences of like length, which are padded to the longest of them."""
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or sizes[order[end]] < _LEAST_SHARE * sizes[order[start]]:
            yield order[start:end]
            start = end
