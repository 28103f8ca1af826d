"""TF-IDF and a linear model in numpy: the linear family without scikit-learn.

Weights lie in one safetensors file of four tensors, over the terms of all blocks, one block after the other:
`terms` (UTF-8, one a line), `idf` [terms], `coef` [labels, terms], `intercept` [labels]. For every block of a
row, x = (1 + log count) * idf, scaled to length 1; then coef @ x + intercept, through a sigmoid (topics) or a
softmax (stance): what scikit-learn computes, to 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.artefact import Artefact
from stancewire.calibration import Task
from stancewire.errors import ArtefactError
from stancewire.examples import Article, StanceExample
from stancewire.features import FEATURES, FEATURES_VERSION, Runs
from stancewire.features.base import Ints
from stancewire.manifest import MANIFEST
from stancewire.runtime import RawPrediction
from stancewire.runtime.vocabulary import Vocabulary
from stancewire.section import Section, shown
from stancewire.tensors import Array

WEIGHTS = "weights.safetensors"
LINEAR_KEYS = ("features", "terms")

Scores = NDArray[np.float64]

_MAX_TERMS = 10_000_000
_DTYPES = {"terms": "uint8", "idf": "float32", "coef": "float32", "intercept": "float64"}


class LinearRuntime:
    """Answers with raw probabilities. Nothing in it changes after loading: safe to call from several threads.

    Args:
        artefact: one of the linear family, or one that holds such a model beside its own.
        section: of the manifest that says `features` and `terms`; None: its `model`.

    Raises:
        ArtefactError: if its sections or tensors do not fit each other, or this package's features.
    """

    def __init__(self, artefact: Artefact, section: Section | None = None) -> None:
        manifest = artefact.manifest
        if section is None:
            section = Section(dict(manifest.model), f"{artefact.path / MANIFEST}: model", LINEAR_KEYS)
        self._task: Task = manifest.task
        self._max_chars = manifest.max_chars
        self._features = FEATURES[manifest.task]
        sizes = _sizes(section, self._features.blocks)
        tensors = _tensors(artefact, len(manifest.labels), sum(sizes.values()))
        # Position of each block in what the features yield; blocks left out by the model are not looked up.
        self._blocks = [self._features.blocks.index(name) for name in sizes]
        self._content = np.asarray([name in self._features.content for name in sizes])
        terms = _terms(artefact, tensors["terms"], sizes)
        self._vocabulary = Vocabulary([(self._features.forms[name], terms[name]) for name in sizes])
        self._n_terms = sum(sizes.values())
        self._idf = tensors["idf"].astype(np.float64)
        self._coef = tensors["coef"]
        self._intercept = tensors["intercept"]

    def predict(self, examples: Sequence[Article] | Sequence[StanceExample]) -> RawPrediction:
        """Return one row per example, in input order."""
        probabilities = np.empty((len(examples), len(self._intercept)), dtype=np.float32)
        blank = np.empty(len(examples), dtype=np.bool_)
        link = sigmoid if self._task == "topics" else softmax
        start = 0
        for runs in self._features.read(examples, self._max_chars):
            rows = slice(start, start + len(runs.rows))
            scores, blank[rows] = self._scores(runs)
            probabilities[rows] = link(scores)
            start = rows.stop
        return RawPrediction(probabilities, blank)

    def _scores(self, runs: Runs) -> tuple[Scores, NDArray[np.bool_]]:
        """Return decision scores [n_rows, n_labels], and which rows hold no known term of the content."""
        blocks, cells, cells_of = _cells_of(runs.rows[:, self._blocks], len(runs.lengths))
        known, scores = self._cell_scores(*self._vocabulary.find(runs, blocks, cells), len(cells))
        blank = np.logical_not(known[cells_of[:, self._content]].any(axis=1))
        return scores[cells_of].sum(axis=1) + self._intercept, blank

    def _cell_scores(self, cells: Ints, columns: Ints, n_cells: int) -> tuple[NDArray[np.bool_], Scores]:
        """Return which cells hold any known term, and what each adds to the scores [n_cells, n_labels]."""
        found = cells * self._n_terms + columns
        found.sort()
        is_first = np.ones(len(found), dtype=np.bool_)
        is_first[1:] = found[1:] != found[:-1]
        first = np.flatnonzero(is_first)
        counts = np.concatenate((first[1:], [len(found)])) - first
        cells, terms = np.divmod(found[first], self._n_terms)
        values = self._idf[terms]
        often = np.flatnonzero(counts > 1)
        values[often] *= 1.0 + np.log(counts[often])
        length = np.sqrt(np.bincount(cells, values * values, minlength=n_cells))
        values /= length[cells]
        scores = np.empty((n_cells, len(self._intercept)))
        for label, coef in enumerate(self._coef):
            scores[:, label] = np.bincount(cells, values * coef[terms], minlength=n_cells)
        return length > 0, scores


def _cells_of(rows: Ints, n_runs: int) -> tuple[Ints, Ints, Ints]:
    """Return block and run of every cell, and the cells of each row [n_rows, n_blocks].

    A cell is a run as a block reads it, whichever rows share it.

    Args:
        rows: [n_rows, n_blocks]: which run each block of each row is.
        n_runs: how many runs there are.
    """
    n_blocks = rows.shape[1]
    if n_blocks == 1 and n_runs == len(rows):
        return np.zeros(n_runs, dtype=np.int64), np.arange(n_runs), rows
    each = np.arange(n_blocks)
    numbers = np.full((n_blocks, n_runs), -1)
    numbers[each, rows] = 0
    blocks, cells = np.nonzero(numbers == 0)
    numbers[blocks, cells] = np.arange(len(cells))
    return blocks, cells, numbers[each, rows]


def sigmoid(scores: Scores) -> Scores:
    """Return 1 / (1 + exp(-score)), without overflow."""
    small = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1.0, small) / (1.0 + small)


def softmax(scores: Scores) -> Scores:
    """Return exp(score) as shares of each row's sum."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Scores = powers / powers.sum(axis=1, keepdims=True)
    return shares


