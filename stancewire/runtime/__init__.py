"""One file per way to get probabilities from an artefact, behind one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities
from stancewire.examples import Article, StanceExample


@dataclass(frozen=True, slots=True)
class RawPrediction:
    """What a runtime answers for a batch.

    Attributes:
        probabilities: uncalibrated, float32 [n_rows, n_labels]; columns in the manifest's label order.
        blank: bool [n_rows]; True where the model saw no feature it knows and answers from its bias alone.
        cut: float32 [n_rows]; share of each row's tokens that did not fit into the model, from 0 to 1; None
            where every character is read.
    """

    probabilities: Probabilities
    blank: NDArray[np.bool_]
    cut: NDArray[np.float32] | None = None


class Runtime(Protocol):
    """Anything that answers with raw probabilities; safe to call from several threads."""

    def predict(self, examples: Sequence[Article] | Sequence[StanceExample]) -> RawPrediction:
        """Return one row per example, in input order; an empty input gives zero rows."""
        ...
