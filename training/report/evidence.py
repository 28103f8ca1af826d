"""Which terms pushed a decision most, by the family's own tables; families without such tables have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.artefact import Artefact
from stancewire.examples import Article, StanceExample
from stancewire.features import FEATURES
from stancewire.runtime.linear import WEIGHTS

Pushes = dict[tuple[str, str], NDArray[np.float64]]
Explainer = Callable[[Article | StanceExample], Pushes]

_SHOWN = 8


def explainer(artefact: Artefact) -> Explainer:
    """Return what tells, for an example, how far each (block, term) moves the log-odds of each label."""
    if artefact.manifest.family == "linear":
        return _Linear(artefact)
    return lambda example: {}


def strongest(pushes: Pushes, direction: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return the terms that pushed most in a direction.

    Args:
        pushes: of one example.
        direction: weight of each label's log-odds: +1 and -1 for "this one rather than that one".
    """
    weighed = {key: float(push @ direction) for key, push in pushes.items()}
    best = sorted(weighed.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"term": term, "block": block, "push": push} for (block, term), push in best[:_SHOWN] if push > 0]


class _Linear:
    """The sum that the linear runtime makes, told term by term."""

    def __init__(self, artefact: Artefact) -> None:
        tensors = artefact.tensors(WEIGHTS)
        manifest = artefact.manifest
        self._features = FEATURES[manifest.task]
        self._max_chars = manifest.max_chars
        terms = tensors["terms"].tobytes().decode("utf-8").split("\n")
        self._idf, self._coef = tensors["idf"].astype(np.float64), tensors["coef"].astype(np.float64)
        self._index: dict[str, dict[str, int]] = {}
        sizes: Any = manifest.model["terms"]
        start = 0
        for block in self._features.blocks:
            if block in sizes:
                stop = start + sizes[block]
                self._index[block] = dict(zip(terms[start:stop], range(start, stop), strict=True))
                start = stop

    def __call__(self, example: Article | StanceExample) -> Pushes:
        pushes: Pushes = {}
        for block, terms in zip(
            self._features.blocks, self._features.extract(example, self._max_chars), strict=True
        ):
            index = self._index.get(block, {})
            counts = Counter(term for term in terms if term in index)
            values = {term: (1 + np.log(n)) * self._idf[index[term]] for term, n in counts.items()}
            length = np.sqrt(sum(value * value for value in values.values())) or 1.0
            for term, value in values.items():
                pushes[block, term] = self._coef[:, index[term]] * value / length
        return pushes
