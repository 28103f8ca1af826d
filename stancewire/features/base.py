"""What the features of a task are: runs of words, and the terms that each run stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count, pairwise
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

E = TypeVar("E")
Ints = NDArray[np.int64]

# One list of terms per block; a term that stands n times counts n times.
Terms = tuple[list[str], ...]

# Rows, and words of their different texts, that are read at once: memory stays flat, whatever the batch.
MAX_ROWS = 2048
MAX_WORDS = 1 << 15


class Form(Enum):
    """Which terms a run of words stands for.

    Attributes:
        ALONE: each word.
        PAIRED: each word, and each two neighbours, joined by a blank; no word holds one.
        BEHIND: the first word, joined with each of the others.
    """

    ALONE = auto()
    PAIRED = auto()
    BEHIND = auto()

    def terms(self, run: Sequence[str]) -> list[str]:
        """Return the terms of a run, as training counts and an artefact stores them."""
        if self is Form.BEHIND:
            return [f"{run[0]} {word}" for word in run[1:]]
        return [*run, *pairs(run)] if self is Form.PAIRED else list(run)


def pairs(words: Sequence[str]) -> list[str]:
    """Return each two neighbours, joined by a blank."""
    return [f"{left} {right}" for left, right in pairwise(words)]


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of words of some rows; rows may share them.

    Attributes:
        lexicon: the different words.
        words: [n_words]: places in the lexicon, one run after the other.
        lengths: [n_runs]: number of words.
        rows: [n_rows, n_blocks]: which run each block of each row is.
    """

    lexicon: list[str]
    words: Ints
    lengths: Ints
    rows: Ints


class Sheet(Generic[E]):
    """Reads some rows at once. One thread fills it.

    Attributes:
        size: how many words and marks the different texts of the rows hold.
    """

    size: int = 0

    def add(self, example: E) -> None:
        """Take a row."""
        raise NotImplementedError

    def finish(self) -> Runs:
        """Return the runs of all rows."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Features:
    """How a task's examples become terms.

    Attributes:
        forms: the form of each block by its name. A block is a TF-IDF vector of its own, of length 1.
        content: the blocks that hold the words of the text; a row with no known term in any is blank.
        target_blind: the blocks that know nothing of the target.
        sheet: longest text in characters -> what reads rows.
    """

    forms: dict[str, Form]
    content: frozenset[str]
    target_blind: frozenset[str]
    sheet: Callable[[int], Sheet[Any]]

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return tuple(self.forms)

    def read(self, examples: Iterable[object], max_chars: int) -> Iterator[Runs]:
        """Yield the runs of the next rows, in order, until there are none."""
        sheet, n_rows = self.sheet(max_chars), 0
        for example in examples:
            if n_rows >= MAX_ROWS or sheet.size >= MAX_WORDS:
                yield sheet.finish()
                sheet, n_rows = self.sheet(max_chars), 0
            sheet.add(example)
            n_rows += 1
        if n_rows:
            yield sheet.finish()

    def extract_all(self, examples: Iterable[object], max_chars: int) -> Iterator[Terms]:
        """Yield the terms of every row, one list per block."""
        for found in self.read(examples, max_chars):
            words = [found.lexicon[word] for word in found.words.tolist()]
            ends = np.cumsum(found.lengths).tolist()
            runs = [words[start:end] for start, end in pairwise([0, *ends])]
            for row in found.rows.tolist():
                yield tuple(form.terms(runs[run]) for form, run in zip(self.forms.values(), row, strict=True))

    def extract(self, example: object, max_chars: int) -> Terms:
        """Return the terms of one row; of many, `extract_all` is much faster."""
        return next(self.extract_all([example], max_chars))


def numbering() -> defaultdict[str, int]:
    """Return what numbers words by their first appearance, from 0."""
    return defaultdict(count().__next__)


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the places start, start + 1, … of each range, one range after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