def pack_terms(terms: Sequence[str]) -> NDArray[np.uint8]:
    """Return terms as the bytes that an artefact stores.

    Raises:
        ValueError: for a term that holds a line break, which no feature yields.
    """
    text = "\n".join(terms)
    if text.count("\n") != max(0, len(terms) - 1):
        raise ValueError("a term holds a line break; terms are stored one a line")
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _sizes(section: Section, blocks: tuple[str, ...]) -> dict[str, int]:
    """Return how many terms each block has, in the order of the features."""
    where = section.where
    version = section.integer("features", 1, 2**31)
    if version != FEATURES_VERSION:
        advice = "upgrade stancewire" if version > FEATURES_VERSION else "train again"
        raise ArtefactError(
            f"{where}.features: expected version {FEATURES_VERSION}, found {version}; {advice}"
        )
    found = section.json("terms")
    if unknown := sorted(found.keys() - set(blocks)):
        raise ArtefactError(
            f"{where}.terms: unknown block {shown(unknown[0])}; the known ones are {', '.join(blocks)}"
        )
    if not found:
        raise ArtefactError(f"{where}.terms: expected at least one block, found none; export again")
    counts = Section(found, f"{where}.terms", found)
    return {name: counts.integer(name, 0, _MAX_TERMS) for name in blocks if name in found}


def _tensors(artefact: Artefact, n_labels: int, n_terms: int) -> dict[str, Array]:
    """Return the four tensors, their dtypes and shapes found to be what the manifest says; all are finite."""
    where = artefact.path / WEIGHTS
    tensors = artefact.tensors(WEIGHTS)
    if set(tensors) != set(_DTYPES):
        raise ArtefactError(
            f"{where}: expected the tensors {', '.join(sorted(_DTYPES))}, found {', '.join(sorted(tensors))}"
        )
    shapes: dict[str, Any] = {"idf": (n_terms,), "coef": (n_labels, n_terms), "intercept": (n_labels,)}
    shapes["terms"] = (tensors["terms"].size,)
    for name, dtype in _DTYPES.items():
        tensor = tensors[name]
        if tensor.dtype != dtype or tensor.shape != shapes[name]:
            raise ArtefactError(
                f"{where}: {name}: expected {dtype} {list(shapes[name])} for {n_labels} labels and "
                f"{n_terms:,} terms, found {tensor.dtype} {list(tensor.shape)}; export again"
            )
    if (tensors["idf"] <= 0).any():
        raise ArtefactError(
            f"{where}: idf: expected figures above 0, found {tensors['idf'].min():g}; export again"
        )
    return tensors


def _terms(artefact: Artefact, packed: Array, sizes: dict[str, int]) -> dict[str, list[str]]:
    """Return the terms of each block."""
    where = f"{artefact.path / WEIGHTS}: terms"
    try:
        terms = packed.tobytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ArtefactError(f"{where}: expected UTF-8, found another byte at {error.start:,}") from None
    if terms == [""]:
        terms = []
    if len(terms) != sum(sizes.values()):
        raise ArtefactError(f"{where}: expected {sum(sizes.values()):,}, found {len(terms):,}; export again")
    bounds = np.cumsum([0, *sizes.values()]).tolist()
    blocks = {}
    for name, (start, stop) in zip(sizes, pairwise(bounds), strict=True):
        block = terms[start:stop]
        if any(left >= right for left, right in pairwise(block)):
            raise ArtefactError(f"{where}: block {name}: expected sorted and unique terms; export again")
        blocks[name] = block
    return blocks
