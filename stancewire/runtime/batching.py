"""Sequences packed into batches: of like length, of bounded size, and back in input order afterwards.

A batch costs its longest sequence times its number of sequences: sorted by length first, hardly a token of
that is padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from stancewire.encoding import Encoded

Ids = NDArray[np.int64]
Index = NDArray[np.intp]


def batches(lengths: Sequence[int], budget: int) -> Iterator[Index]:
    """Yield the positions of each batch, longest sequences first, every position once.

    Args:
        lengths: tokens of every sequence.
        budget: tokens of a batch, padding included; a longer sequence is a batch of its own.
    """
    sizes = np.asarray(lengths, dtype=np.intp)
    # Stable, so that equal input is always packed alike; longest first, so that memory peaks at once.
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, budget // max(1, int(sizes[order[start]])))
        yield order[start : start + rows]
        start += rows


def matrices(encoded: Encoded, chosen: Index, pad: int, length: int | None = None) -> dict[str, Ids]:
    """Return the inputs of an encoder for these sequences, each int64 [n_sequences, length].

    Args:
        encoded: all sequences.
        chosen: positions of those to lay out.
        pad: token id behind the end of a sequence, where the mask is 0.
        length: of every row; None: that of the longest sequence.
    """
    ids = [encoded.ids[i] for i in chosen]
    lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    places = np.arange(length or int(lengths.max()))
    real = places < lengths[:, None]
    tokens = np.full(real.shape, pad, dtype=np.int64)
    tokens[real] = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(lengths.sum()))
    second = np.fromiter((encoded.second[i] for i in chosen), dtype=np.int64, count=len(ids))
    return {
        "input_ids": tokens,
        "attention_mask": real.astype(np.int64),
        "token_type_ids": (real & (places >= second[:, None])).astype(np.int64),
    }
