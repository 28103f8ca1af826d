"""Rows as token ids, compact, and made but once: kept on disk under a digest of all that they come from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from models.base import Examples
from stancewire.atomic import replace_file
from stancewire.encoding import ENCODING_VERSION, Encoded, Encoder, Layout
from stancewire.examples import Article

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Sequences of some rows, as `Encoded`, in a few arrays.

    Attributes:
        ids: int32; token ids of all sequences, one behind the other.
        starts: int64 [n_sequences + 1]; where each begins in `ids`.
        second: int32 [n_sequences]; where the second segment of each begins.
        first: int64 [n_rows + 1]; the first sequence of each row.
        cut: float32 [n_rows]; share of the row's tokens that no sequence holds.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    second: NDArray[np.int32]
    first: NDArray[np.int64]
    cut: NDArray[np.float32]

    @classmethod
    def of(cls, encoded: Encoded) -> Tokens:
        """Return the same sequences."""
        lengths = np.fromiter(map(len, encoded.ids), np.int64, len(encoded.ids))
        total = int(lengths.sum())
        return cls(
            ids=np.fromiter(chain.from_iterable(encoded.ids), np.int32, total),
            starts=np.concatenate([[0], np.cumsum(lengths)]),
            second=np.asarray(encoded.second, np.int32),
            first=np.searchsorted(encoded.rows, np.arange(len(encoded.cut) + 1)).astype(np.int64),
            cut=encoded.cut,
        )

    @property
    def sequence_lengths(self) -> NDArray[np.int64]:
        """Tokens of every sequence."""
        return np.diff(self.starts)

    @property
    def row_lengths(self) -> NDArray[np.int64]:
        """Tokens of every row, over all its sequences."""
        return np.diff(self.starts[self.first])

    def sequences(self, rows: Index) -> tuple[list[list[int]], list[int], list[int]]:
        """Return ids, second segment, and place in `rows`, of every sequence of these rows in their order."""
        ids, second, places = [], [], []
        for place, row in enumerate(rows):
            for number in range(int(self.first[row]), int(self.first[row + 1])):
                ids.append(self.ids[self.starts[number] : self.starts[number + 1]].tolist())
                second.append(int(self.second[number]))
                places.append(place)
        return ids, second, places


def tokenised(tokenizer: bytes, layout: Layout, examples: Examples, cache: Path | None = None) -> Tokens:
    """Return the token ids of rows.

    Args:
        tokenizer: content of a `tokenizer.json`.
        layout: of the sequences.
        examples: the rows.
        cache: folder of what was tokenised before; None: nothing is kept.
    """
    file = cache / f"{_digest(tokenizer, layout, examples)}.safetensors" if cache else None
    if file and (kept := _read(file)):
        return kept
    tokens = Tokens.of(Encoder(tokenizer, layout).encode(examples))
    if file:
        _keep(file, tokens)
    return tokens


def _read(file: Path) -> Tokens | None:
    """Return what is kept; None where there is nothing, or it is damaged."""
    try:
        return Tokens(**load_file(file))
    except (OSError, SafetensorError, TypeError):
        return None


def _keep(file: Path, tokens: Tokens) -> None:
    """Keep tokens for the next run; where the disk does not take them, that run makes them again."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        content = save({name: getattr(tokens, name) for name in Tokens.__slots__})
        replace_file(file, [content], half=str(os.getpid()))


def _digest(tokenizer: bytes, layout: Layout, examples: Examples) -> str:
    digest = hashlib.sha256(f"{ENCODING_VERSION} {astuple(layout)!r} ".encode())
    digest.update(hashlib.sha256(tokenizer).digest())
    for example in examples:
        for text in _texts(example):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _texts(example: object) -> Sequence[str]:
    if isinstance(example, Article):
        return (example.title, example.text)
    return tuple(getattr(example, name) or "" for name in ("sentence", "target", "holder", "context"))
