"""The parity gate: what is shipped must answer as what was trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.base import LabelledSet
from stancewire.artefact import Artefact
from stancewire.calibration import Probabilities, decide
from stancewire.errors import StancewireError
from stancewire.runtime.open import open_runtime
from training.export import Fitted

MIN_AGREEMENT = 0.995


class ParityError(StancewireError):
    """An exported model does not answer as the trained one."""


@dataclass(frozen=True)
class Parity:
    """How alike two models answer.

    Attributes:
        agreement: share of rows whose every decision is equal.
        difference: largest difference of a calibrated probability.
        rows: that were asked about.
    """

    agreement: float
    difference: float
    rows: int


def check_parity(artefact: Artefact, fitted: Fitted, rows: LabelledSet, trained: Probabilities) -> Parity:
    """Ask the exported model what the trained one was asked.

    Args:
        artefact: the exported model.
        fitted: the trained one.
        rows: that it was asked about.
        trained: its calibrated probabilities of them, float32 [n_rows, n_labels].

    Raises:
        ParityError: if fewer than 99.5 % of rows get equal decisions.
    """
    task = fitted.task
    thresholds = np.asarray(fitted.thresholds, dtype=np.float32)
    shipped = fitted.calibration.apply(open_runtime(artefact).predict(rows.examples).probabilities, task)
    equal = (decide(trained, thresholds, task) == decide(shipped, thresholds, task)).all(axis=1)
    found = Parity(float(equal.mean()), float(np.abs(trained - shipped).max()), len(rows))
    if found.agreement < MIN_AGREEMENT:
        raise ParityError(
            f"{artefact.manifest.name}: wanted an exported model that decides {MIN_AGREEMENT:.1%} of rows as "
            f"the trained one, got {found.agreement:.1%} of {len(rows):,} (probabilities differ by up to "
            f"{found.difference:.2g}); nothing was shipped"
        )
    return found
