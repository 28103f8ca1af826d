"""Diversity: which question stands for most of the pool that nothing chosen so far is like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from stancewire.artefact import Artefact
from stancewire.examples import Article, StanceExample
from stancewire.features import FEATURES
from stancewire.runtime.linear import WEIGHTS

# Similarities that are held at once: 4 bytes each, 40 MB in all.
MAX_CANDIDATES, MAX_REFERENCES = 10_000, 1_000
# Terms that more of the pool has say nothing of what a text is about; short texts would be alike by them.
_COMMON, _FEW = 0.1, 20


def vectors(artefact: Artefact, examples: Sequence[Article | StanceExample]) -> csr_matrix:
    """Return TF-IDF rows of length 1 over the words that the model reads of each example.

    Of a linear model, over the terms that it knows; of another one, over all terms of the pool.
    """
    manifest = artefact.manifest
    features = FEATURES[manifest.task]
    content = [block for block, name in enumerate(features.blocks) if name in features.content]
    rows = features.extract_all(examples, manifest.max_chars)
    documents = [[term for block in content for term in row[block]] for row in rows]
    known = _known_terms(artefact) if manifest.family == "linear" else None
    if known is None and not any(documents):
        return csr_matrix((len(documents), 1), dtype=np.float32)
    counts = CountVectorizer(analyzer=list, vocabulary=known, dtype=np.float32).fit_transform(documents)
    documents_with = np.asarray((counts > 0).sum(axis=0)).ravel()
    telling = documents_with <= max(_FEW, _COMMON * len(documents))
    return csr_matrix(TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, telling]))


class Coverage:
    """How like its nearest choice all of the pool is; a candidate's gain is how much it raises that.

    Greedy facility location (Wei, Iyer and Bilmes, "Submodularity in data subset selection", 2015).

    Args:
        rows: vectors of all candidates.
        seed: of the samples of a large pool.
    """

    def __init__(self, rows: csr_matrix, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n_rows = rows.shape[0]
        self.candidates = np.sort(rng.permutation(n_rows)[:MAX_CANDIDATES])
        self._rows = rows
        self._references = rows[np.sort(rng.permutation(n_rows)[:MAX_REFERENCES])].T.tocsr()
        self._likeness = (rows[self.candidates] @ self._references).toarray().astype(np.float32)
        self._covered = np.zeros(self._likeness.shape[1], np.float32)
        self._nearest = np.zeros(n_rows, np.float32)

    def gains(self) -> NDArray[np.float64]:
        """Return the gain of each of `candidates`."""
        return np.asarray(np.maximum(self._likeness - self._covered, 0).mean(axis=1), np.float64)

    def add(self, row: int) -> None:
        """Take a choice in, whichever criterion made it."""
        chosen = self._rows[row]
        self._covered = np.maximum(self._covered, (chosen @ self._references).toarray()[0])
        self._nearest = np.maximum(self._nearest, (self._rows @ chosen.T).toarray()[:, 0])

    def nearest(self, row: int) -> float:
        """Return how like a row the most similar choice is, 0 to 1."""
        return float(self._nearest[row])


def _known_terms(artefact: Artefact) -> dict[str, int] | None:
    """Return the terms of a linear model's blocks of words; None where it knows none."""
    features = FEATURES[artefact.manifest.task]
    packed = artefact.tensors(WEIGHTS)["terms"].tobytes().decode("utf-8").split("\n")
    sizes = artefact.manifest.model.get("terms")
    known: dict[str, int] = {}
    start = 0
    for name in features.blocks:
        size = sizes.get(name, 0) if isinstance(sizes, dict) else 0
        size = size if isinstance(size, int) else 0
        if name in features.content:
            for term in packed[start : start + size]:
                known.setdefault(term, len(known))
        start += size
    return known or None
